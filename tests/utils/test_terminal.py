"""The console: no text controls it, and none is treated as markup."""

from __future__ import annotations

import io

import pytest
from rich.console import RenderableType
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from eureka_agent.text import escape_control, one_line, shortened, storable
from eureka_agent.utils.terminal import Terminal

HOSTILE = "a\x1b]0;owned\x07[bold]b[/bold][link=http://x]c\u202e\u2066\u200b\ud800\x9b31m"


def in_a_table(text: str) -> Table:
    table = Table(title=text)
    table.add_column(text)
    table.add_row(text)
    return table


@pytest.mark.parametrize(
    "renderable",
    [
        HOSTILE,
        Text(HOSTILE),
        in_a_table(HOSTILE),
        Syntax(HOSTILE, "python"),
        Syntax(HOSTILE, "diff"),
    ],
)
def test_printed_text_cannot_control_the_terminal(renderable: RenderableType) -> None:
    paper = io.StringIO()
    console = Terminal(file=paper)
    console.width = 400
    console.print(renderable)
    assert [c for c in paper.getvalue() if not (c.isprintable() or c == "\n")] == []
    assert "\\x1b]0;owned" in paper.getvalue()
    assert "[bold]b[/bold]" in paper.getvalue()


def test_raw_output_is_cleaned_too() -> None:
    paper = io.StringIO()
    Terminal(file=paper).out(HOSTILE)
    # rich itself drops the bell.
    assert paper.getvalue() == escape_control(HOSTILE).replace("\\x07", "") + "\n"


def test_escape_control_keeps_text_and_escapes_the_rest() -> None:
    assert escape_control("é\u3000日本\n\tπ") == "é 日本\n\tπ"
    assert escape_control("\u202e\x7f\ud800\U000e0001") == r"\u202e\x7f\ud800\U000e0001"
    assert one_line(" a\n\n b\x00 ") == r"a b\x00"
    assert storable("\ud83d\ude00 \ud800") == "\U0001f600 \ufffd"
    assert shortened("x" * 10, 5) == "xxxx…"
