"""Who judges a generation: a person at a terminal, or a stand-in; others pass a function of their
own."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
