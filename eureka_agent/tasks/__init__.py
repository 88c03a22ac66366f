"""What a task author needs: the definition of a task, the registry, scene and rotation helpers."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
