"""How far two rewards are from each other, without training with either.

Two rewards that differ by a positive factor and by potential shaping want the same policies (Ng,
Harada & Russell 1999), so a distance between rewards should not see these. STARC (Skalse et al.,
ICLR 2024) builds such distances in three steps: a canonical form c(R) that is the same for all
rewards that differ by shaping, a norm n to divide it by, and a metric on what results::

    d(A, B) = 1/2 | s(A) - s(B) |        s(R) = c(R) / n(c(R)), and 0 where c(R) = 0

Here c is the paper's minimal canonicalisation for the mean-square norm over a batch of transitions:
of all rewards that differ from R by shaping, the one with the least norm. That is what a
least-squares fit leaves over::

    c(R) = R - F w,   w = argmin | R - F w |,   F[row, k] = discount * f_k(s') - f_k(s)

with the potentials f_k below instead of every function of the state, and f_k(s') = 0 where the
episode terminated. For unit vectors d is sqrt((1 - correlation) / 2), as in EPIC (Gleave et al.,
ICLR 2021), but without EPIC's rewards of transitions that cannot happen (the objection of DARD,
Wulfe et al., ICLR 2022).

`docs/distance.md` says what is and what is not invariant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import torch
from torch import Tensor

from eureka_agent.errors import UsageError
from eureka_agent.rewards.runner import RewardRunner, reward_values
from eureka_agent.simulation.rollouts import Act, random_actions
from eureka_agent.simulation.samples import sample_steps, with_noise
from eureka_agent.tasks.task import State, Task

Reward: TypeAlias = Tensor | RewardRunner
"""A reward's values on the transitions, `(rows,)`, or what computes them."""

NUM_ENVS = 256
STEPS = 64
COMPARED_ROWS = NUM_ENVS * STEPS
"""Rows of `sample_transitions`; with a quarter of them, the distances of other seeds differ by up
to 0.1."""
_MOST_POTENTIALS, _ROWS_PER_POTENTIAL = 256, 16
"""So many potentials, and for so many rows each; more would fit the sample's accidents."""
_ROUNDING = 1e-5
"""What is left of a reward below this share of its size is the rounding of float32, not a
reward."""
_INDEPENDENT = 1e-6
"""Smallest singular value, as a share of the largest, of a direction that is not rounding."""


@dataclass(frozen=True)
class Transitions:
    """A batch of environment steps on which rewards are compared."""

    state: State
    """`(rows, *shape)` of every tensor that a reward may read: `<name>` after a step, `prev_<name>`
    before it."""
    terminated: Tensor
    """`(rows,)` bool: the episode ended there by failure or success, not by time."""
    potentials_of: tuple[str, ...]
    """The variables that a potential may depend on; each is in `state` with its `prev_<name>`."""
    discount: float = 0.99
    """Of the trainings that the rewards are meant for; shaping depends on it."""

    def __post_init__(self) -> None:
        """Refuse batches of which no canonical form can be computed."""
        rows = len(self.terminated)
        if not rows or not self.potentials_of:
            what = (
                f"{rows} transitions and {len(self.potentials_of)} variables that potentials"
                " depend on"
            )
            raise UsageError(f"Rewards are compared on at least one of each, got {what}.")
        for name in (n for variable in self.potentials_of for n in (variable, f"prev_{variable}")):
            got = tuple(self.state[name].shape) if name in self.state else None
            if got is None or got[:1] != (rows,):
                raise UsageError(
                    f"The transitions need {name!r} with {rows} rows, as `terminated` has; got"
                    f" {got}."
                )
        if not 0.0 <= self.discount <= 1.0:
            raise UsageError(f"The discount must lie between 0 and 1, got {self.discount}.")

    def __len__(self) -> int:
        return len(self.terminated)

    @cached_property
    def shaping(self) -> Tensor:
        """`(rows, rank)` float64: an orthonormal basis of what shaping can add, F of the module's
        docstring."""
        before, after = self._potentials()
        rows = self.discount * after * ~self.terminated[:, None].cpu() - before
        rows = rows / rows.norm(dim=0).clamp_min(1e-30)
        left, sizes, _ = torch.linalg.svd(rows, full_matrices=False)
        basis: Tensor = left[:, sizes > _INDEPENDENT * sizes[0]]
        return basis

    def _potentials(self) -> tuple[Tensor, Tensor]:
        """Return the potentials before and after each step, `(rows, potentials)` float64.

        A constant, every entry of the variables, and the products of all pairs of entries; only the
        squares where those would be too many.
        """
        flat = [
            torch.cat(
                [
                    self.state[f"{prefix}{n}"].cpu().double().reshape(len(self), -1)
                    for n in self.potentials_of
                ],
                1,
            )
            for prefix in ("prev_", "")
        ]
        both = torch.cat(flat)
        spread = both.std(dim=0)
        moving = spread > 1e-9 * both.abs().amax(dim=0)
        both = ((both - both.mean(dim=0)) / spread)[:, moving]
        count = both.shape[1]
        first, second = torch.triu_indices(count, count)
        if (count + 1) * (count + 2) // 2 > min(_MOST_POTENTIALS, len(self) // _ROWS_PER_POTENTIAL):
            first = second = torch.arange(count)
        every = torch.cat(
            (torch.ones(len(both), 1).double(), both, both[:, first] * both[:, second]), dim=1
        )
        return every[: len(self)], every[len(self) :]


