"""Compare racing with training all candidates to the end: the winner and the environment steps.

For each seed the built-in grammar proposes the rewards of a first generation, and all of them are
trained to the end. Candidates do not influence each other, so any race among them can be replayed
from that (`race_records`; a test runs such a race and compares). A seed counts as found if the best
candidate that the race trains to the end is the full training's best, or if its fitness is at least
the lower end of the winner's 95 % interval. The final evaluation is left out on both sides.

That interval is over the episodes of one policy only. With `--retrained 5`, if the race has another
winner, both are trained again with that many other seeds, to see whether the winner was the better
reward or only had the luckier training.

Trainings are written to `--out` when they end (compressed if its name ends in .gz) and are not run
again; those behind docs/performance.md are in `benchmarks/data`. `--sweep` replays many races, to
choose settings on some seeds (`--first-seed`) and test them on others.
Run with `python -m benchmarks.racing`.
"""

from __future__ import annotations

import gzip
import itertools
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal, TextIO, cast

import tyro

from benchmarks.measure import table
from benchmarks.race_records import Record, found, record, replay, train_again
from eureka_agent.config import BudgetName, Race, TrainingBudget
from eureka_agent.jail import Sandbox
from eureka_agent.tasks.registry import find_task
from eureka_agent.tasks.task import Task
from eureka_agent.training.budgets import budgets_of
from eureka_agent.utils.serialization import from_json, to_json

_OTHER_SEEDS = 1_000
"""First seed of the further trainings."""


def main(
    task: str = "hopper_forward",
    budget: BudgetName = "quick",
    seeds: int = 10,
    first_seed: int = 0,
    samples: int = 8,
    environment_steps: int | None = None,
    out: Path | None = Path("racing.jsonl"),
    chance: bool = True,
    sweep: bool = False,
    retrained: int = 0,
    quick: bool = False,
) -> None:
    """Train, replay the default race and print a line per seed.

    Args:
        task: Name of the task.
        budget: Training of each reward.
        seeds: Generations to compare.
        first_seed: Seed of the first of them.
        samples: Rewards in a generation.
        environment_steps: Steps of each training, in place of the budget's.
        out: File of trainings to continue; None keeps nothing.
        chance: Keep candidates that are not significantly worse (95 %), as by default.
        sweep: Replay a grid of other races, too.
        retrained: Number of trainings with other seeds of both winners, if they differ.
        quick: Two seeds and hardly any training, nothing kept: only shows that it runs.
    """
    race_task = find_task(task)
    training = budgets_of(race_task)[budget]
    if quick:
        seeds, retrained, out, training = (
            2,
            1,
            None,
            replace(training, environment_steps=40_000, num_envs=32),
        )
    elif environment_steps is not None:
        training = replace(training, environment_steps=environment_steps)
    records = list(
        _records(race_task, training, range(first_seed, first_seed + seeds), samples, out)
    )
    race = Race(keep_ties=chance)
    _print_seeds(records, race)
    if retrained:
        _print_trained_again(records, race, race_task, retrained)
    if sweep:
        _print_sweep(records)


def _records(
    task: Task, budget: TrainingBudget, seeds: Sequence[int], samples: int, out: Path | None
) -> Iterator[Record]:
    lines = _opened(out, "rt").read().splitlines() if out is not None and out.exists() else []
    known = {
        (r.task, r.seed, r.samples, r.budget): r
        for r in (from_json(Record, line) for line in lines)
    }
    with Sandbox() as sandbox:
        for seed in seeds:
            one = known.get((task.name, seed, samples, budget))
            if one is None:
                one = record(task, budget, sandbox, seed, samples)
                if out is not None:
                    with _opened(out, "at") as file:
                        file.write(to_json(one) + "\n")
            yield one


def _opened(path: Path, mode: Literal["rt", "at"]) -> TextIO:
    return cast(TextIO, gzip.open(path, mode)) if path.suffix == ".gz" else path.open(mode)


