"""The outcomes of a made-up search with fixed numbers, for prompts of later generations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from eureka_agent.prompting.facts import RunFacts
from eureka_agent.prompting.prompt import write_prompt
from eureka_agent.prompting.reflection import reflect
from eureka_agent.records import (
    SAMPLE_ROLES,
    Candidate,
    Completion,
    Curve,
    Evaluation,
    Failure,
    Outcome,
    Prompt,
    RewardSource,
    SeedResult,
    Spread,
    StateFigures,
    TrainingRecord,
)
from eureka_agent.search.estimates import estimates_of
from eureka_agent.search.selection import best_so_far
from eureka_agent.search.state_figures import longest_figures
from eureka_agent.search.strategies import Plan, greedy, with_roles
from eureka_agent.tasks.task import Task
from eureka_agent.training.budgets import budgets_of

SAMPLES = 16
_COMPONENTS = ("progress", "upright", "contact", "alive", "effort")
_POINTS = 10


def fixed_prompts(task: Task, generation: int) -> list[Prompt]:
    """Return the prompts of a generation of 16 samples after a made-up search."""
    history = _history(task, generation)
    budget = budgets_of(task)["normal"]
    bests = [_best([o for o in history if o.candidate.generation <= g]) for g in range(generation)]
    built_on = {
        outcome.candidate.name: bests[outcome.candidate.generation - 1].candidate.name
        for outcome in history
        if outcome.candidate.generation > 0
    }
    facts = RunFacts(
        budget,
        figures=_figures(task),
        estimates=estimates_of(history),
        built_on=built_on,
    )
    return [
        write_prompt(
            task,
            task.description,
            generation,
            plan.parents,
            history,
            role=plan.role,
            facts=facts,
        )
        for plan in _plans(generation, history)
    ]


def _plans(generation: int, history: Sequence[Outcome]) -> list[Plan]:
    def best(outcomes: Sequence[Outcome]) -> Outcome | None:
        return best_so_far(outcomes, {}, has_fitness=True)

    return with_roles(greedy)(generation, SAMPLES, history, best)


def _best(outcomes: Sequence[Outcome]) -> Outcome:
    best = best_so_far(outcomes, {}, has_fitness=True)
    assert best is not None
    return best


def _figures(task: Task) -> StateFigures:
    figures = longest_figures(task, budgets_of(task)["normal"])
    rows = [
        replace(
            row,
            start=Spread(0.01 * number, -0.125, 0.125),
            random=Spread(0.015 * number, -1.375, 1.625),
            trained=Spread(0.025 * number, -0.875, 1.875),
        )
        for number, row in enumerate(figures.rows)
    ]
    return replace(figures, rows=tuple(rows))


def _history(task: Task, generations: int) -> list[Outcome]:
    random = Random(0)
    return [
        _outcome(task, generation, sample, random)
        for generation in range(generations)
        for sample in range(SAMPLES)
    ]


def _outcome(task: Task, generation: int, sample: int, random: Random) -> Outcome:
    candidate = _candidate(task, generation, sample)
    if sample == SAMPLES - 1:
        failure = Failure("check", "line 12: 'object_velocity' is not defined: did you mean"
                          " 'object_linvel'?")  # fmt: skip
        return Outcome(candidate, failure=failure)
    level = task.fitness_solved * (0.2 + 0.1 * generation) * random.uniform(0.2, 1.2)
    seeds = 1 + (sample % 4 == 0) + 2 * (sample % 8 == 0)
    results = [_evaluation(task, level * random.uniform(0.7, 1.3), random) for _ in range(seeds)]
    outcome = Outcome(
        candidate,
        training=_training(task, results[0], random),
        evaluation=results[0],
        more_seeds=tuple(
            SeedResult(seed=seed, evaluation=each) for seed, each in enumerate(results[1:], 1)
        ),
    )
    reflection = reflect(
        outcome, max_episode_steps=task.max_episode_steps, fitness_unit=task.fitness_unit
    )
    return replace(outcome, reflection=reflection)


def _candidate(task: Task, generation: int, sample: int) -> Candidate:
    role = SAMPLE_ROLES[sample % len(SAMPLE_ROLES)]
    plan = (
        f"I {role} the best reward and raise the weight of progress to {1.0 + 0.25 * sample:g}."
        " The numbers say that the policy stays alive but hardly moves, and that the effort term"
        " is too small to matter. So the contact term gets a wider temperature, which gives a"
        " signal from the first random actions on, and the alive bonus is halved."
    )
    code = _code(task, 1.0 + 0.25 * sample)
    completion = Completion(sample, f"{plan}\n\n```python\n{code}```\n", "a-model")
    name = f"g{generation}c{sample}"
    return Candidate(generation, completion, RewardSource(code, ("action",)), name)


def _code(task: Task, weight: float) -> str:
    """Return a reward of the length that models write."""
    read = [variable.name for variable in task.state_spec.variables[:4]]
    lines = ["import torch", "from torch import Tensor", "", ""]
    lines.append(f"def compute_reward({', '.join(f'{name}: Tensor' for name in read)}):")
    for number, component in enumerate(_COMPONENTS):
        name = read[number % len(read)]
        lines += [
            f"    {component}_temperature = {0.1 + 0.05 * number:g}",
            f"    {component}_error = {name}.reshape(len({name}), -1).square().mean(dim=-1)",
            f"    {component} = {weight:g} * torch.exp(-{component}_error /"
            f" {component}_temperature)",
        ]
    named = ", ".join(f'"{component}": {component}' for component in _COMPONENTS)
    lines += [f"    reward = {' + '.join(_COMPONENTS)}", f"    return reward, {{{named}}}", ""]
    return "\n".join(lines)


def _evaluation(task: Task, fitness: float, random: Random) -> Evaluation:
    length = task.max_episode_steps * random.uniform(0.3, 1.0)
    measures = {"rotations": fitness / 12.0, "dropped": 0.5} if "pen" in task.name else {}
    return Evaluation(fitness, 0.9 * fitness, 1.1 * fitness, 64, length, measures)


def _training(task: Task, evaluation: Evaluation, random: Random) -> TrainingRecord:
    components = tuple(
        _curve(name, random.uniform(-0.2, 0.2), random.uniform(0.2, 1.0)) for name in _COMPONENTS
    )
    return TrainingRecord(
        environment_steps=budgets_of(task)["normal"].environment_steps,
        seconds=60.0,
        reward=_curve("reward", 0.1, 2.0),
        components=components,
        fitness=_curve("fitness", 0.0, evaluation.fitness),
        episode_length=_curve("episode_length", 20.0, evaluation.episode_length),
    )


def _curve(name: str, first: float, last: float) -> Curve:
    values = tuple(first + (last - first) * k / (_POINTS - 1) for k in range(_POINTS))
    return Curve(name, values, max(values), sum(values) / _POINTS, min(values))
