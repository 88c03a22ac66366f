"""Checks on full episodes of random actions and of none: fitness, ends, observation, physics."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor

from eureka_agent.authoring.validation.findings import Finding, failed, listed, ok, warning
from eureka_agent.simulation.batched_env import Step
from eureka_agent.simulation.rollouts import random_actions, run_episodes
from eureka_agent.tasks.task import State, Task
from eureka_agent.text import number

_EPISODES = 16
_SHORT = 5
"""Episodes that are shorter than this, in steps, teach nothing."""
_HUGE = 1e4
_MANY_DIVERGED = 0.01


@dataclass
class _Watch:
    """What all steps of the episodes have in common."""

    task: Task
    steps: int = 0
    diverged: int = 0
    wrong_causes: int = 0
    has_causes: bool = False
    low: Tensor | None = None
    high: Tensor | None = None
    not_finite: set[str] = field(default_factory=set)

    def __call__(self, before: State, step: Step) -> None:
        good = ~step.bad
        self.steps += len(good)
        self.diverged += int(step.bad.sum())
        seen = step.final_observation[good].cpu()
        if len(seen):
            low, high = seen.amin(dim=0), seen.amax(dim=0)
            self.low = low if self.low is None else torch.minimum(self.low, low)
            self.high = high if self.high is None else torch.maximum(self.high, high)
        for name, value in (("the fitness", step.fitness), ("sparse reward", step.sparse_reward)):
            if not torch.isfinite(value).all():
                self.not_finite.add(name)
        causes = self.task.end_causes(step.state)
        if causes:
            self.has_causes = True
            held = torch.stack(list(causes.values())).any(dim=0)
            self.wrong_causes += int(((held != step.terminated) & good).sum())


def check_episodes(task: Task) -> Iterator[Finding]:
    """Run episodes of random actions and of zero actions, and check what they show."""
    watch = _Watch(task)

    def no_action(observation: Tensor) -> Tensor:
        return torch.zeros(len(observation), task.action_size)

    policies = [random_actions(task, seed=0), no_action]
    random, idle = run_episodes(task, policies, episodes=_EPISODES, seed=0, watch=watch, reads=())
    yield _physics(watch)
    yield _lengths(task, random["length"])
    if watch.has_causes:
        yield _causes(watch)
    yield _observation(watch)
    yield _fitness(task, watch, random["fitness"], idle["fitness"])


def _physics(watch: _Watch) -> Finding:
    if not watch.diverged:
        return ok("physics", f"none of {watch.steps:,} steps diverged.")
    share = watch.diverged / watch.steps
    detail = (
        f"{watch.diverged:,} of {watch.steps:,} steps diverged: lower the timestep, the actuators'"
        " ranges or their gains, or give joints damping and armature."
    )
    return failed("physics", detail) if share > _MANY_DIVERGED else warning("physics", detail)


def _lengths(task: Task, lengths: Tensor) -> Finding:
    low, high, limit = int(lengths.min()), int(lengths.max()), task.max_episode_steps
    name = "episode length"
    if high < _SHORT:
        return failed(
            name,
            f"random actions end every episode within {high} of {limit} steps: check the initial"
            " state and terminated().",
        )
    if float(lengths.median()) < _SHORT:
        return warning(
            name,
            f"random actions end half of the episodes within {_SHORT} of {limit} steps: check the"
            " initial state and terminated().",
        )
    if low == limit:
        return ok(name, f"random actions never end an episode before the limit of {limit} steps.")
    return ok(name, f"{low} to {high} steps with random actions, of at most {limit}.")


def _causes(watch: _Watch) -> Finding:
    if watch.wrong_causes:
        return warning(
            "end causes",
            f"in {watch.wrong_causes:,} of {watch.steps:,} steps end_causes() and terminated() do"
            " not say the same: make them hold together.",
        )
    return ok("end causes", "end_causes() and terminated() agree in every step.")


def _observation(watch: _Watch) -> Finding:
    low, high = watch.low, watch.high
    if low is None or high is None:
        return failed("observation", "there is none: the physics diverged in every step.")
    size = len(low)
    constant = [str(index) for index in range(size) if low[index] == high[index]]
    largest = torch.maximum(low.abs(), high.abs())
    huge = [
        f"{index} ({number(float(largest[index]))})"
        for index in range(size)
        if largest[index] > _HUGE
    ]
    if len(constant) == size:
        return failed("observation", "no entry ever changes: the policy would see nothing.")
    if huge:
        return warning(
            "observation",
            f"the entries {listed(huge)} become huge: clip them, or leave them out.",
        )
    if constant:
        return warning(
            "observation",
            f"of {size} entries these never change: {listed(constant)}. Leave them out, unless a"
            " trained policy changes them.",
        )
    return ok("observation", f"all of {size} entries change, up to {number(float(largest.max()))}.")


def _fitness(task: Task, watch: _Watch, random: Tensor, idle: Tensor) -> Finding:
    unit = task.fitness_unit
    nothing = "the first option" if task.action_choices else "no action"
    if watch.not_finite or not torch.isfinite(torch.cat((random, idle))).all():
        what = listed(sorted(watch.not_finite or {"the fitness"}))
        return failed("fitness", f"{what} is not always a finite number: check for divisions by 0.")
    shown = (
        f"random actions {number(float(random.min()))} to {number(float(random.max()))}, {nothing}"
        f" {number(float(idle.min()))} to {number(float(idle.max()))} {unit}; solved at"
        f" {task.fitness_solved:g}"
    )
    best = max(float(random.mean()), float(idle.mean()))
    if bool((torch.cat((random, idle)) == random[0]).all()):
        return warning(
            "fitness",
            f"it is {number(float(random[0]))} {unit} in every episode of random actions and of"
            " none, so it tells nothing apart yet: check that a good policy changes it.",
        )
    if best >= task.fitness_solved:
        return warning("fitness", f"{shown}: doing nothing useful solves it. Raise fitness_solved.")
    alike = _are_alike(random, idle)
    return ok("fitness", f"{shown}{'; the means of both are alike' if alike else ''}.")


def _are_alike(first: Tensor, second: Tensor) -> bool:
    """Whether two means differ by less than two standard errors."""
    variance = (first.var() + second.var()) / len(first)
    return bool((first.mean() - second.mean()).abs() <= 2.0 * variance.sqrt())
