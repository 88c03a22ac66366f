"""Questions and answers in a run's folder."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from eureka_agent.errors import StoreError
from eureka_agent.runs.directory import RunDir
from eureka_agent.runs.drafts import (
    Draft,
    Pair,
    Question,
    goes_on_at,
    read_draft,
    read_question,
    remove_question,
    save_draft,
    save_question,
)

WHOLE = Draft(
    2,
    best="g2c0",
    worst="g2c1",
    pairs=(Pair("g2c0", "g2c1", "left"),),
    words={"g2c1": "größer\n\x1b"},
    marks={"g2c0": {"x": "keep"}},
    edited={"g2c0": "def compute_reward(): ..."},
    stop=True,
    submitted=True,
    saved="2026-01-31T12:00:00+00:00",
)


def test_what_is_saved_is_read(tmp_path: Path) -> None:
    run, question = RunDir(tmp_path), Question(2, ("g1c0",), "2026-01-31T12:00:00+00:00", 5.0)
    assert read_draft(run, 2) == Draft(2)
    assert read_question(run, 2) is None
    save_draft(run, WHOLE)
    save_question(run, question)
    assert read_draft(run, 2) == WHOLE
    assert read_question(run, 2) == question
    remove_question(run, 2)
    remove_question(run, 2)
    assert read_question(run, 2) is None
    assert not WHOLE.is_empty
    assert Draft(2).is_empty


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff", b'{"generation": 2, "best": 7}', b'{"generation": 1}', b"[" * 9999],
)
def test_a_damaged_answer_is_an_error_that_names_the_file(tmp_path: Path, content: bytes) -> None:
    run = RunDir(tmp_path)
    save_draft(run, WHOLE)
    run.draft(2).write_bytes(content)
    with pytest.raises(StoreError, match=r"g2_draft\.json is damaged: remove it"):
        read_draft(run, 2)


def test_links_pipes_and_giants_are_not_read(tmp_path: Path) -> None:
    run = RunDir(tmp_path)
    save_draft(run, WHOLE)
    path = run.draft(2)
    copy = path.rename(tmp_path / "elsewhere.json")
    path.symlink_to(copy)
    assert read_draft(run, 2) == Draft(2)
    path.unlink()
    os.mkfifo(path)
    assert read_draft(run, 2) == Draft(2)  # and does not wait for a writer
    path.unlink()
    path.write_bytes(copy.read_bytes() + b" " * 4_000_000)
    assert read_draft(run, 2) == Draft(2)


@pytest.mark.parametrize(
    ("saved", "minutes"),
    [("", 5), ("2026-01-31T12:10:00+00:00", 15), ("2026-01-31T11:00:00+00:00", 5)],
)
def test_the_time_counts_from_the_question_or_the_last_change(saved: str, minutes: int) -> None:
    asked = "2026-01-31T12:00:00+00:00"
    ends = goes_on_at(Question(0, (), asked, 5.0), Draft(0, saved=saved))
    assert ends == datetime.fromisoformat(asked) + timedelta(minutes=minutes)


def test_a_question_without_a_limit_waits() -> None:
    assert goes_on_at(Question(0, (), "2026-01-31T12:00:00+00:00"), Draft(0)) is None
    assert goes_on_at(Question(0, (), "2026-01-31T12:00:00+00:00", 1e18), Draft(0)) is None


def test_a_time_that_is_none_counts_from_now() -> None:
    ends = goes_on_at(Question(0, (), "yesterday", 5.0), Draft(0))
    assert ends is not None
    assert abs(ends - datetime.now().astimezone()) < timedelta(minutes=6)
