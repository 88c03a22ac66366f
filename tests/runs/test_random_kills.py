"""Repeated kill -9 at random moments: the run still ends as an undisturbed one.

`EUREKA_KILLS` sets the number of kills (default 4). A run is killed until it ends before the next
kill; then it is compared with one that was never killed, and the next run starts.

A completion is *in flight* from the request until it is in the database. A kill loses at most what
is in flight, which is asked for again; what the database holds is never asked for or trained again.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import shutil
import signal
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from eureka_agent.errors import EurekaError
from eureka_agent.records import RewardResult, SeededResult
from eureka_agent.runs.directory import RunDir
from eureka_agent.runs.store import Store
from eureka_agent.utils.serialization import to_json
from tests.support.killed_run import work
from tests.support.runs import comparable, timeless

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.support.killed_run"])
_KILLS = int(os.environ.get("EUREKA_KILLS", "4"))
_AT_THE_START = 0.15
"""Share of kills while the run is opened, mostly before its first event."""
_START_S, _MOST_S = 0.5, 4.0
"""Latest of these, in processor time; the other kills are after the first event. A whole run takes
about eight seconds."""


@dataclass(frozen=True)
class Stored:
    """The content of a run's database."""

    completions: dict[str, str] = field(default_factory=dict)
    trainings: dict[str, str] = field(default_factory=dict)
    """Of candidates and baselines: `g0c1` the first one, `g0c1_seed_2` the second."""
    policies: frozenset[str] = frozenset()

    @classmethod
    def read(cls, folder: Path) -> Stored | None:
        """Return it; None if the run was killed before its config was written."""
        try:
            with Store.open(RunDir(folder).database, writable=False) as store:
                completions: dict[str, str] = {}
                for g in range(2):
                    completions |= {f"g{g}c{i}": c.text for i, c in store.completions(g).items()}
                trainings: dict[str, str] = {}
                policies = set()
                for outcome in store.outcomes():
                    trainings |= trainings_of(outcome.candidate.name, outcome)
                    if store.policy(outcome.candidate.generation, outcome.candidate.index):
                        policies.add(outcome.candidate.name)
                for baseline in store.baselines():
                    trainings |= trainings_of(f"{baseline.name}_reward", baseline)
                return cls(completions, trainings, frozenset(policies))
        except EurekaError as error:
            assert "before it" in str(error) or not RunDir(folder).database.exists()  # noqa: PT017
            return None

    def __le__(self, later: Stored) -> bool:
        """Return whether `later` still has all of it, unchanged."""
        return (
            self.completions.items() <= later.completions.items()
            and self.trainings.items() <= later.trainings.items()
            and self.policies <= later.policies
        )


def trainings_of(name: str, result: SeededResult) -> dict[str, str]:
    """Return the trainings of a result by name, without times."""
    first = RewardResult.of(result)
    found = {name: to_json(timeless(first))}
    for seed, further in enumerate(result.more_seeds, 2):
        found[f"{name}_seed_{seed}"] = to_json(timeless(further))
    return found


@dataclass
class Figures:
    """Counts of what the kills interrupted."""

    kills: int = 0
    runs: int = 0
    before_the_config: int = 0
    asked_again_from_flight: int = 0
    with_a_saved_training: int = 0
    with_a_half_written_save: int = 0


def lines_of(folder: Path, what: str) -> list[str]:
    path = folder.parent / f"{folder.name}.{what}"
    return path.read_text().split() if path.exists() else []


def sit(folder: Path, how: str, moment_s: float, *, from_first_event: bool) -> bool:
    """Work on the run until the moment, then kill it; return whether it ended before.

    None of its processes may survive.

    The moment is in processor time, so that it means the same on a busy machine.
    """
    process = FORKS.Process(target=work, args=(folder, how))
    events = len(lines_of(folder, "events"))
    process.start()
    assert process.pid is not None
    while from_first_event and process.is_alive() and len(lines_of(folder, "events")) == events:
        time.sleep(0.01)
    moment_s += _processor_s(process.pid) if from_first_event else 0.0
    while process.is_alive() and _processor_s(process.pid) < moment_s:
        process.join(0.01)
    process.kill()
    process.join()
    deadline = time.monotonic() + 20.0
    while alive := _session(process.pid):
        assert time.monotonic() < deadline, f"these outlived the run: {alive}"
        time.sleep(0.05)
    assert process.exitcode in (0, -signal.SIGKILL)
    return process.exitcode == 0


