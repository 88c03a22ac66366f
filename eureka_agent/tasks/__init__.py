"""What a task is, and how one is found: what everybody needs who writes a task."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
