"""Which search strategy is worth its trainings? The built-in grammar, the same number of trainings for each strategy.

For each task and seed every strategy makes a run of its own (`eureka_agent.synthesize`), with equal generations,
samples and budget, so an equal number of trainings. Two figures of each: the best fitness that the search itself saw,
and the best reward's fitness trained anew with other seeds (`--final-seeds`), which is what a user gets. Over the
search seeds: interquartile means with bootstrap intervals, and how often a strategy beat `random` with the same seed.

What each search found goes to `--out` as it ends and is not searched again; a search that was stopped goes on from its
run in `--runs`. The figures of docs/search.md come from `benchmarks/data/search.jsonl`.
Run with `python -m benchmarks.search`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

import tyro

import eureka_agent as ea
from benchmarks.measure import table
from eureka_agent.config import BudgetName
from eureka_agent.jail import Wall
from eureka_agent.registry import find_task
from eureka_agent.serial import from_json, to_json
from eureka_agent.statistics import interquartile_mean
from eureka_agent.strategies import StrategyName

EVERY: tuple[StrategyName, ...] = get_args(StrategyName)


def main(
    tasks: tuple[str, ...] = ("hopper_forward", "cartpole", "ball_balance"),
    strategies: tuple[StrategyName, ...] = EVERY,
    seeds: int = 10,
    generations: int = 4,
    samples: int = 8,
    budget: BudgetName = "quick",
    environment_steps: int | None = None,
    final_seeds: int = 2,
    out: Path = Path("search.jsonl"),
    runs: Path = Path("runs/search"),
    quick: bool = False,
) -> None:
    """Run what is missing and print one table a task.

    Args:
        tasks: Names of the tasks.
        strategies: Strategies to compare.
        seeds: Searches of each strategy.
        generations: Generations of each search; restarts come in the middle.
        samples: Rewards in a generation.
        budget: Training of each reward.
        environment_steps: Instead of the budget's.
        final_seeds: Trainings of each search's best reward with other seeds.
        out: File of what was found, to add to and to go on from.
        runs: Folder of the runs.
        quick: One task, two seeds, next to no training: shows that everything runs and measures nothing.
    """
    if quick:
        tasks, seeds, generations, samples, final_seeds = tasks[-1:], 2, 2, 2, 1
        environment_steps, runs = 2_000, runs / "quick"
        out = runs / "found.jsonl"
    known = _known(out)
    with Wall() as wall:
        for task in tasks:
            found: dict[str, list[Found]] = {name: [] for name in strategies}
            for seed in range(seeds):
                for name in strategies:
                    config = ea.SynthesisConfig(
                        task=task,
                        strategy=name,
                        restart_every=max(1, generations // 2),
                        generations=generations,
                        samples=samples,
                        budget=budget,
                        environment_steps=environment_steps,
                        num_envs=16 if quick else None,
                        final_seeds=final_seeds,
                        baselines=False,
                        seed=seed,
                        runs_dir=runs,
                    )
                    one = known.get(_key(config)) or _search(config, wall)
                    if _key(config) not in known:
                        out.parent.mkdir(parents=True, exist_ok=True)
                        with out.open("a") as file:
                            file.write(to_json(one) + "\n")
                    found[name].append(one)
            _print(task, found)


@dataclass(frozen=True)
class Found:
    """What one search came to."""

    key: str
    """Everything that it was asked for."""
    seen: float
    """The best fitness in the search."""
    anew: float
    """Of the best reward, trained anew with other seeds."""
    environment_steps: int


def _known(out: Path) -> dict[str, Found]:
    lines = out.read_text().splitlines() if out.exists() else []
    return {one.key: one for one in (from_json(Found, line) for line in lines)}


def _key(config: ea.SynthesisConfig) -> str:
    budget = config.training_budget(find_task(config.task))
    size = f"{config.generations}x{config.samples}+{config.final_seeds}"
    return f"{config.task} {config.strategy} {config.seed}: {size}, {budget.environment_steps} x {budget.num_envs}"


def _search(config: ea.SynthesisConfig, wall: Wall) -> Found:
    """Make the run, or go on with it."""
    config = replace(config, run_name=re.sub(r"\W+", "-", _key(config)))
    path = config.runs_dir / str(config.run_name)
    if not (path / "summary.json").exists():
        if (path / "run.db").exists():
            ea.resume(path, wall=wall)
        else:
            ea.synthesize(config, wall=wall)
    summary: dict[str, Any] = json.loads((path / "summary.json").read_text())
    anew = _fitness((summary["final"] or {}).get("best"))
    return Found(_key(config), _fitness(summary["best"]), anew, summary["environment_steps"])


def _print(task: str, found: dict[str, list[Found]]) -> None:
    rows = []
    against = [one.anew for one in found.get("random", [])]
    for name, searches in found.items():
        anew = [one.anew for one in searches]
        wins = sum(ours > theirs for ours, theirs in zip(anew, against, strict=False))
        beat = f"{wins} of {len(against)}" if against and name != "random" else ""
        steps = sum(one.environment_steps for one in searches) / len(searches)
        rows.append((name, _words([one.seen for one in searches]), _words(anew), beat, f"{steps / 1e6:.1f} M"))
    title = f"{task}: interquartile mean over {len(next(iter(found.values())))} searches (95 % interval)"
    table(title, ("", "best in the search", "trained anew", "better than random", "steps a search"), rows)


def _fitness(evaluation: dict[str, Any] | None) -> float:
    """A search without a best reward is worth nothing."""
    return float(evaluation["fitness"]) if evaluation and evaluation["fitness"] is not None else 0.0


def _words(values: Sequence[float]) -> str:
    score = interquartile_mean([list(values)])
    return f"{score.value:.3f} ({score.low:.3f} to {score.high:.3f})"


if __name__ == "__main__":
    tyro.cli(main)