def reward_distance(a: Reward, b: Reward, transitions: Transitions) -> float:
    """Return the distance between two rewards, from 0 (they want the same) to 1 (they want opposite
    things).

    0.5 is between a reward that wants nothing (only shaping) and any other; unrelated rewards have
    about 0.7. See the module's docstring for the equations. Raises UsageError for values that are
    not `(rows,)` and finite, RewardRuntimeError when a reward fails on the transitions.
    """
    return distance_of(canonical(a, transitions), canonical(b, transitions))


def canonical(reward: Reward, transitions: Transitions) -> Tensor:
    """Return s(R), `(rows,)` float64: equal for rewards that differ by shaping and a positive
    factor.

    Its Euclidean norm is 1, or 0 for a reward that wants nothing. Raises as `reward_distance` does.
    """
    values = reward_values(reward, transitions.state, len(transitions))
    left = values - transitions.shaping @ (transitions.shaping.T @ values)
    size = left.norm()
    return left / size if size > _ROUNDING * values.norm() else torch.zeros_like(left)


def distance_of(a: Tensor, b: Tensor) -> float:
    """Return the distance between two rewards in canonical form."""
    return min(1.0, 0.5 * float((a - b).norm()))


def nearest(candidate: Tensor, earlier: Mapping[str, Tensor]) -> tuple[str, float] | None:
    """Return the name and distance of the nearest of `earlier`, all in canonical form; None when
    there are none."""
    distances = {name: distance_of(candidate, other) for name, other in earlier.items()}
    return min(distances.items(), key=lambda item: item[1]) if distances else None


def sample_transitions(
    task: Task,
    *,
    policies: Sequence[Act] = (),
    seed: int = 0,
    num_envs: int = NUM_ENVS,
    steps: int = STEPS,
    discount: float = 0.99,
) -> Transitions:
    """Return transitions of a task, `num_envs * steps` rows less those in which the physics
    diverged.

    The environments are shared equally between uniformly random actions and the policies, whose
    actions get noise: where the action follows from the state, every reward is a shaping (its own
    advantage is 0). Raises UsageError.
    """
    acts = [
        random_actions(task, seed=seed),
        *(with_noise(policy, task, seed=seed) for policy in policies),
    ]
    if num_envs < len(acts) or steps < 1:
        raise UsageError(
            f"{len(acts)} ways to act need at least as many environments and a step, got {num_envs}"
            f" and {steps}."
        )
    state, terminated = sample_steps(task, acts, seed=seed, num_envs=num_envs, steps=steps)
    variables = (v.name for v in task.reward_inputs.variables if v.kind != "action")
    potentials_of = tuple(name for name in variables if not name.startswith("prev_"))
    return Transitions(state, terminated, potentials_of, discount)
