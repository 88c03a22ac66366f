"""Code in pages: coloured, compared, and never markup."""

from __future__ import annotations

from html import unescape

from eureka_agent.report.html.code import coloured, difference
from tests.support.html_page import Page

BEFORE = 'def f(x):\n    """Two\n    lines."""\n    return x < 3  # <b>\n'
AFTER = BEFORE.replace("< 3", "< 4").replace("lines", "rows")


def text_of(markup: str) -> str:
    return Page(f"<body>{markup}</body>").all("body")[0].text


def test_coloured_code_reads_as_the_code() -> None:
    assert text_of(coloured(BEFORE)) == BEFORE.rstrip("\n")
    assert '<span class="tok-k">def</span>' in coloured(BEFORE)
    assert '<span class="tok-c1"># &lt;b&gt;</span>' in coloured(BEFORE)


def test_code_that_is_no_python_is_shown_as_it_is() -> None:
    for code in ("</code><script>alert(1)</script>", "def (:::", "'" * 99, "\u202e", "", "\\"):
        shown = coloured(code)
        assert "<script" not in shown
        assert "\u202e" not in shown
        assert unescape(text_of(shown)) == code.replace("\u202e", "\\u202e")


def test_very_long_code_is_shown_without_colours() -> None:
    code = "x = 1\n" * 5_000
    assert "<span" not in coloured(code)
    assert text_of(coloured(code)) == code


def test_a_difference_has_the_changed_lines_with_some_around_them() -> None:
    rows = [(row.kind, text_of(row.code)) for row in difference(BEFORE, AFTER)]
    assert rows == [
        ("same", "def f(x):"),
        ("same", '    """Two'),
        ("removed", '    lines."""'),
        ("removed", "    return x < 3  # <b>"),
        ("added", '    rows."""'),
        ("added", "    return x < 4  # <b>"),
    ]


def test_the_same_code_has_no_difference_whatever_ends_its_lines() -> None:
    assert difference(BEFORE, BEFORE) == []
    assert difference(BEFORE, BEFORE.replace("\n", "\r\n")) == []


def test_distant_changes_are_separated_by_a_gap() -> None:
    lines = [f"x{index} = 0" for index in range(40)]
    changed = ["y = 1", *lines[1:-1], "z = 1"]
    kinds = [row.kind for row in difference("\n".join(lines), "\n".join(changed))]
    assert kinds.count("gap") == 1
    assert kinds.count("added") == kinds.count("removed") == 2


def test_codes_of_thousands_of_lines_are_not_compared() -> None:
    (row,) = difference("x\n" * 1_001, "y\n")
    assert "too long" in row.code
