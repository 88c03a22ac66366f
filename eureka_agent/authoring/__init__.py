"""Help for authors of tasks: a new task from a robot's file, and checks of any task."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
