"""Judges of a generation: a person, or a stand-in. Users can pass a function."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
