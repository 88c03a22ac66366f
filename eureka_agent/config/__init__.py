"""The settings of a run: the command line, the Python API and a run's record share one class."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
