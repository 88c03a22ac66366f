"""A reward as an object: what runs it, its operations as a graph, and how two rewards compare."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
