"""What the docstring of an environment says: its description, tables, and notes for models.

Docstrings of Gymnasium's own environments are Markdown with a section for each subject. The
definition of an environment's own reward must never reach a model, so only sections on other
subjects are used, and no sentence that speaks of rewards.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping

_HEADING = re.compile(r"^\s*#{1,4}\s+(.+?)\s*:?\s*$")
_TOLD = ("description", "action space", "observation space", "starting state", "episode", "trans")
"""How the headings of sections begin that models are told."""
_ABOUT_REWARDS = re.compile(
    r"reward|\breturns? of\b|\bscor|\bpoints\b|\d+ points?\b|penal|\bcosts?\b|bonus|incentiv",
    re.IGNORECASE,
)
_ABOUT_TYPES = re.compile(r"ndarray|\bBox\(|\bint\(\)|shape is|elements are as follows|figure\}")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z`*_\[(-])")
_WHAT_TO_DO = re.compile(r"\b(?:goal|task|objective|aim|has to|must)\b", re.IGNORECASE)
_TAG = re.compile(r"</?[a-zA-Z][^>]*>")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_BLOCK = re.compile(r"(```|''').*?(\1|\Z)", re.DOTALL)
_LONGEST_NOTES = 3000
"""Characters."""


def sections(docstring: str) -> dict[str, str]:
    """Return the text of each section of a docstring, by its heading in small letters.

    What stands before the first heading has the name "".
    """
    found: dict[str, list[str]] = {"": []}
    lines = found[""]
    for line in _BLOCK.sub("", inspect.cleandoc(docstring)).splitlines():
        heading = _HEADING.match(line)
        if heading:
            lines = found.setdefault(heading[1].lower(), [])
        else:
            lines.append(line)
    return {name: "\n".join(text).strip() for name, text in found.items()}


def notes_of(docstring: str) -> str:
    """Return what models are told of an environment: facts, without its own reward.

    Only known sections are used. A docstring without sections gives its first paragraph.
    """
    known = sections(docstring)
    parts: list[str] = []
    for name, text in known.items():
        if name.startswith(_TOLD) and (kept := _without_rewards(text)):
            parts.append(f"{name.capitalize()}: {kept}")
    if len(known) == 1:
        parts.append(_without_rewards(known[""].partition("\n\n")[0]))
    return _shortened("\n".join(part for part in parts if part))


def description_of(docstring: str) -> str:
    """Return the sentence of a docstring that says what is to be done, else its first, or "".

    Sentences that speak of rewards do not count.
    """
    known = sections(docstring)
    text = "\n\n".join(filter(None, (known[""], known.get("description", ""))))
    sentences = _SENTENCE_END.split(_without_rewards(text))
    wanted = [sentence for sentence in sentences if _WHAT_TO_DO.search(sentence)]
    return [*wanted, *sentences][0].strip().rstrip(".")


def tables(text: str) -> Iterator[list[dict[str, str]]]:
    """Yield the Markdown tables of a text, as rows by the column's heading in small letters."""
    rows: list[list[str]] = []
    for line in [*text.splitlines(), ""]:
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.strip().startswith("|") and len(cells) > 1:
            rows.append(cells)
            continue
        if len(rows) > 2:
            yield [dict(zip(map(str.lower, rows[0]), row, strict=False)) for row in rows[2:]]
        rows = []


def numbered_rows(docstring: str, heading: str) -> dict[int, Mapping[str, str]]:
    """Return the rows of the first table of a section whose rows are numbered, by their numbers.

    Args:
        docstring: The docstring.
        heading: How the section's heading begins, in small letters.
    """
    for name, text in sections(docstring).items():
        if not name.startswith(heading):
            continue
        for table in tables(text):
            rows = {int(row["num"]): row for row in table if row.get("num", "").strip().isdecimal()}
            if rows:
                return dict(rows)
    return {}


def numbered_items(docstring: str, heading: str) -> dict[int, str]:
    """Return the items of a section's list whose items are numbered, such as `- 0: move left`."""
    for name, text in sections(docstring).items():
        if name.startswith(heading):
            found = re.findall(r"^\s*[-*]\s*`?(\d+)`?\s*:\s*(.+?)\s*$", text, re.MULTILINE)
            return {int(number): item for number, item in found}
    return {}


def _is_told(sentence: str) -> bool:
    """Whether a sentence speaks neither of rewards nor of Python's types."""
    return not _ABOUT_REWARDS.search(sentence) and not _ABOUT_TYPES.search(sentence)


def _without_rewards(text: str) -> str:
    """Return a text in one line, without tables, links and sentences that are not for models."""
    kept: list[str] = []
    for paragraph in re.split(r"\n\s*(?:\n|(?=[-*] |\d+[.)] ))", text):
        lines = [line for line in paragraph.splitlines() if not line.strip().startswith("|")]
        plain = " ".join(_TAG.sub("", _LINK.sub(r"\1", " ".join(lines))).split())
        sentences = _SENTENCE_END.split(plain)
        kept += [each for each in sentences if each and _is_told(each)]
    return " ".join(kept)


def _shortened(text: str) -> str:
    if len(text) <= _LONGEST_NOTES:
        return text
    return f"{text[:_LONGEST_NOTES].rpartition(' ')[0]} …"
