"""Compare the search strategies with the built-in grammar and the same number of trainings.

For each task and seed every strategy makes its own run (`eureka_agent.synthesize`) with equal
generations, samples and budget, so with an equal number of trainings. Each has two figures: the
best fitness in the search itself, and the mean of `--retrained` trainings of the best reward with
other seeds, which is what a user gets. Over the search seeds: interquartile means with bootstrap
intervals, also of the difference to `random` with the same seed.

The result of each search goes to `--out` when it ends and is not searched again; an interrupted
search continues from its run in `--runs`. Run with `python -m benchmarks.search`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

import tyro

import eureka_agent as ea
from benchmarks.measure import table
from eureka_agent.config import BudgetName
from eureka_agent.jail import Sandbox
from eureka_agent.search.baselines import copies
from eureka_agent.search.evaluator import Evaluator
from eureka_agent.search.statistics import interquartile_mean
from eureka_agent.tasks.registry import find_task
from eureka_agent.training.budgets import training_budget
from eureka_agent.training.job import JobReward
from eureka_agent.utils.serialization import from_json, to_json

EVERY = ("greedy", "restarts", "islands", "random")
_OTHER_SEEDS = 1_000
"""Further trainings of a search have seeds from its seed times this on; no search uses these."""


def main(
    tasks: tuple[str, ...] = ("hopper_forward", "cartpole", "ball_balance"),
    strategies: tuple[str, ...] = EVERY,
    seeds: int = 10,
    generations: int = 4,
    samples: int = 5,
    training_seeds: int = 1,
    budget: BudgetName = "quick",
    environment_steps: int | None = None,
    retrained: int = 3,
    out: Path = Path("search.jsonl"),
    runs: Path = Path("runs/search"),
    quick: bool = False,
) -> None:
    """Run what is missing and print one table per task.

    Args:
        tasks: Names of the tasks.
        strategies: Strategies to compare.
        seeds: Searches of each strategy.
        generations: Generations of each search; the restart is in the middle.
        samples: Rewards in a generation.
        training_seeds: Most training seeds of a reward.
        budget: Training of each reward.
        environment_steps: Steps of each training, in place of the budget's.
        retrained: Number of trainings of each search's best reward with other seeds.
        out: File of results to continue.
        runs: Folder of the runs.
        quick: One task, two seeds, hardly any training: only shows that it runs.
    """
    if quick:
        tasks, seeds, generations, samples, retrained = tasks[-1:], 2, 2, 2, 1
        environment_steps, runs = 2_000, runs / "quick"
        out = runs / "found.jsonl"
    known = _known(out)
    with Sandbox() as sandbox:
        for task in tasks:
            found: dict[str, list[Found]] = {name: [] for name in strategies}
            for seed in range(seeds):
                for name in strategies:
                    config = ea.SynthesisConfig.of(
                        task=task,
                        strategy=_with_number(name, generations),
                        generations=generations,
                        samples=samples,
                        seeds=training_seeds,
                        budget=budget,
                        environment_steps=environment_steps,
                        num_envs=16 if quick else None,
                        baselines=False,
                        seed=seed,
                        runs_dir=runs,
                    )
                    key = _key(config, retrained)
                    one = known.get(key) or _search(config, key, retrained, sandbox)
                    if key not in known:
                        out.parent.mkdir(parents=True, exist_ok=True)
                        with out.open("a") as file:
                            file.write(to_json(one) + "\n")
                    found[name].append(one)
            _print(task, found)


@dataclass(frozen=True)
class Found:
    """The result of one search."""

    key: str
    """All of its settings."""
    seen: float
    """The fitness that the search announces for its best reward."""
    retrained: float
    """Mean of the best reward's trainings with other seeds."""
    environment_steps: int
    """Of the search."""


def _known(out: Path) -> dict[str, Found]:
    lines = out.read_text().splitlines() if out.exists() else []
    return {one.key: one for one in (from_json(Found, line) for line in lines)}


def _with_number(strategy: str, generations: int) -> str:
    """Return the strategy with one restart, in the middle, if it takes restarts."""
    return f"restarts:{max(1, generations // 2)}" if strategy == "restarts" else strategy


def _key(config: ea.SynthesisConfig, retrained: int) -> str:
    budget = training_budget(config, find_task(config.task.task))
    size = f"{config.search.generations}x{config.search.samples}+{retrained}"
    seeds = f", {config.search.seeds} seeds" if config.search.seeds > 1 else ""
    return (
        f"{config.task.task} {config.search.strategy} {config.search.seed}: {size},"
        f" {budget.environment_steps} x {budget.num_envs}{seeds}"
    )


def _search(config: ea.SynthesisConfig, key: str, retrained: int, sandbox: Sandbox) -> Found:
    """Start or resume the run, and train its best reward with other seeds."""
    config = config.replaced(run_name=re.sub(r"\W+", "-", key))
    path = config.run.runs_dir / str(config.run.run_name)
    result = (
        ea.resume(path, sandbox=sandbox)
        if (path / "run.db").exists()
        else ea.synthesize(config, sandbox=sandbox)
    )
    if result.best is None or result.reward is None:
        return Found(key, 0.0, 0.0, 0)  # a search that found nothing counts as 0
    steps = sum(each.environment_steps for each in result.outcomes if not each.duplicate_of)
    again = fitness_again(config, result.reward, sandbox, trainings=retrained)
    seen = result.expected.value if result.expected else result.best.fitness
    return Found(key, seen, mean(again), steps)


def fitness_again(
    config: ea.SynthesisConfig, reward: ea.RewardFunction, sandbox: Sandbox, *, trainings: int
) -> list[float]:
    """Return the fitness after other trainings of a search's reward; 0 if a training fails.

    They are one population and draw from a seed that no search uses.
    """
    seed = _OTHER_SEEDS * (config.search.seed + 1)
    evaluator = Evaluator(reward.task, training_budget(config, reward.task), sandbox, seed=seed)
    endings = [f" seed {number + 1}" for number in range(trainings)]
    rewards = copies([JobReward("best", reward.reward)], endings)
    trained = evaluator.train(rewards, draws=trainings)
    return [each.evaluation.fitness if each.evaluation else 0.0 for each in trained]


def _print(task: str, found: dict[str, list[Found]]) -> None:
    rows = []
    against = [one.retrained for one in found.get("random", [])]
    for name, all_seeds in found.items():
        retrained = [one.retrained for one in all_seeds]
        more = (
            [ours - theirs for ours, theirs in zip(retrained, against, strict=False)]
            if name != "random"
            else []
        )
        wins, losses = sum(each > 0 for each in more), sum(each < 0 for each in more)
        beat = (interval_text(more, sign="+"), f"{wins} : {losses}") if more else ("", "")
        rows.append(
            (
                name,
                interval_text([one.seen for one in all_seeds]),
                interval_text(retrained),
                *beat,
            )
        )
    steps = mean(one.environment_steps for all_seeds in found.values() for one in all_seeds)
    searches = len(next(iter(found.values())))
    title = (
        f"{task}: interquartile means over {searches} searches (95 % interval), {steps / 1e6:.1f} M"
        " steps each"
    )
    table(
        title,
        ("", "best in the search", "trained again", "difference to random", "won : lost"),
        rows,
    )


def interval_text(values: Sequence[float], *, sign: str = "") -> str:
    """Return the interquartile mean of values with its interval."""
    score = interquartile_mean([list(values)])
    return f"{score.value:{sign}.3f} ({score.low:{sign}.3f} to {score.high:{sign}.3f})"


if __name__ == "__main__":
    tyro.cli(main)
