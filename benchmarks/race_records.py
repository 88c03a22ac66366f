"""Whole trainings, iteration by iteration: every race that could have been held among them.

A candidate learns what it learns whoever else is there, so what a race would have done follows from
what everyone
did: `replay` asks the library's own rule at each rung of a race who stops, and adds up the steps
that were taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from unittest import mock

from eureka_agent.config import Race, TrainingBudget
from eureka_agent.jail import Sandbox
from eureka_agent.prompting.prompt import write_prompt
from eureka_agent.proposers.grammar import GrammarProposer
from eureka_agent.records import Candidate, Evaluation
from eureka_agent.search.evaluator import Evaluator, TrainedReward
from eureka_agent.tasks.task import Task
from eureka_agent.training.racing import FitnessTracker, stopped

Iteration = tuple[float, float, int]
"""Fitness, ends and steps of one: see `FitnessTracker`."""


@dataclass(frozen=True)
class TrainingProgress:
    """One candidate's whole training."""

    name: str
    iterations: tuple[Iteration, ...]
    """The first of them; a race may have its rungs among these."""
    evaluation: Evaluation
    """After the last step."""


@dataclass(frozen=True)
class Record:
    """One generation that was trained to the end."""

    task: str
    seed: int
    samples: int
    budget: TrainingBudget
    max_episode_steps: int
    candidates: tuple[TrainingProgress, ...]
    """Without those that failed."""


@dataclass(frozen=True)
class Result:
    """What came of a race, or of training all."""

    best: str
    evaluation: Evaluation
    steps: int
    """Environment steps."""
    to_the_end: int


def record(task: Task, budget: TrainingBudget, sandbox: Sandbox, seed: int, samples: int) -> Record:
    """Train the grammar's first generation to the end."""
    with _watched() as paces:
        candidates, results = _train(task, budget, sandbox, seed, samples, seed)
    trained = []
    for candidate, trial, pace in zip(candidates, results, paces.values(), strict=True):
        if trial.evaluation is None:
            raise RuntimeError(
                f"{candidate.name} failed, so there is no race among all; leave this seed out"
            )
        iterations = tuple(
            (_rounded(fitness), ends, steps) for fitness, ends, steps in pace.iterations
        )
        trained.append(TrainingProgress(candidate.name, iterations, trial.evaluation))
    return Record(task.name, seed, samples, budget, task.max_episode_steps, tuple(trained))


def train_anew(
    known: Record, task: Task, sandbox: Sandbox, names: Sequence[str], seed: int
) -> list[float]:
    """Return the fitness of the rewards `names`, in the record's order, after a training with
    another seed."""
    _, results = _train(task, known.budget, sandbox, known.seed, known.samples, seed, names)
    return [trial.evaluation.fitness if trial.evaluation else 0.0 for trial in results]


def _train(
    task: Task,
    budget: TrainingBudget,
    sandbox: Sandbox,
    proposer_seed: int,
    samples: int,
    seed: int,
    names: Sequence[str] | None = None,
) -> tuple[list[Candidate], list[TrainedReward]]:
    """Train the rewards that the grammar proposes first, or those with `names`."""
    proposer = GrammarProposer(task, proposer_seed, instruction=task.description)
    completions = proposer.propose(
        dict.fromkeys(range(samples), write_prompt(task, task.description, 0, (), ()))
    )
    evaluator = Evaluator(task, budget, sandbox, seed=seed)
    with ExitStack() as rewards:
        sealed = [
            evaluator.seal(Candidate(0, completion, None), rewards) for completion in completions
        ]
        ready = [
            each
            for each in sealed
            if isinstance(each, tuple) and (names is None or each[0].name in names)
        ]
        candidates = [candidate for candidate, _ in ready]
        return candidates, evaluator.train(
            [c.name for c in candidates], [reward for _, reward in ready], candidates
        )


@contextmanager
def _watched() -> Iterator[dict[int, FitnessTracker]]:
    """Give the paces of a training, one a candidate, in order."""
    paces: dict[int, FitnessTracker] = {}
    add = FitnessTracker.add

    def watched(pace: FitnessTracker, fitness: float, ends: float, steps: int) -> None:
        paces.setdefault(id(pace), pace)
        add(pace, fitness, ends, steps)

    with mock.patch.object(FitnessTracker, "add", watched):
        yield paces


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")


def replay(known: Record, race: Race | None) -> Result:
    """Return what the race would have found among those that it lets train to the end, or what
    training all found."""
    budget, alive = known.budget, list(known.candidates)
    rollout = budget.num_envs * budget.horizon
    steps = 0
    race = race or Race((), ())
    for i, rung in enumerate(race.rungs):
        done = max(1, round(rung * budget.iterations))
        paces = [FitnessTracker(list(each.iterations[:done])) for each in alive]
        standings = [pace.estimate(known.max_episode_steps, budget.iterations) for pace in paces]
        places = race.places(len(known.candidates), i)
        reasons = stopped(standings, places, chance=race.chance)
        alive = [each for each, reason in zip(alive, reasons, strict=True) if reason is None]
        steps += (len(reasons) - len(alive)) * done * rollout
    best = max(alive, key=lambda each: each.evaluation.fitness)
    return Result(
        best.name, best.evaluation, steps + len(alive) * budget.iterations * rollout, len(alive)
    )


def found(full: Result, raced: Result) -> bool:
    """Whether the race has the winner, or one within the winner's 95 % interval."""
    return raced.best == full.best or raced.evaluation.fitness >= full.evaluation.fitness_low
