"""Names are never cut at 80 columns, and pipes get plain lines."""

from __future__ import annotations

import io

import pytest
from rich.console import Console, RenderableType

from eureka_agent.report import put, whole_line
from eureka_agent.report.terminal.page import plain_table
from eureka_agent.report.terminal.run_list import Overview, runs_table

NAME = "20260131-235959-a_task_with_a_rather_long_name-0a1b"


def on_terminal(renderable: RenderableType, width: int) -> list[str]:
    console = Console(file=io.StringIO(), force_terminal=True, color_system=None, width=width)
    put(console, renderable)
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def in_pipe(renderable: RenderableType, encoding: str = "utf-8") -> list[str]:
    raw = io.BytesIO()
    with io.TextIOWrapper(raw, encoding=encoding, write_through=True) as pipe:
        put(Console(file=pipe, width=80), renderable)
        return raw.getvalue().decode(encoding).splitlines()


def overviews() -> list[Overview]:
    facts = (
        "do a backflip and land [softly]",
        "2 of 3",
        "g1c13 1,234.5",
        "$0.12",
        "2026-01-31 23:59",
    )
    runs = [Overview(f"{NAME}{i}", "running", *facts) for i in range(2)]
    return [
        *runs,
        Overview("hurt", "damaged", when="2026-01-31 23:59", damage="run.db is damaged."),
    ]


def test_a_list_of_runs_in_a_pipe_has_one_full_line_per_run() -> None:
    lines = in_pipe(runs_table(overviews()))
    assert lines[0].split()[:2] == ["run", "task"]
    for i, line in enumerate(lines[1:3]):
        assert line.startswith(f"{NAME}{i}  do a backflip and land [softly]  running  2 of 3")
        assert line.endswith("2026-01-31 23:59")
    assert lines[3].split()[:2] == ["hurt", "damaged"]
    assert lines[5] == "run.db is damaged."
    assert "".join(lines).isascii()


@pytest.mark.parametrize("width", [60, 80, 100])
def test_a_list_of_runs_on_a_narrow_terminal_has_two_lines_per_run(width: int) -> None:
    lines = on_terminal(runs_table(overviews()), width)
    assert f"{NAME}0" in lines
    assert f"{NAME}1" in lines
    assert max(map(len, lines)) <= width
    assert "g1c13 1,234.5" in " ".join(" ".join(lines).split())


def test_a_list_of_runs_on_a_wide_terminal_is_a_table() -> None:
    lines = on_terminal(runs_table(overviews()), 200)
    assert sum(NAME in line and "$0.12" in line for line in lines) == 2


@pytest.mark.parametrize("width", [20, 80])
def test_a_no_wrap_column_is_never_cut(width: int) -> None:
    table = plain_table()
    table.add_column("reward", no_wrap=True)
    table.add_column("a figure", no_wrap=True)
    table.add_column("words", ratio=1)
    table.add_row(NAME, "1,234,567.89", "they fold " * 20)
    text = "\n".join(on_terminal(table, width))
    assert NAME in text
    assert "1,234,567.89" in text
    assert "…" not in text


def test_a_line_with_a_path_is_left_whole_on_a_narrow_terminal() -> None:
    path = "/a/" + "long/" * 40 + "path"
    assert on_terminal(whole_line(f"Written to {path}"), 80) == [f"Written to {path}"]


def test_a_pipe_that_lacks_a_character_gets_a_question_mark() -> None:
    assert in_pipe(whole_line("g0c1 → g1c3"), "ascii") == ["g0c1 ? g1c3"]
