"""The distance between two rewards, without training with either.

Two rewards that differ by a positive factor and by potential shaping have the same best policies
(Ng, Harada & Russell 1999), so a distance between rewards should ignore both. STARC (Skalse et al.,
ICLR 2024) builds such distances in three steps: a canonical form c(R) that is the same for all
rewards that differ by shaping, a norm n to divide it by, and a metric on the result::

    d(A, B) = 1/2 | s(A) - s(B) |        s(R) = c(R) / n(c(R)), and 0 where c(R) = 0

Here c is the paper's minimal canonicalisation for the mean-square norm over a batch of transitions:
of all rewards that differ from R by shaping, the one with the least norm. This is the residual of a
least-squares fit::

    c(R) = R - F w,   w = argmin | R - F w |,   F[row, k] = discount * f_k(s') - f_k(s)

with the potentials f_k below instead of every function of the state, and f_k(s') = 0 where the
episode terminated. For unit vectors d is sqrt((1 - correlation) / 2), as in EPIC (Gleave et al.,
ICLR 2021), but without EPIC's rewards of impossible transitions, to which DARD objects (Wulfe et
al., ICLR 2022).

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
"""A reward's values on the transitions, `(rows,)`, or a runner that computes them."""

NUM_ENVS = 256
STEPS = 64
COMPARED_ROWS = NUM_ENVS * STEPS
"""Rows of `sample_transitions`; with a quarter of them, seeds differ by up to 0.1 in distance."""
_MOST_POTENTIALS, _ROWS_PER_POTENTIAL = 256, 16
"""Most potentials, and the fewest rows per potential; more potentials would overfit the sample."""
_ROUNDING = 1e-5
"""A residual below this share of the reward's size is rounding of float32 and counts as zero."""
_INDEPENDENT = 1e-6
"""Directions whose singular value is below this share of the largest are rounding."""


@dataclass(frozen=True)
class Transitions:
    """A batch of environment steps on which rewards are compared. See `sample_transitions`.

    Args:
        state: `(rows, *shape)` of every tensor that a reward may read: `<name>` after a step,
            `prev_<name>` before it.
        terminated: `(rows,)` bool: the episode ended there by failure or success, not by time.
        potentials_of: The variables that a potential may depend on; each is in `state` with its
            `prev_<name>`.
        discount: The discount of the trainings that the rewards are for; shaping depends on it.

    Raises:
        UsageError: There are no rows or no variables for potentials, a variable is missing or has
            another number of rows, or the discount is not between 0 and 1.
    """

    state: State
    terminated: Tensor
    potentials_of: tuple[str, ...]
    discount: float = 0.99

    def __post_init__(self) -> None:
        """Refuse batches for which no canonical form can be computed."""
        rows = len(self.terminated)
        if not rows or not self.potentials_of:
            what = (
                f"{rows} transitions and {len(self.potentials_of)} variables that potentials"
                " depend on"
            )
            raise UsageError(f"Comparing rewards needs at least one of each, got {what}.")
        for name in (n for variable in self.potentials_of for n in (variable, f"prev_{variable}")):
            got = tuple(self.state[name].shape) if name in self.state else None
            if got is None or got[:1] != (rows,):
                raise UsageError(
                    f"The transitions need {name!r} with {rows} rows, like `terminated`; got {got}."
                )
        if not 0.0 <= self.discount <= 1.0:
            raise UsageError(f"The discount must lie between 0 and 1, got {self.discount}.")

    def __len__(self) -> int:
        return len(self.terminated)

    @cached_property
    def shaping(self) -> Tensor:
        """`(rows, rank)` float64: an orthonormal basis of the columns of F, see the module."""
        before, after = self._potentials()
        rows = self.discount * after * ~self.terminated[:, None].cpu() - before
        rows = rows / rows.norm(dim=0).clamp_min(1e-30)
        left, sizes, _ = torch.linalg.svd(rows, full_matrices=False)
        basis: Tensor = left[:, sizes > _INDEPENDENT * sizes[0]]
        return basis

    def _potentials(self) -> tuple[Tensor, Tensor]:
        """Return the potentials before and after each step, `(rows, potentials)` float64.

        They are a constant, every entry of the variables, and the products of all pairs of entries,
        or only the squares if the products would be too many.
        """
        both = torch.cat([self._entries("prev_"), self._entries("")])
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

    def _entries(self, prefix: str) -> Tensor:
        """Return all entries of the variables, `(rows, entries)` float64."""
        columns = (self.state[f"{prefix}{name}"] for name in self.potentials_of)
        return torch.cat([each.cpu().double().reshape(len(self), -1) for each in columns], 1)


def reward_distance(a: Reward, b: Reward, transitions: Transitions) -> float:
    """Return the distance between two rewards; the module's docstring has the equations.

    Args:
        a: A reward, or its values `(rows,)` on the transitions.
        b: The other reward, or its values.
        transitions: The environment steps on which they are compared.

    Returns:
        0 if both prefer the same policies, 1 if they prefer opposite ones. Unrelated rewards have
        about 0.7. A reward that is only shaping has 0.5 to any other.

    Raises:
        UsageError: Values are not finite or not of shape `(rows,)`.
        RewardRuntimeError: A reward fails on the transitions.
    """
    return distance_of(canonical(a, transitions), canonical(b, transitions))


def canonical(reward: Reward, transitions: Transitions) -> Tensor:
    """Return s(R), `(rows,)` float64, which shaping and a positive factor do not change.

    Its Euclidean norm is 1, or 0 for a reward that is only shaping. Raises as `reward_distance`
    does.
    """
    values = reward_values(reward, transitions.state, len(transitions))
    left = values - transitions.shaping @ (transitions.shaping.T @ values)
    size = left.norm()
    return left / size if size > _ROUNDING * values.norm() else torch.zeros_like(left)


def distance_of(a: Tensor, b: Tensor) -> float:
    """Return the distance between two rewards in canonical form."""
    return min(1.0, 0.5 * float((a - b).norm()))


def nearest(candidate: Tensor, earlier: Mapping[str, Tensor]) -> tuple[str, float] | None:
    """Return name and distance of the nearest of `earlier` (canonical forms); None if empty."""
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
    """Sample transitions of a task on which rewards can be compared.

    Uniformly random actions and each of the policies get the same share of the environments. The
    policies' actions get noise: if the action followed from the state, every reward would be
    shaping (its own advantage would be 0).

    Args:
        task: The task to simulate.
        policies: Policies to sample from, in addition to random actions.
        seed: Seed of initial states, actions and noise.
        num_envs: Number of environments that are stepped together.
        steps: Number of steps of each environment.
        discount: Discount of the returns of the rewards that are compared.

    Returns:
        `num_envs * steps` rows without those in which the physics diverged.

    Raises:
        UsageError: There are fewer environments than ways to act, or no steps.
    """
    acts = [
        random_actions(task, seed=seed),
        *(with_noise(policy, task, seed=seed) for policy in policies),
    ]
    if num_envs < len(acts) or steps < 1:
        raise UsageError(
            f"{len(acts)} ways to act need at least {len(acts)} environments and one step, got"
            f" {num_envs} and {steps}."
        )
    state, terminated = sample_steps(task, acts, seed=seed, num_envs=num_envs, steps=steps)
    variables = (v.name for v in task.reward_inputs.variables if v.kind != "action")
    potentials_of = tuple(name for name in variables if not name.startswith("prev_"))
    return Transitions(state, terminated, potentials_of, discount)
