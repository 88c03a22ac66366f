"""Batched simulation: a task in many environments at once, on one of the physics engines; policies
that run in it."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
