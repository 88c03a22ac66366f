"""kill -9 in a generation, then resume: the same result, and nothing is done twice."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from eureka_agent.runs.directory import RunDir
from eureka_agent.runs.store import Store
from tests.support.runs import comparable

ROOT = Path(__file__).parents[2]


def start(folder: Path, how: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.support.killed_run", str(folder), how]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def finish(folder: Path, how: str) -> list[str]:
    with start(folder, how) as process:
        out, _ = process.communicate()
    assert process.returncode == 0
    return out.split()


def kill_at(folder: Path, event: str, count: int) -> None:
    with start(folder, "start") as process:
        assert process.stdout is not None
        for line in process.stdout:
            count -= line.strip() == event
            if count == 0:
                break
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL


@pytest.mark.slow
@pytest.mark.parametrize(
    ("event", "count"),
    [
        ("CompletionReceived", 2),
        ("TrainingProgress", 20),
    ],
)
def test_kill_and_resume(tmp_path: Path, event: str, count: int) -> None:
    """One iteration of 4 environments is 256 steps: 16 iterations for the baselines, then 16 per
    generation and seed."""
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    finish(whole, "start")
    kill_at(cut, event, count)
    events = finish(cut, "resume")
    assert events[-1] == "RunFinished"
    with Store.open(RunDir(whole).database) as a, Store.open(RunDir(cut).database) as b:
        assert comparable(tuple(a.outcomes())) == comparable(tuple(b.outcomes()))
        assert [x.evaluation for x in a.baselines()] == [x.evaluation for x in b.baselines()]
        assert a.policy(1, 2) == b.policy(1, 2)
        assert a.prompts() == b.prompts()
    assert (whole / "best_reward.py").read_text() == (cut / "best_reward.py").read_text()
    asked = (tmp_path / "cut.asked").read_text().split()
    # A kill between an answer and its commit loses that answer; the event comes after both.
    if event != "CompletionReceived":
        assert len(asked) == len(set(asked))
    assert sorted(set(asked)) == sorted((tmp_path / "whole.asked").read_text().split())
