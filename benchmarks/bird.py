"""BIRD's protocol on five environments of Gymnasium (safety-research, 2026), next to its figures.

A search has five generations of eight rewards, each trained for 1 M environment steps; the reward
that it chooses is then trained again. What counts is the task's own measure, over at least 30
episodes without exploration:

- HalfCheetah, Hopper, Swimmer: metres forward in 1,000 steps (Hopper: until it falls);
- InvertedPendulum: steps survived / 1,000;
- Reacher: minus the distance between fingertip and target at the end, in metres.

Rows: `native` trains with the environment's own reward by our population PPO, `sb3` by
stable-baselines3's PPO with its defaults (the paper's anchors), `grammar` and `model` search and
train what they chose again. `--steps`, `--generations` and `--samples` make it smaller, and the
table says so. What is done is in `--out` and not done again. Run with `python -m benchmarks.bird`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean
from typing import Any, Literal

import gymnasium
import numpy as np
import tyro

import eureka_agent as ea
from benchmarks.measure import table
from benchmarks.search import fitness_again, interval_text
from eureka_agent.jail import Sandbox
from eureka_agent.search.baselines import copies
from eureka_agent.search.evaluator import Evaluator
from eureka_agent.tasks.registry import find_task
from eureka_agent.training import JobReward
from eureka_agent.training.budgets import budgets_of
from eureka_agent.utils.serialization import from_json, to_json

Row = Literal["native", "sb3", "grammar", "model"]


@dataclass(frozen=True)
class Measured:
    """One of BIRD's tasks."""

    fitness: str
    """`--fitness` of the measure."""
    divisor: float
    unit: str
    random: float
    """The paper's figure for random actions."""
    anchors: tuple[float, ...]
    """The paper's figures for stable-baselines3's PPO, one per seed."""


TASKS: Mapping[str, Measured] = {
    "HalfCheetah-v5": Measured("info:x_position:last", 1.0, "m", -4.58, (91.5, 85.3, 74.3)),
    "Hopper-v5": Measured("info:x_position:last", 1.0, "m", -0.03, (12.3, 13.9, 7.4)),
    "Swimmer-v5": Measured("info:x_position:last", 1.0, "m", 0.39, (1.69, 1.69, 2.13)),
    "InvertedPendulum-v5": Measured("episode_length", 1000.0, "of 1,000 steps", 0.004, (1.0,)),
    "Reacher-v5": Measured("info:reward_dist:last", 1.0, "m", -0.203, (-0.158, -0.133, -0.04)),
}
_EPISODES = 30
_NATIVE_SEED = 77_000


@dataclass(frozen=True)
class Reached:
    """What one row reached on one task."""

    key: str
    values: tuple[float, ...]
    """The task's measure: of each training for `native` and `sb3`, of each search's chosen reward
    (mean over its trainings) for `grammar` and `model`."""


@dataclass(frozen=True)
class Protocol:
    """How much is trained and searched."""

    steps: int = 1_000_000
    """Environment steps of each training."""
    generations: int = 5
    samples: int = 8
    """Rewards in a generation."""
    seeds: int = 5
    """Trainings of `native` and `sb3`."""
    searches: int = 3
    """Searches of `grammar` and `model`."""
    again: int = 3
    """Trainings of each chosen reward."""
    model: str | None = None
    """The model of the row `model`."""
    base_url: str | None = None
    """Its server."""
    runs: Path = Path("runs/bird")
    """Folder of the runs."""

    def key(self, task: str, row: Row) -> str:
        """Return what tells a row's results from others."""
        if row in ("native", "sb3"):
            return f"{task} {row} {self.steps} steps"
        size = f"{self.generations}x{self.samples}+{self.again}"
        return f"{task} {row} {self.steps} steps, {size} {self.model or ''}".rstrip()

    def count(self, row: Row) -> int:
        """Return how many values a row has."""
        return self.seeds if row in ("native", "sb3") else self.searches


_QUICK = Protocol(4_096, 1, 2, 2, 1, 2, runs=Path("runs/bird/quick"))


def main(
    tasks: tuple[str, ...] = tuple(TASKS),
    rows: tuple[Row, ...] = ("native", "grammar"),
    protocol: Protocol = Protocol(),
    out: Path = Path("bird.jsonl"),
    quick: bool = False,
) -> None:
    """Do what is missing and print one table.

    Args:
        tasks: Names of the environments.
        rows: What is measured.
        protocol: How much is trained and searched.
        out: File of results to continue.
        quick: One task, hardly any training: only shows that it runs.
    """
    if quick:
        tasks, protocol, out = ("InvertedPendulum-v5",), _QUICK, _QUICK.runs / "reached.jsonl"
    lines = out.read_text().splitlines() if out.exists() else []
    known = {one.key: one for one in (from_json(Reached, line) for line in lines)}
    with Sandbox() as sandbox:
        for task in tasks:
            for row in rows:
                key = protocol.key(task, row)
                values = known[key].values if key in known else ()
                while len(values) < protocol.count(row):
                    values = (*values, *_more(protocol, task, row, len(values), sandbox))
                    known[key] = Reached(key, values)
                    out.parent.mkdir(parents=True, exist_ok=True)
                    out.write_text("".join(to_json(one) + "\n" for one in known.values()))
    _print(tasks, rows, protocol, known)


