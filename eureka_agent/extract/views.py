"""Other forms of code in an answer: JSON, diffs, quotes, web pages, typographic characters.

Each view is the whole answer as plain Markdown. Nothing here decides what is code: `extraction.py`
gives one view after the other to Python's parser.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from typing import Any

_MARKS = (
    "\ufeff\u200b\u200c\u200d\u2060\u00ad\u200e\u200f"
    "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
_INVISIBLE = dict.fromkeys(map(ord, _MARKS))
_ASCII = str.maketrans(
    {
        **dict.fromkeys("“”„‟«»＂", '"'),
        **dict.fromkeys("‘’‚‛＇", "'"),
        **dict.fromkeys("−–—", "-"),
        **dict.fromkeys("\u00a0\u2007\u202f\u3000", " "),
        **dict.fromkeys("\u2028\u2029\x0b\x0c\x85", "\n"),
        **dict(zip("（）［］｛｝，：；＝．＋＊／＜＞", "()[]{},:;=.+*/<>", strict=True)),
        "×": "*",
        "≤": "<=",
        "≥": ">=",
    }
)
_TAG = re.compile(r"</?(?:pre|code|p|br|div|span|li|td|tr)(?:\s[^<>\n]{0,200})?/?>")
_PROMPT = re.compile(
    r"^[ \t]*(?:>>> ?|\.\.\.:? ?|(?:> ?)+|In \[\d*\]: ?|\d{1,4} ?[|:] ?)", re.MULTILINE
)
_DIFF_HEADER = ("@@", "+++", "---", "diff ", "index ")
_INVALID_REFERENCE = re.compile(r"&#(?:[0-9]{8}[0-9]*|[xX][0-9a-fA-F]{7}[0-9a-fA-F]*);?")
"""A numeric character reference beyond all characters; Python cannot read one of 4,300 digits."""
_ENTITIES = ("&lt;", "&gt;", "&amp;", "&quot;", "&#39;", "&#x27;")
_JSON = json.JSONDecoder(strict=False)
_MAX_STRINGS = 200
_MAX_LEVELS = 3
"""Levels of JSON inside JSON strings, as in the arguments of tool calls."""


def normalised(text: str) -> str:
    """Return `text` with `\\n` as line ends and without byte order marks and zero-width marks."""
    return text.replace("\r\n", "\n").replace("\r", "\n").translate(_INVISIBLE)


def views(text: str) -> Iterator[str]:
    """Yield the ways to read `text`, most likely first: as it is, as a JSON string, as a diff, ….

    A text with HTML entities is first read as HTML: `x &lt; y` is valid Python, so that nobody would
    notice a wrong reading later.
    """
    if any(entity in text for entity in _ENTITIES):
        yield _from_html(text)
    yield text
    yield from reversed([*_strings(text, _MAX_LEVELS)])
    for other in (_unescaped, _from_diff, _unquoted, _from_html, _ascii_punctuation, _indented):
        if (view := other(text)) != text:
            yield view


def _strings(text: str, levels: int) -> Iterator[str]:
    """Yield the strings with code in an answer's JSON, including a notebook's cells."""
    begin = len(text) - len(text.lstrip())
    for start in dict.fromkeys((begin, text.find("{"), text.find("\n{") + 1, text.find("\n[") + 1)):
        if start < 0 or "def " not in text or not text.startswith(("{", "[", '"'), start):
            continue
        try:
            value, _ = _JSON.raw_decode(text, start)
        except (ValueError, RecursionError):
            continue
        found = [string for string in _walk(value) if "def " in string][:_MAX_STRINGS]
        for string in found:
            yield string
            if levels > 1:
                yield from _strings(string, levels - 1)
        return


def _walk(value: Any) -> Iterator[str]:
    """Yield all strings of a JSON value; a list of lines is one string."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, list) and one and all(isinstance(line, str) for line in one):
            yield ("" if all(line.endswith("\n") for line in one[:-1]) else "\n").join(one)
        elif isinstance(one, list | dict):
            waiting += reversed(one) if isinstance(one, list) else reversed(one.values())


def _unescaped(text: str) -> str:
    """Return code that was written on one line with `\\n` between its lines."""
    if r"\n" not in text:
        return text
    return (
        text.replace(r"\r", "")
        .replace(r"\n", "\n")
        .replace(r"\t", "\t")
        .replace(r"\"", '"')
        .replace(r"\'", "'")
    )


def _from_diff(text: str) -> str:
    """Return the new file that a unified diff describes."""
    if "+def " not in text and "\n+" not in text:
        return text
    lines = (line for line in text.split("\n") if not line.startswith(("-", *_DIFF_HEADER)))
    return "\n".join(line[1:] if line.startswith(("+", " ")) else line for line in lines)


def _unquoted(text: str) -> str:
    """Return lines without the prefixes of mail, a Python prompt, a notebook or a listing."""
    return _PROMPT.sub("", text)


def _ascii_punctuation(text: str) -> str:
    """Replace typographic quotes, dashes, spaces and full-width signs with their ASCII forms."""
    return text.translate(_ASCII)


def _indented(text: str) -> str:
    """Return only the indented lines, which are code blocks in Markdown.

    Text with a function at the left margin stays as it is: there, indented lines are its body.
    """
    if any(line.startswith(("def ", "class ", "async ")) for line in text.split("\n")):
        return text
    return "\n".join(
        line for line in text.split("\n") if not line.strip() or line.startswith((" ", "\t"))
    )


def _from_html(text: str) -> str:
    """Return the text that a browser would show."""
    return (
        html.unescape(_INVALID_REFERENCE.sub("\ufffd", _TAG.sub("\n", text)))
        if "&" in text or "<" in text
        else text
    )
