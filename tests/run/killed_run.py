"""A run in a process of its own, for a test that kills it: `killed_run.py FOLDER start|resume`."""

from __future__ import annotations

import sys
from pathlib import Path

import eureka_agent as ea
from eureka_agent.events import Event
from eureka_agent.proposers.scripted import ScriptedProposer
from eureka_agent.records import Prompt
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


def answer(prompt: Prompt, index: int) -> str:
    """Say who was asked, so that the test can see that nobody was asked twice."""
    with (FOLDER.parent / f"{FOLDER.name}.asked").open("a") as log:
        log.write(f"g{prompt.generation}c{index}\n")
    return TRACEBACK if index == 1 else upright(0.1 * (prompt.generation * 3 + index))


def say(event: Event) -> None:
    """Tell the test where the run is."""
    sys.stdout.write(f"{type(event).__name__}\n")
    sys.stdout.flush()


proposer = ScriptedProposer(answer)
if sys.argv[2] == "start":
    ea.synthesize(CONFIG, proposer=proposer, listener=say)
else:
    ea.resume(FOLDER, proposer=proposer, listener=say)
