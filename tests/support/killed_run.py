"""A run in its own process, for tests that kill it: `killed_run.py FOLDER start|resume`, or `work` in
a fork.

It writes next to its folder the requested samples (`FOLDER.asked`), the trained names
(`FOLDER.trained`) and the events (`FOLDER.events`). It saves its trainings after every iteration,
so that kills also interrupt the saving.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from unittest.mock import patch

import torch
import torch._dynamo  # a run would load it later; so forks have it

import eureka_agent as ea
from eureka_agent.proposers.scripted import ScriptedProposer
from eureka_agent.records import Prompt
from eureka_agent.search.events import Event, TrainingStarted
from eureka_agent.training import Checkpoint, job
from tests.support.rewards import TRACEBACK, upright


def work(folder: Path, how: str) -> None:
    """Start or resume the run in `folder`, in its own session, so that a test finds all processes."""
    os.setsid()
    torch.set_num_threads(1)
    _run(folder, how, lambda name: _note(folder, "events", name))


def _say(name: str) -> None:
    sys.stdout.write(f"{name}\n")
    sys.stdout.flush()


def _run(folder: Path, how: str, say: Callable[[str], None]) -> None:
    def answer(prompt: Prompt, index: int) -> str:
        """Log the requested sample, so that the test can detect repeated requests."""
        _note(folder, "asked", f"g{prompt.generation}c{index}")
        return TRACEBACK if index == 1 else upright(0.1 * (prompt.generation * 3 + index))

    def listen(event: Event) -> None:
        if isinstance(event, TrainingStarted):
            _note(folder, "trained", " ".join(name.replace(" ", "_") for name in event.names))
        say(type(event).__name__)

    proposer = ScriptedProposer(answer)
    with patch.object(job, "Checkpoint", partial(Checkpoint, every_s=0.0)):
        if how == "start":
            ea.synthesize(_config(folder), proposer=proposer, listener=listen)
        else:
            ea.resume(folder, proposer=proposer, listener=listen)


def _config(folder: Path) -> ea.SynthesisConfig:
    return ea.SynthesisConfig.of(
        task="cartpole",
        budget="quick",
        generations=2,
        samples=3,
        repairs=0,
        seeds=3,
        racing=True,
        num_envs=4,
        environment_steps=4096,
        runs_dir=folder.parent,
        run_name=folder.name,
    )


def _note(folder: Path, what: str, line: str) -> None:
    with (folder.parent / f"{folder.name}.{what}").open("a") as log:
        log.write(f"{line}\n")


if __name__ == "__main__":
    _run(Path(sys.argv[1]), sys.argv[2], _say)
