"""The local pages: runs, their replays, and the form in which a person judges a generation."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
