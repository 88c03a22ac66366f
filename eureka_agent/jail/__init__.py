"""The sandbox's trusted side: `Sandbox` opens a sealed process (`SandboxedReward`) per reward."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
