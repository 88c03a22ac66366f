"""Judges of a generation: a person, a success measure, a vision model, or a user's function."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
