"""The search: its loop, what is proposed, how candidates are evaluated, and which the next ones
build on."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