def _print(
    tasks: Sequence[str], rows: Sequence[Row], protocol: Protocol, known: Mapping[str, Reached]
) -> None:
    shown: list[tuple[str, ...]] = []
    for task in tasks:
        measured = TASKS[task]
        anchors = ", ".join(f"{value:g}" for value in measured.anchors)
        shown.append((task, measured.unit, "the paper's PPO", anchors, f"{measured.random:g}"))
        for row in rows:
            count = protocol.count(row)
            kind = "seeds" if row in ("native", "sb3") else "searches"
            reached = interval_text(known[protocol.key(task, row)].values[:count])
            shown.append(("", "", f"{row}, {count} {kind}", reached, ""))
    size = f"{protocol.generations} x {protocol.samples} rewards"
    table(
        f"{protocol.steps:,} steps, {size}: interquartile means (95 % interval)",
        ("environment", "unit", "", "reached", "random actions"),
        shown,
    )


def _more(
    protocol: Protocol, task: str, row: Row, done: int, sandbox: Sandbox
) -> tuple[float, ...]:
    """Return further values of a row of which `done` are known."""
    if row == "sb3":
        values = [sb3_value(task, protocol.steps, done)]
    elif row == "native":
        values = _native_values(protocol, task, done, sandbox)
    else:
        values = [_search_value(protocol, task, row, done, sandbox)]
    return tuple(value / TASKS[task].divisor for value in values)


def _id(task: str) -> str:
    """Return the task by its id, with the measure as fitness."""
    return f'gym:{task} {{"fitness": "{TASKS[task].fitness}"}}'


def _native_values(protocol: Protocol, name: str, done: int, sandbox: Sandbox) -> list[float]:
    """Train with the environment's own reward, all seeds at once; return what policies reach."""
    task = find_task(_id(name))
    budget = replace(
        budgets_of(task)["normal"],
        environment_steps=protocol.steps,
        evaluation_episodes=_EPISODES,
    )
    evaluator = Evaluator(task, budget, sandbox, seed=_NATIVE_SEED + done)
    draws = protocol.seeds - done
    endings = [f" seed {number + 1}" for number in range(draws)]
    rewards = copies([JobReward("native", None, built_in="own")], endings)
    trained = evaluator.train(rewards, draws=draws)
    return [each.evaluation.fitness if each.evaluation else 0.0 for each in trained]


def _search_value(protocol: Protocol, task: str, row: Row, number: int, sandbox: Sandbox) -> float:
    """Search, train the chosen reward again, and return the mean of what its policies reach."""
    by_model = row == "model" and protocol.model is not None
    name = re.sub(r"\W+", "-", f"{protocol.key(task, row)} {number}")
    config = ea.SynthesisConfig.of(
        _id(task),
        generations=protocol.generations,
        samples=protocol.samples,
        budget="normal",
        environment_steps=protocol.steps,
        baselines=False,
        seed=number,
        model=(str(protocol.model),) if by_model else (),
        base_url=protocol.base_url if by_model else None,
        runs_dir=protocol.runs,
        run_name=name,
    )
    path = protocol.runs / name
    exists = (path / "run.db").exists()
    result = ea.resume(path, sandbox=sandbox) if exists else ea.synthesize(config, sandbox=sandbox)
    if result.reward is None:
        return TASKS[task].random * TASKS[task].divisor  # a search that found nothing
    return mean(fitness_again(config, result.reward, sandbox, trainings=protocol.again))


def sb3_value(task: str, steps: int, seed: int) -> float:
    """Train stable-baselines3's PPO with its defaults and return what its policy reaches.

    Args:
        task: The environment's id.
        steps: Environment steps.
        seed: Seed of the training.
    """
    from stable_baselines3 import PPO  # noqa: PLC0415 - an extra

    model = PPO("MlpPolicy", task, seed=seed, device="cpu")
    model.learn(steps)
    env = gymnasium.make(task)
    values = [_episode(env, model, 10_000 + episode, task) for episode in range(_EPISODES)]
    env.close()
    return mean(values)


def _episode(env: gymnasium.Env[Any, Any], model: Any, seed: int, task: str) -> float:
    observation, info = env.reset(seed=seed)
    length, done = 0, False
    while not done:
        action, _ = model.predict(np.asarray(observation), deterministic=True)
        observation, _, terminated, truncated, info = env.step(action)
        length, done = length + 1, terminated or truncated
    fitness = TASKS[task].fitness
    if fitness == "episode_length":
        return float(length)
    return float(info[fitness.split(":")[1]])


if __name__ == "__main__":
    tyro.cli(main)
