"""Rewards as objects: the interface that runs one, its graph of operations, and comparisons."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
