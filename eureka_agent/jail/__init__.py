"""The trusted side of the wall: `Sandbox` opens sealed processes, `SandboxedReward` is one
candidate's in its own."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
