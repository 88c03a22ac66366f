from .changes import Changes
from .directory import RunDir
from .foreign_run import GivenAgain
from .store import Store

__all__ = [
    "Changes",
    "GivenAgain",
    "RunDir",
    "Store",
]
