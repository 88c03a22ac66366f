"""Trainings with a look every few percent at which nobody stops: every race that could have been held among them.

A candidate learns what it learns whoever else is there, so what a race would have done follows from what everyone
did: `replay` asks the library's own rule at each rung of a race who stops, and adds up the steps that were taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from unittest import mock

import torch

from eureka_agent.config import Race
from eureka_agent.jail import Wall
from eureka_agent.prompting import write_prompt
from eureka_agent.proposers.grammar import GrammarProposer
from eureka_agent.records import Candidate, Evaluation
from eureka_agent.task import Task, TrainingBudget
from eureka_agent.trainer.racing import Pace, Standing, stopped
from eureka_agent.trial import Trials

LOOKS = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6)
"""Shares of the training at which a race may be replayed to have its rungs."""
LOOK_EPISODES = 16
"""Of each look; a race may be replayed with fewer, which are the first of them."""
Iteration = tuple[float, float, int]
"""Fitness, ends and steps of one: see `Pace`."""


@dataclass(frozen=True)
class Look:
    """One candidate at one moment of its training."""

    share: float
    """Of the training that is over."""
    fitness: tuple[float, ...]
    """Of each episode."""
    episode_length: float
    since: tuple[Iteration, ...]
    """All iterations after the last look."""


@dataclass(frozen=True)
class Trained:
    """One candidate's whole training."""

    name: str
    looks: tuple[Look, ...]
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
    candidates: tuple[Trained, ...]
    """Without those that failed."""


@dataclass(frozen=True)
class Result:
    """What came of a race, or of training all."""

    best: str
    evaluation: Evaluation
    steps: float
    """Environment steps, with those of the episodes at the rungs."""
    to_the_end: int


def record(task: Task, budget: TrainingBudget, wall: Wall, seed: int, samples: int) -> Record:
    """Train the grammar's first generation to the end, with a look at each of `LOOKS`."""
    proposer = GrammarProposer(task, seed, wish=task.description)
    completions = proposer.propose(dict.fromkeys(range(samples), write_prompt(task, task.description, 0, (), ())))
    looks: list[list[tuple[float, Standing]]] = []
    stretches: list[tuple[Iteration, ...]] = []
    known: dict[int, int] = {}  # iterations of each pace at its last look

    def look(standings: Sequence[Standing], places: int, *, done: float, **_: object) -> list[None]:
        looks.append([(done, standing) for standing in standings])
        return [None] * len(standings)

    def now(pace: Pace, *lengths: int) -> tuple[float, float, float]:
        stretches.append(tuple(pace.iterations[known.get(id(pace), 0) :]))
        known[id(pace)] = len(pace.iterations)
        return 0.0, 0.0, 0.0

    trials = Trials(task, budget, wall, seed=seed, race=Race(LOOKS, episodes=LOOK_EPISODES))
    with ExitStack() as rewards, mock.patch.object(Pace, "now", now):
        rewards.enter_context(mock.patch("eureka_agent.trainer.train.stopped", look))
        sealed = [trials.seal(Candidate(0, completion, None), rewards) for completion in completions]
        ready = [each for each in sealed if isinstance(each, tuple)]
        candidates = [candidate for candidate, _ in ready]
        results = trials.train([c.name for c in candidates], [reward for _, reward in ready], candidates)
    count = len(ready)
    trained = []
    for k, (candidate, trial) in enumerate(zip(candidates, results, strict=True)):
        if trial.evaluation is None or trial.result.record is None:
            raise RuntimeError(
                f"{candidate.name} failed, so who stood where at a look is not known; leave this seed out"
            )
        lengths = [rung.evaluation.episode_length for rung in trial.result.record.rungs]
        seen = [
            Look(of_all[k][0], tuple(of_all[k][1].fitness.tolist()), length, stretches[i * count + k])
            for i, (of_all, length) in enumerate(zip(looks, lengths, strict=True))
        ]
        trained.append(Trained(candidate.name, tuple(seen), trial.evaluation))
    return Record(task.name, seed, samples, budget, task.max_episode_steps, tuple(trained))


def replay(known: Record, race: Race | None) -> Result:
    """Return what the race would have found, or what training all found; rungs have to be among `LOOKS`."""
    budget, alive = known.budget, list(known.candidates)
    whole = budget.iterations * budget.num_envs * budget.horizon
    ends: list[tuple[Trained, Evaluation]] = []
    steps = 0.0
    race = race or Race(rungs=())
    for i, rung in enumerate(race.rungs):
        looks = [next(look for look in each.looks if abs(look.share - rung) < 0.025) for each in alive]
        standings = [_standing(each, look, known, race.episodes) for each, look in zip(alive, looks, strict=True)]
        places = race.places(len(known.candidates), i)
        reasons = stopped(standings, places, done=looks[0].share, minimum=race.minimum)
        steps += sum(race.episodes * look.episode_length for look in looks)
        for each, look, reason in zip(alive, looks, reasons, strict=True):
            if reason is not None:
                ends.append((each, _evaluation(look)))
                steps += look.share * whole
        alive = [each for each, reason in zip(alive, reasons, strict=True) if reason is None]
    ends += [(each, each.evaluation) for each in alive]
    best, evaluation = max(ends, key=lambda end: end[1].fitness)
    return Result(best.name, evaluation, steps + len(alive) * whole, len(alive))


def found(full: Result, raced: Result) -> bool:
    """Whether the race has the winner, or one within the winner's 95 % interval."""
    return raced.best == full.best or raced.evaluation.fitness >= full.evaluation.fitness_low


def _standing(trained: Trained, now: Look, known: Record, episodes: int) -> Standing:
    past = [one for look in trained.looks if look.share <= now.share for one in look.since]
    pace = Pace(past).now(known.max_episode_steps, known.budget.iterations)
    return Standing(torch.tensor(now.fitness[:episodes]), *pace)


def _evaluation(look: Look) -> Evaluation:
    fitness = torch.tensor(look.fitness).double()
    mean, error = float(fitness.mean()), 1.96 * float(fitness.std()) / len(fitness) ** 0.5
    return Evaluation(mean, mean - error, mean + error, len(fitness), look.episode_length)
