"""The grammar's search with a history beats the same number of fresh samples."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from eureka_agent.checks import check_source
from eureka_agent.judges.synthetic import by_fitness
from eureka_agent.proposers.grammar import GrammarProposer
from eureka_agent.proposers.grammar.emit import to_code
from eureka_agent.proposers.grammar.genome import Factor, Feature, Genome, Term, from_text
from eureka_agent.records import (
    Candidate,
    Completion,
    Curve,
    Evaluation,
    Feedback,
    Outcome,
    Prompt,
    TrainingRecord,
)
from eureka_agent.search.feedback import FeedbackRequest
from eureka_agent.search.selection import best_so_far
from eureka_agent.tasks.task import Task
from tests.support.grammar import ARM, WALKER, code_of, random_states, run_reward, term

GENERATIONS, SAMPLES, SEEDS = 5, 8, range(16)
ROWS = 400

_NEAR_GRIPPER = Factor(Feature("distance", ("gripper", "cube")), "inverse", 0.4)
_AT_GOAL = Factor(Feature("distance", ("cube", "cube_goal")), "exp", 0.5)
HIDDEN = {
    "arm": (
        ARM,
        Genome(
            (
                Term(3.0, (_AT_GOAL, _NEAR_GRIPPER)),
                term(0.05, "speed", "arm_vel"),
                term(-0.3, "flag", "dropped"),
            )
        ),
    ),
    "walker": (
        WALKER,
        Genome(
            (
                term(1.0, "velocity", "velocity", shape="tanh", scale=1.0, axis=0),
                term(0.7, "upright", "torso_quat"),
                term(0.5, "spin", "angvel", axis=2),
                term(0.05, "effort", "action"),
            )
        ),
    ),
}


def correlation(a: Tensor, b: Tensor) -> float:
    """Return Pearson's correlation, 0 if one side is constant."""
    a, b = a - a.mean(), b - b.mean()
    norm = float(a.norm() * b.norm())
    return float(a @ b) / norm if norm > 1e-6 else 0.0


class Judge:
    """A fitness without physics: how well a reward agrees with a hidden one on random states.

    Its training record uses ten groups of states with rising hidden reward, as if a policy
    improved.
    """

    def __init__(self, task: Task, hidden: Genome) -> None:
        self._spec = task.reward_inputs
        self._states = random_states(self._spec, ROWS, seed=5)
        self._target, _ = run_reward(
            check_source(to_code(hidden, self._spec), self._spec), self._states
        )
        self._groups = self._target.argsort().chunk(10)

    def __call__(self, generation: int, completion: Completion) -> Outcome:
        source = check_source(code_of(completion), self._spec)
        reward, components = run_reward(source, self._states)
        fitness = correlation(reward, self._target)
        goal = torch.stack([self._target[rows].mean() for rows in self._groups])
        groups = {
            name: torch.stack([value[rows].mean() for rows in self._groups])
            for name, value in components.items()
        }
        training = TrainingRecord(
            1,
            1.0,
            _curve("reward", goal),
            tuple(_curve(name, value) for name, value in groups.items()),
            _curve("fitness", goal),
            _curve("length", goal),
            {name: correlation(value, goal) for name, value in groups.items()},
        )
        candidate = Candidate(generation, completion, source)
        return Outcome(
            candidate, training=training, evaluation=Evaluation(fitness, fitness, fitness, 1, 1.0)
        )


def _curve(name: str, values: Tensor) -> Curve:
    return Curve(
        name, tuple(values.tolist()), float(values.max()), float(values.mean()), float(values.min())
    )


def best(outcomes: Iterable[Outcome]) -> Outcome:
    return max(outcomes, key=lambda outcome: outcome.fitness)


def evolve(task: Task, judge: Callable[[int, Completion], Outcome], seed: int) -> float:
    proposer = GrammarProposer(task, seed)
    history: list[Outcome] = []
    for generation in range(GENERATIONS):
        parents = (best(history),) if history else ()
        prompt = Prompt(generation, (), parents, tuple(history))
        history += [
            judge(generation, completion)
            for completion in proposer.propose(dict.fromkeys(range(SAMPLES), prompt))
        ]
    return best(history).fitness


