"""Check, without training, whether a reward ranks good episodes above bad ones.

The episodes come from policies that were trained earlier with other rewards; their fitness is
known. A reward that pays more per step for failing than for succeeding is likely to teach failing.
The check compares every success with the failures that the reward scores highest, because these are
what a policy would find.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from eureka_agent.errors import UsageError
from eureka_agent.rewards.runner import RewardRunner, reward_values
from eureka_agent.simulation import Step
from eureka_agent.simulation.rollouts import Act, run_episodes
from eureka_agent.tasks.task import State, Task

_STEPS = 64
"""Most steps that are kept of an episode, evenly spaced."""
_LEAST = 4
"""With fewer successes or failures the verdict is `unknown`."""
_MARGIN = 0.25
"""Successes are in the upper quarter of the range of fitness, failures in the lower."""
_HARDEST = 0.25
"""Share of the failures that are compared: those that the reward scores highest."""
_FLAT = 1e-5
"""Relative difference below which scores are equal up to rounding."""


@dataclass(frozen=True)
class Rollouts:
    """Episodes of known fitness, with the states from which rewards are computed."""

    state: State
    """`(rows, *shape)` of every tensor that a reward may read."""
    episode: Tensor
    """`(rows,)` int64: the episode of each row."""
    length: Tensor
    """`(episodes,)` environment steps; `state` may hold only a part of them."""
    fitness: Tensor
    """`(episodes,)` the task's fitness of each."""

    def __post_init__(self) -> None:
        """Raise UsageError for episodes without rows."""
        if set(self.episode.tolist()) != set(range(len(self.fitness))):
            raise UsageError(
                f"Each of the {len(self.fitness)} episodes needs rows, numbered from 0."
            )


@dataclass(frozen=True)
class Preference:
    """The result of the check for one reward."""

    verdict: Literal["pass", "fail", "unknown"]
    per_step: float
    """Share of pairs in which the success has the higher mean reward per step; NaN if `unknown`.

    A pair is a success and one of the failures that the reward scores highest.
    """
    in_total: float
    """The same share for the sum over the episode."""
    successes: int
    failures: int
    """The numbers of clearly good and clearly bad episodes."""
    reason: str
    """One sentence that explains the verdict."""


def roll_out(task: Task, policies: Sequence[Act], *, episodes: int, seed: int) -> Rollouts:
    """Run episodes of policies without exploration, and keep the states for `preference`.

    Args:
        task: The task to simulate; it measures the fitness of each episode.
        policies: The policies to run.
        episodes: Number of episodes of each policy.
        seed: Seed of the initial states.

    Returns:
        All episodes, with at most 64 evenly spaced steps of each; empty without policies.
    """
    kept: dict[str, list[Tensor]] = {}

    def keep(before: State, step: Step) -> None:
        for name, value in step.state.items():
            kept.setdefault(name, []).append(value)
            kept.setdefault(f"prev_{name}", []).append(before[name])

    numbers = run_episodes(task, policies, episodes=episodes, seed=seed, watch=keep)
    if not numbers:
        return Rollouts({}, torch.zeros(0, dtype=torch.int64), torch.zeros(0), torch.zeros(0))
    length = torch.cat([each["length"] for each in numbers])
    steps = [torch.linspace(0, n - 1, min(n, _STEPS)).long() for n in length.int().tolist()]
    episode = torch.cat([torch.full_like(each, index) for index, each in enumerate(steps)])
    rows = torch.cat(steps)
    state = {name: torch.stack(kept[name])[rows, episode] for name in task.reward_inputs.shapes}
    return Rollouts(state, episode, length, torch.cat([each["fitness"] for each in numbers]))


def preference(
    reward: Tensor | RewardRunner, rollouts: Rollouts, *, least_gap: float = 0.0
) -> Preference:
    """Check whether `reward` ranks good episodes above the bad ones that it scores highest.

    The verdict is `fail` if less than half of the pairs are ranked right both per step and in
    total: if episodes end early, a reward that pays more per step for failing can still teach not
    to fail. It is `unknown`, never `pass`, if there is nothing to compare: fewer than four episodes
    of either kind, a range of fitness that is zero or not above `least_gap`, or a reward that
    scores all episodes alike.

    Args:
        reward: A reward, or its values `(rows,)`.
        rollouts: Episodes of known fitness.
        least_gap: The smallest range of fitness for which a verdict is given.

    Returns:
        The verdict with its numbers and a reason.

    Raises:
        UsageError: Values are not finite or not of shape `(rows,)`.
        RewardRuntimeError: The reward fails on these states.
    """
    fitness = rollouts.fitness.double()
    if len(fitness) < 2 * _LEAST:
        return _unknown(f"There are only {len(fitness)} episodes to compare.")
    low, high = float(fitness.min()), float(fitness.max())
    if not math.isfinite(high - low) or high - low <= max(
        least_gap, _FLAT * max(abs(low), abs(high))
    ):
        return _unknown("All episodes went about equally well.")
    good = (fitness >= high - _MARGIN * (high - low)).nonzero()[:, 0]
    bad = (fitness <= low + _MARGIN * (high - low)).nonzero()[:, 0]
    if min(len(good), len(bad)) < _LEAST:
        return _unknown(
            f"There are {len(good)} clearly good and {len(bad)} clearly bad episodes, too few to"
            " compare."
        )
    mean = _mean_per_step(reward, rollouts)
    if float(mean.max() - mean.min()) <= _FLAT * float(mean.abs().max()):
        return _unknown("The reward scores all episodes alike.", len(good), len(bad))
    per_step, in_total = (
        _ranked_right(scores[good], scores[bad]) for scores in (mean, mean * rollouts.length)
    )
    reason = (
        "Of episodes that earlier policies ran, it scores the good ones above the bad ones that it"
        f" scores highest in {per_step:.0%} of the pairs per step and in {in_total:.0%} over whole"
        " episodes."
    )
    verdict: Literal["pass", "fail"] = "fail" if max(per_step, in_total) < 0.5 else "pass"
    return Preference(verdict, per_step, in_total, len(good), len(bad), reason)


def _mean_per_step(reward: Tensor | RewardRunner, rollouts: Rollouts) -> Tensor:
    """Return the mean reward per step of each episode, `(episodes,)` float64."""
    values = reward_values(reward, rollouts.state, len(rollouts.episode))
    sums = torch.zeros(len(rollouts.fitness), dtype=torch.float64).index_add(
        0, rollouts.episode, values
    )
    return sums / rollouts.episode.bincount()


def _ranked_right(good: Tensor, bad: Tensor) -> float:
    """Return the share of pairs (`good`, hardest of `bad`) in which the good one scores higher."""
    hardest = bad.topk(max(_LEAST, math.ceil(_HARDEST * len(bad)))).values
    return float((good[:, None] > hardest).double().mean())


def _unknown(reason: str, successes: int = 0, failures: int = 0) -> Preference:
    return Preference("unknown", math.nan, math.nan, successes, failures, reason)
