"""From a completion to the source of one reward function: `extract` finds the code, `reading`
checks it as well."""

from eureka_agent.extract.entry import ENTRY_POINT
from eureka_agent.extract.extraction import extract

__all__ = ["ENTRY_POINT", "extract"]
