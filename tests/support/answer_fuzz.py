"""Random changes, by seed, of the answers in `replies.py` and `bad_replies.py`.

Run as a program it reads many of them in its own process and reports the memory used.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from eureka_agent.errors import CandidateError
from eureka_agent.extract.reading import read_answer
from eureka_agent.records import Completion
from tests.support.bad_replies import bad_replies
from tests.support.replies import good_replies
from tests.support.sandboxed import SPEC

MOST_S = 2.0
"""Processor time in seconds for one long answer, and for a few short ones."""
_AT_ONCE = 20
"""Answers between two looks at the clock, which is slow on some machines."""
_LONGEST = 1_500
_BY_HAND = Path(__file__).parent / "replies_by_hand"

Dice = random.Random

PIECES = (
    *("```", "````", "~~~", "```python\n", "\n```\n", "`", "<pre>", "</code>", "<think>", "</think>", "<unanswered>"),
    *("\x00", "\ud800", "\udfff\ud800", "\ufeff", "\u202e", "\u2066", "\u200b", "\x1b[2J", "\r", "\x0c", "\u2028"),
    *("&lt;", "&#", "&#x110000;", "&#55296;", f"&#{'9' * 5000};", f"&#x{'f' * 5000};", "&amp" * 50, "&#0;"),
    *("9" * 5000, f"0x{'f' * 5000}", "1e999", "1_0_0", "0b" + "1" * 20_000, "²", "٣", "1" + "j" * 9, "0777"),
    *("(" * 300, "[" * 300, "-" * 2000, "not " * 500, "lambda: " * 200, "a." * 3000, "f'{" * 30, "**" * 200),
    *("def compute_reward(", "class A:\n", "@a\n", "return ", "yield ", "await ", "import torch\n", "self", "async "),
    *("*", "/", "**kwargs", "*, ", "-> 'x'", ": int", "=", ":=", "\\", "\\\n", "'''", '"""', "'", '"', "#", ";", "\t"),
    *("match x:\n case _: pass", "try:\n pass\nexcept* E:\n pass", "global x", "nonlocal x", "del x", "print(x)"),
    *("{", "}", '{"code": "', '"}', "\\u0000", "\\ud83d", "\\n", "\\N{DASH}", "b'x'", "f'{x!r:>{y}}'", "..."),
    *("# -*- coding: utf-7 -*-\n", "# coding: latin-1\n", "from __future__ import annotations\n", ">>> ", "+", "@@"),
)  # fmt: skip


@cache
def originals() -> tuple[str, ...]:
    """Return the unchanged answers."""
    texts = [
        reply.text for reply in (*good_replies(), *bad_replies()) if len(reply.text) <= _LONGEST
    ]
    return (
        *texts,
        *(path.read_bytes().decode("utf-8", "replace") for path in sorted(_BY_HAND.glob("*.txt"))),
    )


def mutated(dice: Dice) -> str:
    """Return one of the answers after a few changes."""
    text = dice.choice(originals())
    for _ in range(dice.choice((1, 1, 1, 2, 2, 3, 6))):
        text = dice.choice(_CHANGES)(dice, text)[:_LONGEST]
    return text


def read(count: int, seed: int) -> list[str]:
    """Read `count` changed answers; return the problems, with the number of the answer."""
    wrong: list[str] = []
    for first in range(0, count, _AT_ONCE):
        started = time.process_time()
        for number in range(first, min(count, first + _AT_ONCE)):
            wrong += [
                f"{number}: {problem}" for problem in _problems(mutated(Dice(f"{seed} {number}")))
            ]
        if (seconds := time.process_time() - started) > MOST_S:
            wrong.append(f"one from {first} on: took {seconds:.1f} s")
    return wrong


def _problems(text: str) -> list[str]:
    """Return what is wrong with the result, which must be a reward or a sentence for a model."""
    try:
        read_answer(Completion(0, text, "fuzzer"), SPEC)
    except CandidateError as error:
        message = str(error)
        problems = [] if 0 < len(message) <= 1_000 else [f"a message of {len(message)} characters"]
        return problems if message.isprintable() else [*problems, f"not printable: {message!r}"]
    except Exception as error:  # noqa: BLE001 - what is looked for
        return [f"{type(error).__name__}: {error}"]
    return []


# ---------------------------------------------------------------------- the changes
def _place(dice: Dice, text: str) -> int:
    return dice.randrange(len(text) + 1)


def _stretch(dice: Dice, text: str) -> tuple[int, int]:
    start = _place(dice, text)
    return start, min(len(text), start + dice.choice((1, 2, 5, 20, 100, 1000)))


def _insert(dice: Dice, text: str) -> str:
    place = _place(dice, text)
    return text[:place] + dice.choice(PIECES) + text[place:]


def _overwrite(dice: Dice, text: str) -> str:
    start, end = _stretch(dice, text)
    return text[:start] + dice.choice(PIECES) + text[end:]


def _remove(dice: Dice, text: str) -> str:
    start, end = _stretch(dice, text)
    return text[:start] + text[end:]


def _repeat(dice: Dice, text: str) -> str:
    start, end = _stretch(dice, text)
    return text[:end] + text[start:end] * dice.choice((1, 2, 10, 1000)) + text[end:]


def _random_characters(dice: Dice, text: str) -> str:
    place = _place(dice, text)
    most = dice.choice((0x7F, 0xFF, 0xFFFF, 0x10FFFF))
    return (
        text[:place]
        + "".join(chr(dice.randint(0, most)) for _ in range(dice.randint(1, 9)))
        + text[place:]
    )


def _swap_lines(dice: Dice, text: str) -> str:
    lines = text.split("\n")
    first, second = dice.randrange(len(lines)), dice.randrange(len(lines))
    lines[first], lines[second] = lines[second], lines[first]
    return "\n".join(lines)


def _indent_lines(dice: Dice, text: str) -> str:
    lines = text.split("\n")
    start = dice.randrange(len(lines))
    for at in range(start, min(len(lines), start + dice.randint(1, 9))):
        lines[at] = dice.choice((" ", "\t", "    ", "> ", "+ ", "1: ")) + lines[at]
    return "\n".join(lines)


def _splice(dice: Dice, text: str) -> str:
    other = dice.choice(originals())
    return text[: _place(dice, text)] + other[_place(dice, other) :]


def _cut(dice: Dice, text: str) -> str:
    return text[: _place(dice, text)]


def _as_json(dice: Dice, text: str) -> str:
    return json.dumps({dice.choice(("code", "text", "")): [text] if dice.random() < 0.5 else text})


def _replace_word(dice: Dice, text: str) -> str:
    words = text.split()
    return (
        text.replace(dice.choice(words), dice.choice((*PIECES, *words[:9])), 3) if words else text
    )


_CHANGES: Sequence[Callable[[Dice, str], str]] = (
    _insert,
    _insert,
    _overwrite,
    _overwrite,
    _remove,
    _repeat,
    _random_characters,
    _swap_lines,
    _indent_lines,
    _splice,
    _cut,
    _as_json,
    _replace_word,
)


def _peak_mib() -> float:
    """Return this process's peak memory in MiB; `getrusage` would count its parent's as well."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


if __name__ == "__main__":
    found = read(int(sys.argv[1]), int(sys.argv[2]))
    json.dump({"wrong": found, "peak_mib": _peak_mib(), "seconds": time.process_time()}, sys.stdout)
