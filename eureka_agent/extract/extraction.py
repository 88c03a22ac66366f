"""From a completion to the source of one reward function.

Models wrap code in many ways: in fences of every kind, in classes, under other names, in prose.
Markdown is read line by line; Python's own parser decides what is code, never a pattern.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from typing import Literal

from eureka_agent.errors import ExtractionError
from eureka_agent.extract.blocks import Block, Reader
from eureka_agent.extract.entry import ENTRY_POINT, last_entry, last_renamed
from eureka_agent.extract.views import normalised, views

_DEFINED = re.compile(rf"\bdef\s+{ENTRY_POINT}\s*\(")
_ASK = {
    "answer": f"answer with one ```python block that defines {ENTRY_POINT}.",
    "file": f"write one function {ENTRY_POINT}.",
}


def extract(text: str, *, of: Literal["answer", "file"] = "answer") -> str:
    """Return the Python source in `text` that defines a module-level `compute_reward`.

    The last fenced block with the entry point wins. Without one, the function looks for code
    between the lines of prose, then in JSON, diffs, quotes and the like (`views.py`). Only what
    the reward reads is kept (`cut.py`). What the block lacks comes from the answer's other blocks,
    or from Eureka's own header (`header.py`). A method is taken out of its class and loses `self`;
    the only function that can be the reward is renamed. Only in these two cases is the source
    rewritten, so that it loses its comments.

    Args:
        text: A model's completion, or the text of a file.
        of: What error messages call the text.

    Returns:
        The source of one module.

    Raises:
        ExtractionError: `text` holds no usable reward function; one sentence for its author.
    """
    try:
        return _extracted(text, of)
    except RecursionError:
        raise ExtractionError(
            "The code is nested too deeply: write it as several short statements."
        ) from None


def _extracted(text: str, of: Literal["answer", "file"]) -> str:
    ask = _ASK[of]
    text = normalised(text)
    if not text.strip():
        raise ExtractionError(f"The {of} is empty: {ask}")
    reader = Reader(ENTRY_POINT)
    seen: list[Block] = []
    for view in views(text):
        lines = view.split("\n")
        for read in (reader.fenced, reader.bare):
            seen += read(lines)
            if (found := last_entry(seen)) is not None:
                return found
    if not _DEFINED.search(text) and (renamed := last_renamed(seen)) is not None:
        return renamed
    raise ExtractionError(f"{reader.error or _why_nothing(seen, of)}: {ask}")


def _why_nothing(blocks: Sequence[Block], of: str) -> str:
    """Return why valid Python has no usable entry point."""
    names = [function.name for block in blocks for function in block.functions]
    if names:
        return f"The code defines {_listed(names)} but no function {ENTRY_POINT}"
    classes = [
        node for block in blocks for node in block.tree.body if isinstance(node, ast.ClassDef)
    ]
    if classes:
        methods = [node.name for node in classes[-1].body if isinstance(node, ast.FunctionDef)]
        has = f"has the methods {_listed(methods)}" if methods else "has no methods"
        return f"The class {classes[-1].name[:60]} {has} and there is no function {ENTRY_POINT}"
    return f"The {of} holds no Python function"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(name[:60] for name in [*dict.fromkeys(names)][:8])
