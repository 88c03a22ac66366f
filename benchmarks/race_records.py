"""Records of whole trainings, from which every race among them can be replayed.

A candidate learns the same whatever the others do, so the outcome of a race follows from the full
trainings: `replay` applies the library's own rule at each rung and adds up the steps.
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
from eureka_agent.search.evaluator import Evaluator, PreparedCandidate
from eureka_agent.tasks.task import Task
from eureka_agent.training.job import JobReward, TrainedReward
from eureka_agent.training.racing import FitnessTracker, stopped

Iteration = tuple[float, float, int]
"""Fitness, ended episodes and steps of an iteration; see `FitnessTracker`."""


@dataclass(frozen=True)
class TrainingProgress:
    """One candidate's whole training."""

    name: str
    iterations: tuple[Iteration, ...]
    """Of the first iterations; the rungs of a race may be among these."""
    evaluation: Evaluation
    """After the last step."""


@dataclass(frozen=True)
class Record:
    """One generation, trained to the end."""

    task: str
    seed: int
    samples: int
    budget: TrainingBudget
    max_episode_steps: int
    candidates: tuple[TrainingProgress, ...]
    """Without failed candidates."""


@dataclass(frozen=True)
class Result:
    """The result of a race, or of training all candidates."""

    best: str
    evaluation: Evaluation
    steps: int
    """Environment steps."""
    to_the_end: int


def record(task: Task, budget: TrainingBudget, sandbox: Sandbox, seed: int, samples: int) -> Record:
    """Train the grammar's first generation to the end."""
    with _watched() as trackers:
        candidates, results = _train(task, budget, sandbox, seed, samples, seed)
    trained = []
    for candidate, result, pace in zip(candidates, results, trackers.values(), strict=True):
        if result.evaluation is None:
            raise RuntimeError(f"{candidate.name} failed, so not all can race; leave this seed out")
        iterations = tuple(
            (_rounded(fitness), ends, steps) for fitness, ends, steps in pace.iterations
        )
        trained.append(TrainingProgress(candidate.name, iterations, result.evaluation))
    return Record(task.name, seed, samples, budget, task.max_episode_steps, tuple(trained))


def train_again(
    known: Record, task: Task, sandbox: Sandbox, names: Sequence[str], seed: int
) -> list[float]:
    """Return the fitness of the rewards `names` after a training with another seed.

    In the record's order.
    """
    _, results = _train(task, known.budget, sandbox, known.seed, known.samples, seed, names)
    return [result.evaluation.fitness if result.evaluation else 0.0 for result in results]


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
    with ExitStack() as open_rewards:
        results = [
            evaluator.prepare(Candidate(0, completion, None), open_rewards)
            for completion in completions
        ]
        prepared = [each for each in results if isinstance(each, PreparedCandidate)]
        if names is not None:
            prepared = [each for each in prepared if each.candidate.name in names]
        candidates = [each.candidate for each in prepared]
    rewards = [JobReward(c.name, c.reward, races=True) for c in candidates]
    return candidates, evaluator.train(rewards, candidates)


@contextmanager
def _watched() -> Iterator[dict[int, FitnessTracker]]:
    """Yield the fitness trackers of a training, one per candidate, in order."""
    trackers: dict[int, FitnessTracker] = {}
    add = FitnessTracker.add

    def watched(tracker: FitnessTracker, fitness: float, ends: float, steps: int) -> None:
        trackers.setdefault(id(tracker), tracker)
        add(tracker, fitness, ends, steps)

    with mock.patch.object(FitnessTracker, "add", watched):
        yield trackers


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")


def replay(known: Record, race: Race | None) -> Result:
    """Return the result of a race, or of training all candidates if `race` is None."""
    budget, alive = known.budget, list(known.candidates)
    rollout = budget.num_envs * budget.horizon
    steps = 0
    race = race or Race((), ())
    for i, rung in enumerate(race.rungs):
        done = max(1, round(rung * budget.iterations))
        trackers = [FitnessTracker(list(each.iterations[:done])) for each in alive]
        standings = [pace.estimate(known.max_episode_steps, budget.iterations) for pace in trackers]
        places = race.survivors(len(known.candidates), i)
        reasons = stopped(standings, places, chance=race.keep_ties)
        alive = [each for each, reason in zip(alive, reasons, strict=True) if reason is None]
        steps += (len(reasons) - len(alive)) * done * rollout
    best = max(alive, key=lambda each: each.evaluation.fitness)
    return Result(
        best.name, best.evaluation, steps + len(alive) * budget.iterations * rollout, len(alive)
    )


def found(full: Result, raced: Result) -> bool:
    """Whether the race has the winner, or one within the winner's 95 % interval."""
    return raced.best == full.best or raced.evaluation.fitness >= full.evaluation.fitness_low
