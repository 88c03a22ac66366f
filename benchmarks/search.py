"""Which search strategy is worth its trainings? The built-in grammar, the same number of trainings for each strategy.

For each task and seed every strategy makes a run of its own (`eureka_agent.synthesize`), with equal generations,
samples and budget, so an equal number of trainings. Two figures of each: the best fitness that the search itself saw,
and the best reward's fitness trained anew with other seeds (`--final-seeds`), which is what a user gets. Over the
search seeds: interquartile means with bootstrap intervals, and how often a strategy beat `random` with the same seed.

Runs lie in `--out` and are gone on with when they were stopped; a run that is complete costs nothing.
Run with `python -m benchmarks.search`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import tyro

import eureka_agent as ea
from benchmarks.measure import table
from eureka_agent.config import BudgetName
from eureka_agent.jail import Wall
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
    out: Path = Path("runs/search"),
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
        out: Folder of the runs.
        quick: One task, two seeds, next to no training: shows that everything runs and measures nothing.
    """
    if quick:
        tasks, seeds, generations, samples, final_seeds = tasks[-1:], 2, 2, 2, 1
        environment_steps, out = 2_000, out / "quick"
    with Wall() as wall:
        for task in tasks:
            found: dict[StrategyName, list[dict[str, Any]]] = {name: [] for name in strategies}
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
                        runs_dir=out,
                        run_name=f"{task}-{name}-{seed}",
                    )
                    found[name].append(_summary(config, wall))
            _print(task, found)


def _summary(config: ea.SynthesisConfig, wall: Wall) -> dict[str, Any]:
    """Return a run's summary; make the run, or go on with it, where it has none."""
    path = config.runs_dir / str(config.run_name)
    if not (path / "summary.json").exists():
        if (path / "run.db").exists():
            ea.resume(path, wall=wall)
        else:
            ea.synthesize(config, wall=wall)
    summary: dict[str, Any] = json.loads((path / "summary.json").read_text())
    return summary


def _print(task: str, found: dict[StrategyName, list[dict[str, Any]]]) -> None:
    rows = []
    for name, summaries in found.items():
        seen = [_fitness(summary["best"]) for summary in summaries]
        final = [_fitness((summary["final"] or {}).get("best")) for summary in summaries]
        against = [_fitness((summary["final"] or {}).get("best")) for summary in found.get("random", [])]
        wins = sum(ours > theirs for ours, theirs in zip(final, against, strict=False)) if name != "random" else None
        steps = sum(summary["environment_steps"] for summary in summaries) / len(summaries)
        beat = "" if wins is None or not against else f"{wins} of {len(against)}"
        rows.append((name, _words(seen), _words(final), beat, f"{steps / 1e6:.1f} M"))
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
