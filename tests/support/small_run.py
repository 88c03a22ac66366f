"""A small real run with all that a report shows: failures, a duplicate, feedback, final seeds."""

from __future__ import annotations

from pathlib import Path

import eureka_agent as ea
from eureka_agent.jail import Sandbox
from eureka_agent.proposers.scripted import ScriptedProposer
from eureka_agent.records import Feedback
from eureka_agent.search import FeedbackRequest
from tests.support.rewards import NO_CODE, upright
from tests.support.runs import config

PLAN = "Keep the pole upright. The cart may move."
COMMENT = "It drifts to the left."
SCRIPT = [
    [f"{PLAN}\n\n{upright(0.1)}", NO_CODE, upright(0.2)],
    [upright(0.3), upright(0.1), upright(0.4)],
]
"""Sample 1 of generation 1 computes the same as sample 0 of generation 0."""


def comment_on_the_first(request: FeedbackRequest) -> Feedback:
    """Say something about a generation's first candidate; rank nothing."""
    return Feedback(request.generation, words={f"g{request.generation}c0": COMMENT})


def small_run(folder: Path, sandbox: Sandbox, **changes: object) -> Path:
    """Do the run in a new folder, with real trainings of two thousand steps; return its path."""
    settings = config(
        folder,
        baselines=True,
        final_seeds=1,
        seeds=2,
        initial_reward="human",
        environment_steps=2048,
    )
    ea.synthesize(
        settings.replaced(**changes),
        proposer=ScriptedProposer(SCRIPT),
        judge=comment_on_the_first,
        sandbox=sandbox,
    )
    return folder / "run"
