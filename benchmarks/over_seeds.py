"""Compare a search that trains promising rewards with several seeds with one that trains all once.

Both spend about the same number of trainings: with `--seeds N` there are fewer samples. For each
task and search seed each makes its own run with the grammar; then its best reward is trained with
fresh seeds. The figures, over the searches:

- fresh: mean fitness of the best reward over the fresh seeds, which is what a user gets;
- the paired difference between the two searches in it, with an interval;
- announced / fresh: the fitness that the search announced, as a multiple of that.

The result of each search goes to `--out` when it ends and is not searched again; an interrupted
search continues from its run in `--runs`. Run with `python -m benchmarks.over_seeds`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

import tyro

import eureka_agent as ea
from benchmarks.measure import table
from benchmarks.search import fitness_again, interval_text
from eureka_agent.config import BudgetName
from eureka_agent.jail import Sandbox
from eureka_agent.utils.serialization import from_json, to_json


@dataclass(frozen=True)
class Found:
    """The result of one search."""

    key: str
    """Task, search seed, and the size of the search."""
    announced: float
    fresh: tuple[float, ...]
    """Fitness of the best reward with fresh seeds."""
    environment_steps: int
    """Of the search, without the fresh trainings."""


def main(
    tasks: tuple[str, ...] = ("hopper_forward", "ball_balance", "ant_forward"),
    searches: int = 10,
    generations: int = 3,
    samples: tuple[int, int] = (12, 6),
    seeds: int = 4,
    budget: BudgetName = "quick",
    environment_steps: int | None = None,
    fresh: int = 5,
    out: Path = Path("over_seeds.jsonl"),
    runs: Path = Path("runs/over_seeds"),
    quick: bool = False,
) -> None:
    """Run what is missing and print one table per task.

    Args:
        tasks: Names of the tasks.
        searches: Searches of each kind.
        generations: Generations of each search.
        samples: Rewards in a generation: with one seed, and with several.
        seeds: Most seeds of a reward in the second kind.
        budget: Training of each reward.
        environment_steps: Steps of each training, in place of the budget's.
        fresh: Trainings of each search's best reward with fresh seeds.
        out: File of results to continue.
        runs: Folder of the runs.
        quick: One task, two searches, hardly any training: only shows that it runs.
    """
    if quick:
        tasks, searches, generations, samples, fresh = ("cartpole",), 2, 1, (4, 2), 2
        environment_steps, runs = 2_000, runs / "quick"
        out = runs / "found.jsonl"
    lines = out.read_text().splitlines() if out.exists() else []
    known = {one.key: one for one in (from_json(Found, line) for line in lines)}
    with Sandbox() as sandbox:
        for task in tasks:
            found: dict[int, list[Found]] = {1: [], seeds: []}
            for seed in range(searches):
                for number, count in zip((1, seeds), samples, strict=True):
                    config = ea.SynthesisConfig.of(
                        task,
                        generations=generations,
                        samples=count,
                        seeds=number,
                        budget=budget,
                        environment_steps=environment_steps,
                        baselines=False,
                        seed=seed,
                        runs_dir=runs,
                    )
                    key = f"{task} seeds {number} search {seed}: {generations}x{count}+{fresh}"
                    one = known.get(key) or _search(config, key, fresh, sandbox)
                    if key not in known:
                        out.parent.mkdir(parents=True, exist_ok=True)
                        with out.open("a") as file:
                            file.write(to_json(one) + "\n")
                    found[number].append(one)
            _print(task, found)


def _search(config: ea.SynthesisConfig, key: str, fresh: int, sandbox: Sandbox) -> Found:
    """Start or resume the run, and train its best reward with fresh seeds."""
    config = config.replaced(run_name=re.sub(r"\W+", "-", key))
    path = config.run.runs_dir / str(config.run.run_name)
    exists = (path / "run.db").exists()
    result = ea.resume(path, sandbox=sandbox) if exists else ea.synthesize(config, sandbox=sandbox)
    if result.best is None or result.reward is None:
        return Found(key, 0.0, (0.0,), 0)  # a search that found nothing counts as 0
    originals = [each for each in result.outcomes if each.duplicate_of is None]
    return Found(
        key,
        result.expected.value if result.expected else result.best.fitness,
        tuple(fitness_again(config, result.reward, sandbox, trainings=fresh)),
        sum(each.environment_steps for each in originals),
    )


def _print(task: str, found: dict[int, list[Found]]) -> None:
    single, several = found.values()
    rows = []
    for number, all_searches in found.items():
        ratios = [one.announced / max(mean(one.fresh), 1e-9) for one in all_searches]
        steps = mean(one.environment_steps for one in all_searches) / 1e6
        rows.append(
            (
                f"{number} seed{'s' if number > 1 else ''}",
                interval_text([one.announced for one in all_searches]),
                interval_text([mean(one.fresh) for one in all_searches]),
                interval_text(ratios),
                f"{steps:.1f} M",
            )
        )
    titles = ("", "announced", "fresh", "announced / fresh", "steps")
    table(f"{task}: interquartile means over {len(single)} searches (95 % interval)", titles, rows)
    pairs = zip(several, single, strict=True)
    more = [mean(ours.fresh) - mean(theirs.fresh) for ours, theirs in pairs]
    wins = sum(each > 0 for each in more)
    table(
        "paired difference of fresh, several seeds less one",
        ("difference", "won"),
        [(interval_text(more, sign="+"), f"{wins} of {len(more)}")],
    )


if __name__ == "__main__":
    tyro.cli(main)
