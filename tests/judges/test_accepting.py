"""The question at the terminal whether a measure is what was meant."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from eureka_agent.errors import UsageError
from eureka_agent.judges.accepting import accepted_at

CODE = "def measure(x):\n    return x  # \x1b[2J\n"


def asked(monkeypatch: pytest.MonkeyPatch, typed: str) -> tuple[bool, str]:
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    console = Console(file=io.StringIO(), width=100, record=True)
    accepted = accepted_at(console)(CODE)
    return accepted, console.export_text()


@pytest.mark.parametrize(
    ("typed", "accepted"), [("yes\n", True), ("Y\n", True), ("no\n", False), ("what?\nn\n", False)]
)
def test_yes_or_no_decides(monkeypatch: pytest.MonkeyPatch, typed: str, accepted: bool) -> None:
    answer, shown = asked(monkeypatch, typed)
    assert answer == accepted
    assert "def measure(x)" in shown
    assert "\x1b[2J" not in shown
    assert ("Type yes or no." in shown) == ("what" in typed)


def test_end_of_the_input_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="add --yes"):
        asked(monkeypatch, "")