def sample(task: Task, judge: Callable[[int, Completion], Outcome], seed: int) -> float:
    completions = GrammarProposer(task, seed).propose(
        dict.fromkeys(range(GENERATIONS * SAMPLES), Prompt(0, ()))
    )
    return best(judge(0, completion) for completion in completions).fitness


@pytest.mark.slow
def test_search_beats_the_same_number_of_fresh_samples() -> None:
    """Five generations of eight rewards against 40 first-generation samples."""
    wins = []
    for task, hidden in HIDDEN.values():
        judge = Judge(task, hidden)
        evolved = [evolve(task, judge, seed) for seed in SEEDS]
        drawn = [sample(task, judge, seed) for seed in SEEDS]
        assert statistics.median(evolved) > statistics.median(drawn)
        assert statistics.mean(evolved) > statistics.mean(drawn)
        wins += [one > other for one, other in zip(evolved, drawn, strict=True)]
    # A sign test: 22 or more of 32 by chance has a probability of 0.025.
    assert sum(wins) >= 22


def test_a_generation_does_not_repeat_earlier_rewards() -> None:
    judge = Judge(*HIDDEN["arm"])
    proposer = GrammarProposer(ARM, 3)
    history: list[Outcome] = []
    for generation in range(3):
        prompt = Prompt(generation, (), (best(history),) if history else (), tuple(history))
        history += [
            judge(generation, completion)
            for completion in proposer.propose(dict.fromkeys(range(16), prompt))
        ]
    genomes = [from_text(outcome.candidate.completion.text) for outcome in history]
    assert len({genome.key for genome in genomes if genome is not None}) == 48


def evolve_on_choices(task: Task, judge: Callable[[int, Completion], Outcome], seed: int) -> float:
    """Search with the best and the worst of each generation instead of the fitness."""
    proposer = GrammarProposer(task, seed)
    history: list[Outcome] = []
    feedback: list[Feedback] = []
    for generation in range(GENERATIONS):
        chosen = best_so_far(history, dict(enumerate(feedback)), has_fitness=False)
        shown = tuple(outcome.without_fitness() for outcome in history)
        prompt = Prompt(
            generation, (), (chosen.without_fitness(),) if chosen else (), shown, tuple(feedback)
        )
        completions = proposer.propose(dict.fromkeys(range(SAMPLES), prompt))
        new = tuple(judge(generation, completion) for completion in completions)
        history += new
        everything = by_fitness(FeedbackRequest(task, "", False, generation, new, chosen)).ranking
        feedback.append(Feedback(generation, (everything[0], everything[-1])))
    return best(history).fitness


@pytest.mark.slow
def test_search_on_rankings_beats_the_same_number_of_fresh_samples() -> None:
    """The best and the worst of each generation help, although they say less than the fitness."""
    for task, hidden in HIDDEN.values():
        judge = Judge(task, hidden)
        led = [evolve_on_choices(task, judge, seed) for seed in SEEDS]
        drawn = [sample(task, judge, seed) for seed in SEEDS]
        assert statistics.median(led) > statistics.median(drawn)
        assert statistics.mean(led) > statistics.mean(drawn) + 0.01


def test_a_hidden_fitness_does_not_change_proposals() -> None:
    """Equal rankings of different fitness give equal proposals, whose notes contain no fitness."""
    task, hidden = HIDDEN["walker"]
    judge = Judge(task, hidden)
    first = [
        judge(0, c)
        for c in GrammarProposer(task, 0).propose(dict.fromkeys(range(4), Prompt(0, ())))
    ]
    other = [replace(o, evaluation=Evaluation(-o.fitness, -9.0, 9.0, 1, 1.0)) for o in first]
    feedback = (Feedback(0, ("g0c2", "g0c0")),)

    def asked(history: Sequence[Outcome], feedback: tuple[Feedback, ...]) -> list[str]:
        shown = tuple(outcome.without_fitness() for outcome in history)
        prompt = Prompt(1, (), (shown[2],), shown, feedback)
        return [
            completion.text
            for completion in GrammarProposer(task, 0).propose(dict.fromkeys(range(8), prompt))
        ]

    assert asked(first, feedback) == asked(other, feedback)
    assert not any("fitness" in text for text in asked(first, feedback))
    assert any("g0c2" in text for text in asked(first, feedback))
    assert asked(first, feedback) != asked(first, (Feedback(0, ("g0c2", "g0c3", "g0c1", "g0c0")),))
