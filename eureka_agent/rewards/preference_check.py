"""Does a reward rank episodes that went well above episodes that did not? Found out without
training with it.

The episodes come from policies that were trained before, with other rewards; their fitness is
known. A reward that gives its policy more per step for failing than for succeeding is likely to
teach failing. The check compares every success with the failures that the reward likes best,
because those are what a policy would find.
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
"""Of an episode at most so many steps are kept, at equal distances."""
_LEAST = 4
"""With fewer successes or failures nothing is said."""
_MARGIN = 0.25
"""Successes are in the upper, failures in the lower quarter of the range of fitness."""
_HARDEST = 0.25
"""Share of the failures that count: those that the reward likes best."""
_FLAT = 1e-5
"""Scores that differ by less, as a share of their size, are equal up to rounding."""


@dataclass(frozen=True)
class Rollouts:
    """Episodes of known fitness, with the states that rewards are computed from."""

    state: State
    """`(rows, *shape)` of every tensor that a reward may read."""
    episode: Tensor
    """`(rows,)` int64: the episode that a row is of."""
    length: Tensor
    """`(episodes,)` environment steps, of which `state` may hold a part."""
    fitness: Tensor
    """`(episodes,)` what the task's own measure says of each."""

    def __post_init__(self) -> None:
        """Refuse episodes without rows."""
        if set(self.episode.tolist()) != set(range(len(self.fitness))):
            raise UsageError(
                f"Each of the {len(self.fitness)} episodes needs rows, numbered from 0."
            )


@dataclass(frozen=True)
class Preference:
    """What the check says of a reward."""

    verdict: Literal["pass", "fail", "unknown"]
    per_step: float
    """Share of the pairs, a success and one of the failures that the reward likes best, whose
    success has the higher mean reward per step; NaN where nothing can be said."""
    in_total: float
    """The same of the sum over the episode."""
    successes: int
    failures: int
    """How many episodes were clearly good and clearly bad."""
    reason: str
    """One sentence."""


def roll_out(task: Task, policies: Sequence[Act], *, episodes: int, seed: int) -> Rollouts:
    """Run `episodes` episodes of each policy, without exploration, and keep up to 64 steps of
    each."""
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
    worlds = torch.cat([torch.full_like(each, world) for world, each in enumerate(steps)])
    rows = torch.cat(steps)
    state = {name: torch.stack(kept[name])[rows, worlds] for name in task.reward_inputs.shapes}
    return Rollouts(state, worlds, length, torch.cat([each["fitness"] for each in numbers]))


def preference(
    reward: Tensor | RewardRunner, rollouts: Rollouts, *, least_gap: float = 0.0
) -> Preference:
    """Return whether `reward` ranks the good episodes above the bad ones that it likes best.

    `reward`: values `(rows,)` or what computes them. The verdict is `fail` where it ranks less than
    half of the pairs right both per step and in total: where episodes end early, a reward that pays
    more per step for failing can still teach not to fail. It is `unknown`, never `pass`, where
    there is nothing to judge by: fewer than four episodes of either kind, a range of fitness that
    is zero or not above `least_gap`, or a reward that scores all episodes alike.
    Raises UsageError for values of another shape or not finite, RewardRuntimeError when the reward
    fails on these states.
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
        f" likes best in {per_step:.0%} of the pairs per step and in {in_total:.0%} over whole"
        " episodes."
    )
    verdict: Literal["pass", "fail"] = "fail" if max(per_step, in_total) < 0.5 else "pass"
    return Preference(verdict, per_step, in_total, len(good), len(bad), reason)


def _mean_per_step(reward: Tensor | RewardRunner, rollouts: Rollouts) -> Tensor:
    """Return `(episodes,)` float64."""
    values = reward_values(reward, rollouts.state, len(rollouts.episode))
    sums = torch.zeros(len(rollouts.fitness), dtype=torch.float64).index_add(
        0, rollouts.episode, values
    )
    return sums / rollouts.episode.bincount()


def _ranked_right(good: Tensor, bad: Tensor) -> float:
    """Return the share of pairs, each of `good` with each of the hardest of `bad`, in which the
    good scores higher."""
    hardest = bad.topk(max(_LEAST, math.ceil(_HARDEST * len(bad)))).values
    return float((good[:, None] > hardest).double().mean())


def _unknown(reason: str, successes: int = 0, failures: int = 0) -> Preference:
    return Preference("unknown", math.nan, math.nan, successes, failures, reason)
