"""The sources of reward functions: a language model, the built-in grammar, or a script."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
