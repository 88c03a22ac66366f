"""Short runs on real physics, and comparisons between them."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from rich.console import Console

import eureka_agent as ea
from eureka_agent.records import Outcome, RewardResult, SeededResult
from eureka_agent.report import run_view
from eureka_agent.runs.directory import RunDir
from eureka_agent.runs.store import Store
from eureka_agent.utils.serialization import to_json

Timed = TypeVar("Timed", bound=RewardResult)


class StoppedError(Exception):
    """Simulates a kill at a chosen moment."""


def config(tmp_path: Path, **changes: object) -> ea.SynthesisConfig:
    base = ea.SynthesisConfig.of(
        task="cartpole",
        budget="quick",
        generations=2,
        samples=3,
        num_envs=8,
        environment_steps=512,
        baselines=False,
        repairs=0,
        seeds=1,
        runs_dir=tmp_path,
        run_name="run",
    )
    return base.replaced(**changes)


def comparable(outcomes: tuple[Outcome, ...]) -> list[str]:
    """Return outcomes without times."""
    return [to_json(timeless(outcome)) for outcome in outcomes]


def timeless(result: Timed) -> Timed:
    """Return a result without the times of its trainings."""
    if result.training is not None:
        result = replace(result, training=replace(result.training, seconds=0.0))
    if isinstance(result, SeededResult):
        result = replace(result, more_seeds=tuple(map(timeless, result.more_seeds)))
    return result


def shown(path: Path) -> str:
    console = Console(width=200, file=io.StringIO(), record=True)
    with Store.open(RunDir(path).database, writable=False) as store:
        console.print(run_view(store))
    return console.export_text()
