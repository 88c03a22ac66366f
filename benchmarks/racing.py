"""Racing against training everyone to the end: does it find the same winner, and for how many environment steps?

For each seed the built-in grammar proposes the rewards of a first generation. They are trained twice with one budget:
all to the end, and in a race. A seed counts as found when the race's best is the full training's best, or when its
fitness lies within the winner's 95 % interval or above (both by the final evaluation on the same start states). The
race pays for the episodes at its rungs; the final evaluation is left out on both sides.
Run with `python -m benchmarks.racing`.
"""

from __future__ import annotations

import statistics
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace

import tyro

from eureka_agent.config import BudgetName, Race
from eureka_agent.jail import Wall
from eureka_agent.prompting import write_prompt
from eureka_agent.proposers.choose import choose_proposer
from eureka_agent.records import Candidate
from eureka_agent.registry import find_task
from eureka_agent.task import Task, TrainingBudget
from eureka_agent.trial import Trial, Trials


@dataclass(frozen=True)
class Result:
    """One generation of one seed, trained in one way."""

    best: int
    fitness: float
    low: float
    steps: float
    """Environment steps, with those of the rungs."""
    to_the_end: int
    seconds: float


def main(
    task: str = "hopper_forward",
    budget: BudgetName = "quick",
    seeds: int = 10,
    first_seed: int = 0,
    samples: int = 8,
    environment_steps: int | None = None,
    quick: bool = False,
) -> None:
    """Measure and print a line a seed, then the sums.

    Args:
        task: Name of the task.
        budget: Training of each reward.
        seeds: Generations to compare.
        first_seed: Seed of the first of them.
        samples: Rewards in a generation.
        environment_steps: Instead of the budget's.
        quick: Two seeds and next to no training: shows that everything runs and measures nothing.
    """
    found = find_task(task)
    training = found.budgets[budget]
    if quick:
        seeds, training = 2, replace(training, environment_steps=20_000, num_envs=32)
    elif environment_steps is not None:
        training = replace(training, environment_steps=environment_steps)
    print(f"{found.name}: {samples} rewards, {training.environment_steps} environment steps each")
    print(f"{'seed':>4}  {'full training':28}  {'race':28}  {'steps':>6}  {'time':>6}  {'regret':>7}  found")
    pairs = []
    with Wall() as wall:
        for seed in range(first_seed, first_seed + seeds):
            full, raced = (_generation(found, training, wall, seed, samples, race) for race in (None, Race()))
            pairs.append((full, raced))
            print(_line(seed, full, raced), flush=True)
    shares = [raced.steps / full.steps for full, raced in pairs]
    times = [full.seconds / raced.seconds for full, raced in pairs]
    wins = sum(_is_found(full, raced) for full, raced in pairs)
    print(f"found in {wins} of {len(pairs)} seeds; steps {100 * statistics.mean(shares):.1f} % of full training's")
    print(f"(from {100 * min(shares):.1f} to {100 * max(shares):.1f} %), {statistics.median(times):.2f} x as fast")


def _generation(task: Task, budget: TrainingBudget, wall: Wall, seed: int, samples: int, race: Race | None) -> Result:
    wish = task.description
    proposer, _ = choose_proposer(task, model=None, wish=wish, base_url=None, seed=seed, temperature=None)
    completions = proposer.propose(write_prompt(task, wish, 0, (), ()), range(samples))
    trials = Trials(task, budget, wall, seed=seed, race=race)
    with ExitStack() as rewards:
        sealed = [trials.seal(Candidate(0, completion, None), rewards) for completion in completions]
        ready = [each for each in sealed if isinstance(each, tuple)]
        started = time.perf_counter()
        names, candidates = [candidate.name for candidate, _ in ready], [candidate for candidate, _ in ready]
        results = trials.train(names, [reward for _, reward in ready], candidates)
        seconds = time.perf_counter() - started
    return _result(results, seconds)


def _result(trials: list[Trial], seconds: float) -> Result:
    """The best is chosen among all, as the search does."""
    known = [(trial.evaluation, k) for k, trial in enumerate(trials) if trial.evaluation is not None]
    evaluation, best = max(known, key=lambda pair: pair[0].fitness)
    records = [trial.result.record for trial in trials if trial.result.record is not None]
    looks = sum(rung.evaluation.episodes * rung.evaluation.episode_length for r in records for rung in r.rungs)
    return Result(
        best=best,
        fitness=evaluation.fitness,
        low=evaluation.fitness_low,
        steps=sum(record.environment_steps for record in records) + looks,
        to_the_end=sum(not record.stopped for record in records),
        seconds=seconds,
    )


def _is_found(full: Result, raced: Result) -> bool:
    return raced.best == full.best or raced.fitness >= full.low


def _line(seed: int, full: Result, raced: Result) -> str:
    def words(result: Result) -> str:
        return f"c{result.best} {result.fitness:7.3f}, {result.to_the_end} to the end"

    share, times = 100 * raced.steps / full.steps, full.seconds / raced.seconds
    numbers = f"{share:5.1f}%  {times:5.2f}x  {full.fitness - raced.fitness:7.3f}"
    return f"{seed:4}  {words(full):28}  {words(raced):28}  {numbers}  {'yes' if _is_found(full, raced) else 'no'}"


if __name__ == "__main__":
    tyro.cli(main)