def _print_seeds(records: Sequence[Record], race: Race) -> None:
    rows, wins, shares = [], 0, []
    best, theirs = 0.0, 0.0
    for one in records:
        full, raced = replay(one, None), replay(one, race)
        wins += found(full, raced)
        best, theirs = best + full.evaluation.fitness, theirs + raced.evaluation.fitness
        shares.append(raced.steps / full.steps)
        interval = f"{full.evaluation.fitness_low:.3f} to {full.evaluation.fitness_high:.3f}"
        regret = f"{full.evaluation.fitness - raced.evaluation.fitness:.3f}"
        names = (
            full.best,
            f"{full.evaluation.fitness:.3f}",
            interval,
            raced.best,
            f"{raced.evaluation.fitness:.3f}",
        )
        ends = (
            str(raced.to_the_end),
            f"{shares[-1]:.1%}",
            regret,
            "yes" if found(full, raced) else "no",
        )
        rows.append((str(one.seed), *names, *ends))
    first = records[0]
    steps = first.budget.environment_steps
    table(
        f"{first.task}: {first.samples} rewards, {steps} environment steps each; {_describe(race)}",
        (
            "seed",
            "winner",
            "fitness",
            "95 %",
            "race's",
            "fitness",
            "to the end",
            "steps",
            "regret",
            "found",
        ),
        rows,
    )
    cost = f"{statistics.mean(shares):.1%} of the steps (at most {max(shares):.1%})"
    worth = f"the races' winners have {theirs / best:.1%} of the best fitness"
    print(f"found in {wins} of {len(rows)} seeds for {cost}; {worth}", flush=True)


def _print_trained_again(records: Sequence[Record], race: Race, task: Task, trainings: int) -> None:
    """Print one line for each seed whose winner the race did not find."""
    rows = []
    with Sandbox() as sandbox:
        for one in records:
            full, raced = replay(one, None), replay(one, race)
            if found(full, raced):
                continue
            names = [each.name for each in one.candidates if each.name in (full.best, raced.best)]
            runs = [
                train_again(one, task, sandbox, names, _OTHER_SEEDS + seed)
                for seed in range(trainings)
            ]
            of = {name: [run[k] for run in runs] for k, name in enumerate(names)}
            rows.append((str(one.seed), _spread(of[full.best]), _spread(of[raced.best])))
    table(
        f"fitness of {trainings} other trainings: mean, worst and best",
        ("seed", "winner's", "race's"),
        rows,
    )


def _spread(values: Sequence[float]) -> str:
    return f"{statistics.mean(values):.3f} ({min(values):.3f} to {max(values):.3f})"


def _print_sweep(records: Sequence[Record]) -> None:
    """Print one line per race, the best first."""
    lines = []
    for race in _grid():
        pairs = [(replay(one, None), replay(one, race)) for one in records]
        share = statistics.mean(raced.steps / full.steps for full, raced in pairs)
        regret = statistics.mean(
            full.evaluation.fitness - raced.evaluation.fitness for full, raced in pairs
        )
        wins = sum(found(full, raced) for full, raced in pairs)
        lines.append(
            (-wins, regret, share, (_describe(race), f"{wins}", f"{share:.1%}", f"{regret:.3f}"))
        )
    table(
        "other races",
        ("", "found", "steps", "mean regret"),
        [line[-1] for line in sorted(lines)[:40]],
    )


def _grid() -> Iterator[Race]:
    keeps = (
        (0.5, 0.375, 0.25),
        (0.5, 0.25, 0.25),
        (0.5, 0.25, 0.125),
        (0.625, 0.375, 0.25),
        (0.375, 0.25, 0.125),
    )
    shares = (
        (0.03, 0.04, 0.05, 0.075, 0.1),
        (0.1, 0.125, 0.15, 0.175, 0.2),
        (0.2, 0.225, 0.25, 0.3, 0.4),
    )
    for chance, keep, rungs in itertools.product((True, False), keeps, itertools.product(*shares)):
        if rungs[0] < rungs[1] < rungs[2]:
            yield Race(rungs, keep, keep_ties=chance)


def _describe(race: Race) -> str:
    rungs, keep = (
        " ".join(f"{share:.3g}" for share in shares) for shares in (race.rungs, race.keep)
    )
    return f"rungs {rungs}; keep {keep}{'' if race.keep_ties else '; significance ignored'}"


if __name__ == "__main__":
    tyro.cli(main)
