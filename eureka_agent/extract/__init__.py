"""From a completion to one reward function: `extract` finds its source, `reading` checks it."""

from eureka_agent.extract.entry import ENTRY_POINT
from eureka_agent.extract.extraction import extract

__all__ = ["ENTRY_POINT", "extract"]
