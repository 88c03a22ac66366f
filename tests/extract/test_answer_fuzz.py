"""Randomly changed answers give a reward or a message for the model, in bounded time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from eureka_agent.errors import CandidateError, InternalError
from eureka_agent.extract.reading import faults_as_ours, read_answer, trace_of
from eureka_agent.records import Completion
from tests.support.answer_fuzz import MOST_S, PIECES, read
from tests.support.sandboxed import SPEC

REWARD = "\n```python\ndef compute_reward(position):\n    return position[:, 0], {}\n```\n"


def test_a_thousand_changed_answers_break_nothing() -> None:
    assert read(1_000, seed=0) == []


@pytest.mark.slow
@pytest.mark.timeout(1_200)  # a minute of processor time, on a machine that may be busy
def test_changed_answers_break_nothing_and_take_little_memory() -> None:
    """Runs in a process of its own, to measure only the memory for reading the answers.

    `EUREKA_ANSWERS` sets how many are read (default 10,000).
    """
    found = _in_a_process(int(os.environ.get("EUREKA_ANSWERS", "10000")), seed=1)
    assert found["wrong"] == []
    assert found["peak_mib"] < 1_024


def _in_a_process(count: int, seed: int) -> dict[str, Any]:
    program = [sys.executable, "-m", "tests.support.answer_fuzz", str(count), str(seed)]
    root = Path(__file__).parents[2]
    done = subprocess.run(program, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2_000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    "end", ["", "`", REWARD], ids=["alone", "before a backtick", "before a reward"]
)
def test_long_repetitive_text_takes_bounded_time(end: str) -> None:
    failure: CandidateError | None = None
    for piece in PIECES:
        text = (piece * (300_000 // len(piece))) + end
        started = time.process_time()
        try:
            read_answer(Completion(0, text, "model"), SPEC)
        except CandidateError as error:
            failure = error
        assert len(str(failure)) <= 1_000
        assert time.process_time() - started < MOST_S, repr(piece[:20])


def test_a_fence_of_a_million_marks_takes_bounded_time() -> None:
    started = time.process_time()
    with pytest.raises(CandidateError, match="no Python function"):
        read_answer(Completion(0, "~" * 1_000_000 + "`", "model"), SPEC)
    assert time.process_time() - started < MOST_S


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f"x &lt; y &#{'9' * 5_000};", "no Python function"),
        (
            (
                f"@torch.no_grad(0x{'f' * 4_000})\ndef compute_reward(position):\n    return"
                " position, {}"
            ),
            "decorator",
        ),
        (
            f"class A:\n  def compute_reward(self, position):\n    return 0x{'f' * 4_000}, {{}}",
            "integer of thousands",
        ),
        ("def compute_reward(position):\n    return '\x00', {}", "compute_reward"),
    ],
    ids=["a character's number", "a decorator's number", "a method's number", "a null byte"],
)
def test_code_that_python_cannot_read_or_write_is_the_candidates_failure(
    text: str, says: str
) -> None:
    with pytest.raises(CandidateError, match=says):
        read_answer(Completion(0, text, "model"), SPEC)


@pytest.mark.parametrize(
    "error", [ValueError("odd\x1b[2J"), RecursionError(), MemoryError(), KeyError("x")]
)
def test_an_unexpected_exception_becomes_an_internal_error(error: Exception) -> None:
    with (
        pytest.raises(InternalError, match="failed while reading the answer") as caught,
        faults_as_ours("reading the answer"),
    ):
        raise error
    assert not isinstance(caught.value, CandidateError)
    assert type(error).__name__ in str(caught.value)
    assert str(caught.value).isprintable()
    trace = trace_of(caught.value)
    assert "test_answer_fuzz.py" in trace
    assert "\x1b" not in trace
