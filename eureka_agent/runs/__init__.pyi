from .changes import Changes
from .directory import RunDir
from .foreign_run import TrustedSettings
from .store import Store

__all__ = [
    "Changes",
    "RunDir",
    "Store",
    "TrustedSettings",
]
