"""Words that do not come back: the glossary and plain English have better ones."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PLACES = ("eureka_agent", "envs", "sandbox", "prompts", "docs", "tests", "benchmarks", "examples")
NOT_OURS = ("tests/support/published", "tests/support/replies_by_hand", "tests/test_words.py")
BANNED = {
    r"\banew\b": "again",
    r"\bwhom\b": "which, that",
    r"(?<![Tt]here )\bis no (?!longer\b)": "is not a",
    r"\bbeside\b": "next to, with, besides",
    r"\blikewise\b": "also, say it",
    r"\bmend(s|ed|ing)?\b": "fix",
    r"\bso (many|often)\b": "that many, this number of",
    r"\b(goes?|stops?) on, too\b": "continues as well",
    r"\bzygotes?\b": "fork server",
    r"\btwins?\b": "duplicate",
    r"\bwish(es|ed)?\b": "instruction",
    r"\bworlds\b": "environments",
    r"\bthe wall\b|--wall\b|\bWall(Error|Level)?\b": "the sandbox",
    r"\bSealer\b|\bSpares\b": "process manager, spawn pool",
    r"\bprobe[sd]?\b": "contract check",
    r"\btrials?\b(?! and error)": "training, evaluation",
}


def files() -> list[Path]:
    found = [ROOT / "README.md"]
    for place in PLACES:
        found += [*(ROOT / place).rglob("*.py"), *(ROOT / place).rglob("*.md")]
    skipped = tuple(str(ROOT / each) for each in NOT_OURS)
    return [path for path in found if not str(path).startswith(skipped)]


@pytest.mark.parametrize("pattern", BANNED)
def test_word_does_not_come_back(pattern: str) -> None:
    expression = re.compile(pattern)
    found = []
    for path in files():
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if expression.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:90]}")
    assert not found, f"write {BANNED[pattern]}:\n" + "\n".join(found)
