"""Texts and records of a foreign run: they cannot steer a terminal, and any values end in a page."""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from eureka_agent.cli.main import main
from eureka_agent.runs.directory import RunDir
from tests.support.foreign import HOSTILE
from tests.support.stored_run import stored_run


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    return stored_run(tmp_path / "runs" / "run", finished=False)


def steers(text: str) -> list[str]:
    """Return whether a text controls a terminal or the writing direction."""
    return [c for c in text if not (c.isprintable() or c in "\n\t")]


def test_every_text_of_a_foreign_run_is_escaped(
    run: RunDir, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each text field of each record in turn."""
    for table, rowid, record in [*_records(run)]:
        for place in _places(record):
            if isinstance(_at(record, place), str):
                _harmless(run, table, rowid, _with(record, place, HOSTILE), capsys)


@pytest.mark.parametrize("seed", range(3))
def test_records_with_any_values_give_a_page_or_a_sentence(
    run: RunDir, capsys: pytest.CaptureFixture[str], seed: int
) -> None:
    dice = random.Random(seed)
    numbers: tuple[object, ...] = (-1, 2**70, 1e308, -5e-324, True, None)
    values = (*numbers, "", "x" * 5_000, HOSTILE, "NaN", "g9c9", [], {}, [[]], {"\x1b[2J": 1})
    records, codes = [*_records(run)], set[int]()
    for _ in range(60):
        table, rowid, record = dice.choice(records)
        for _ in range(dice.choice((1, 1, 3))):
            record = _with(record, dice.choice([*_places(record)]), dice.choice(values))
        codes |= _harmless(run, table, rowid, record, capsys)
    assert codes >= {0, 1}


def test_a_cycle_of_parents_gives_a_page(run: RunDir, capsys: pytest.CaptureFixture[str]) -> None:
    """A prompt of the first generation names a candidate of the second, and the reverse."""
    for table, rowid, record in [*_records(run)]:
        if table == "prompts" and record["generation"] == 0:
            assert _harmless(run, table, rowid, {**record, "parents": ["g1c0"]}, capsys) == {0}


def _harmless(
    run: RunDir, table: str, rowid: int, record: Any, capsys: pytest.CaptureFixture[str]
) -> set[int]:
    """Show the run with another record, and put the old one back; return the exit codes."""
    codes = set[int]()
    column = "value" if table == "meta" else "record"
    with closing(sqlite3.connect(run.database)) as db:
        (before,) = db.execute(f"SELECT {column} FROM {table} WHERE rowid = ?", (rowid,)).fetchone()
        db.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (json.dumps(record), rowid))
        db.commit()
        commands = (
            ["show", str(run.path)],
            ["diff", str(run.path), "g1c0"],
            ["runs", str(run.path.parent)],
        )
        for arguments in (*commands, ["export", str(run.path)]):
            codes.add(main(arguments))
            shown = capsys.readouterr()
            assert "fault of eureka_agent" not in shown.err, f"{table} {rowid}: {shown.err[-1500:]}"
            assert steers(shown.out + shown.err) == [], arguments
        db.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (before, rowid))
        db.commit()
    return codes


def _records(run: RunDir) -> Iterator[tuple[str, int, Any]]:
    tables = {
        "meta": "value",
        **dict.fromkeys(("prompts", "completions", "outcomes", "baselines", "checks"), "record"),
    }
    with closing(sqlite3.connect(run.database)) as db:
        for table, column in tables.items():
            where = " WHERE key = 'config'" if table == "meta" else ""
            for rowid, text in db.execute(f"SELECT rowid, {column} FROM {table}{where}"):
                yield table, rowid, json.loads(text)


Place = tuple[str | int, ...]


def _places(value: Any, before: Place = ()) -> Iterator[Place]:
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for name, item in items:
        yield (*before, name)
        yield from _places(item, (*before, name))


def _at(value: Any, place: Place) -> Any:
    for name in place:
        value = value[name]
    return value


def _with(value: Any, place: Place, new: object) -> Any:
    changed = json.loads(json.dumps(value))
    if place:
        _at(changed, place[:-1])[place[-1]] = new
    return changed