def _processor_s(pid: int) -> float:
    """Return the processor time of a process; infinite if it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return float("inf")
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _session(leader: int) -> list[int]:
    """Return the living processes of a session, including the run's helper and sandboxed ones."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                state, _, _, session = (entry / "stat").read_text().rpartition(")")[2].split()[:4]
                if int(session) == leader and state != "Z":
                    found.append(int(entry.name))
    return found


@pytest.mark.slow
@pytest.mark.timeout(120 + 60 * _KILLS)
def test_random_kills_lose_nothing_and_repeat_nothing(tmp_path: Path) -> None:
    draw, figures = random.Random(0), Figures()
    whole = tmp_path / "whole"
    assert sit(whole, "start", float("inf"), from_first_event=True)
    while figures.kills < _KILLS:
        folder = tmp_path / f"cut{figures.runs}"
        killed_to_the_end(folder, figures, draw)
        same_end(whole, folder)
        figures.runs += 1
        (tmp_path / "figures.json").write_text(json.dumps(vars(figures)))


def killed_to_the_end(folder: Path, figures: Figures, draw: random.Random) -> None:
    """Kill a run at random moments until it ends or no kills are left, and check its database after
    each."""
    before = Stored()
    while True:
        at_the_start = draw.random() < _AT_THE_START
        moment = draw.uniform(0.0, _START_S if at_the_start else _MOST_S)
        moment = moment if figures.kills < _KILLS else float("inf")
        asked, trained = len(lines_of(folder, "asked")), len(lines_of(folder, "trained"))
        how = "resume" if folder.exists() else "start"
        ended = sit(folder, how, moment, from_first_event=not at_the_start)
        after = Stored.read(folder)
        assert before <= (after or Stored())
        asked_now, trained_now = (
            lines_of(folder, "asked")[asked:],
            lines_of(folder, "trained")[trained:],
        )
        assert not set(asked_now) & before.completions.keys()
        assert len(asked_now) == len(set(asked_now))
        assert not set(trained_now) & before.trainings.keys()
        if ended:
            return
        figures.kills += 1
        figures.with_a_saved_training += (folder / "training.safetensors").exists()
        figures.with_a_half_written_save += (folder / "training.new").exists()
        if after is None:
            figures.before_the_config += 1
            shutil.rmtree(folder, ignore_errors=True)  # it may not exist yet
        lost = [name for name in asked_now if name not in (after or Stored()).completions]
        assert len(lost) <= 1  # the script answers one after the other
        figures.asked_again_from_flight += len(lost)
        (folder.parent / "figures.json").write_text(json.dumps(vars(figures)))
        before = after or Stored()


def same_end(whole: Path, cut: Path) -> None:
    with Store.open(RunDir(whole).database) as a, Store.open(RunDir(cut).database) as b:
        assert comparable(tuple(a.outcomes())) == comparable(tuple(b.outcomes()))
        assert [*map(timeless, a.baselines())] == [*map(timeless, b.baselines())]
        assert any(outcome.more_seeds for outcome in a.outcomes())
        for outcome in a.outcomes():
            where = outcome.candidate.generation, outcome.candidate.index
            assert a.policy(*where) == b.policy(*where)
        assert a.prompts() == b.prompts()
    completions = (f"completions/g{g}c{i}.md" for g in range(2) for i in range(3))
    for file in ("best_reward.py", "policy.safetensors", *completions):
        assert (whole / file).read_bytes() == (cut / file).read_bytes()
    assert not list(cut.glob("training.*"))
