"""From a completion to the source of one reward function.

Models wrap code in many ways: fences of every kind, classes, other names, prose around. Markdown is read line by
line; what counts as code is decided by Python's own parser, never by patterns over code.
"""

from __future__ import annotations

from collections.abc import Sequence

from eureka_agent.errors import ExtractionError
from eureka_agent.extract.blocks import Block, Reader
from eureka_agent.extract.entry import ASK, ENTRY_POINT, last_entry, last_renamed
from eureka_agent.extract.views import normalised, views

__all__ = ["ENTRY_POINT", "extract"]


def extract(text: str) -> str:
    """Return the Python source in `text` that defines a module-level `compute_reward`.

    The last fenced block with the entry point wins; without one, code is looked for between the lines of prose, and
    then in JSON, diffs, quotes and the like (`views.py`). Imports and helpers of the same block stay, and those that it
    lacks come from the answer's other blocks; a demonstration of how to call it goes. A method loses its class and
    `self`, a sole function that returns a tuple is renamed; only then is the source rewritten (and loses its comments).

    Raises ExtractionError with one sentence for the model.
    """
    text = normalised(text)
    if not text.strip():
        raise ExtractionError(f"The answer is empty: {ASK}")
    reader = Reader(ENTRY_POINT)
    seen: list[Block] = []
    for view in views(text):
        lines = view.split("\n")
        for read in (reader.fenced, reader.bare):
            seen += read(lines)
            if (found := last_entry(seen)) is not None:
                return found
    if f"def {ENTRY_POINT}" not in text and (renamed := last_renamed(seen)) is not None:
        return renamed
    raise ExtractionError(_why_nothing(seen, reader.error))


def _why_nothing(blocks: Sequence[Block], error: str) -> str:
    """Return the sentence for a reply without a usable entry point."""
    if error:
        return f"{error}: {ASK}"
    names = [function.name for block in blocks for function in block.functions]
    if names:
        listed = ", ".join(name[:60] for name in [*dict.fromkeys(names)][:8])
        return f"The code defines {listed} but no function {ENTRY_POINT}: {ASK}"
    return f"The answer holds no Python function: {ASK}"
