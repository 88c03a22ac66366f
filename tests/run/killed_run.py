"""A run in a process of its own, for a test that kills it: `killed_run.py FOLDER start|resume`.

It writes beside its folder who was asked (`FOLDER.asked`) and what was trained (`FOLDER.trained`), and it saves its
trainings after every iteration, so that kills fall into the saving, too.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from unittest.mock import patch

import eureka_agent as ea
from eureka_agent import trial
from eureka_agent.events import Event, TrainingStarted
from eureka_agent.proposers.scripted import ScriptedProposer
from eureka_agent.records import Prompt
from eureka_agent.trainer import Checkpoint
from tests.support.rewards import TRACEBACK, upright

FOLDER = Path(sys.argv[1])
CONFIG = ea.SynthesisConfig(
    task="cartpole",
    budget="quick",
    generations=2,
    samples=3,
    num_envs=16,
    environment_steps=4096,
    runs_dir=FOLDER.parent,
    run_name=FOLDER.name,
)


def note(what: str, names: str) -> None:
    with (FOLDER.parent / f"{FOLDER.name}.{what}").open("a") as log:
        log.write(f"{names}\n")


def answer(prompt: Prompt, index: int) -> str:
    """Say who was asked, so that the test can see that nobody was asked twice."""
    note("asked", f"g{prompt.generation}c{index}")
    return TRACEBACK if index == 1 else upright(0.1 * (prompt.generation * 3 + index))


def say(event: Event) -> None:
    """Tell the test where the run is."""
    if isinstance(event, TrainingStarted):
        note("trained", " ".join(name.replace(" ", "_") for name in event.names))
    sys.stdout.write(f"{type(event).__name__}\n")
    sys.stdout.flush()


proposer = ScriptedProposer(answer)
with patch.object(trial, "Checkpoint", partial(Checkpoint, every_s=0.0)):
    if sys.argv[2] == "start":
        ea.synthesize(CONFIG, proposer=proposer, listener=say)
    else:
        ea.resume(FOLDER, proposer=proposer, listener=say)
