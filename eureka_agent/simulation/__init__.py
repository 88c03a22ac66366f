"""Batched simulation: environments of a task, physics engines, and rollouts of policies."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
