"""Where a training starts: from random weights, or from a saved policy.

A policy's file has its weights and observation statistics, but neither a value function nor the
exploration noise. The value function is therefore new, which is right for another reward. With a
new value function all advantages are wrong at first, and they would ruin a good policy: it does not
learn in the first fifth of the training, while the value function does. The noise starts as usual;
less of it is worse (`benchmarks/warm_start.py` measures both).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from eureka_agent.config import TrainingBudget
from eureka_agent.errors import UsageError
from eureka_agent.tasks.task import Task
from eureka_agent.training.policy import OBSERVATION_CLIP, Policy
from eureka_agent.training.ppo.networks import Population

HELD_SHARE = 0.2
"""Share of a training for which only the value function learns, if it starts from a policy."""


@dataclass(frozen=True)
class PolicyShape:
    """What a policy must have in common with a training that starts from it."""

    observation_size: int
    hidden: tuple[int, ...]
    action_size: int
    choices: tuple[int, ...] = ()
    """The number of options of each discrete choice."""

    def __str__(self) -> str:
        """Return `observations of 4, hidden layers 64 x 64 and actions of 1 numbers`."""
        layers = " x ".join(map(str, self.hidden)) or "none"
        options = " x ".join(map(str, self.choices))
        actions = f"{options} options" if options else f"{self.action_size} numbers"
        return (
            f"observations of {self.observation_size}, hidden layers {layers} and actions of"
            f" {actions}"
        )


def shape_of_training(task: Task, budget: TrainingBudget) -> PolicyShape:
    """Return the shape of the policies that a task and a budget train; this makes an environment.

    Raises:
        TaskError: The task's code failed.
    """
    size = task.make_env(1, seed=0).observation_size
    return PolicyShape(size, tuple(budget.hidden), task.action_size, task.action_choices)


def demand_fit(policy: Policy, shape: PolicyShape) -> None:
    """Refuse a policy that a training cannot continue.

    Args:
        policy: The policy to start from.
        shape: What the training needs.

    Raises:
        UsageError: It has other sizes, is of another kind, or has numbers that are not finite.
    """
    hidden = tuple(policy.sizes[1:-1])
    own = PolicyShape(policy.sizes[0], hidden, policy.sizes[-1], policy.choices)
    if own != shape:
        raise UsageError(
            f"The policy to start from (--init-policy) has {own}, but this training has {shape}:"
            " give a policy that was trained with the same task and budget."
        )
    kind = (policy.activation, policy.output, policy.observation_clip)
    output = "choice" if shape.choices else "clip"
    if kind != ("elu", output, OBSERVATION_CLIP):
        raise UsageError(
            "The policy to start from (--init-policy) has the activation"
            f" {policy.activation}, its actions are bounded by {policy.output} and its observations"
            f" by {policy.observation_clip:g}, but this training needs elu, {output} and"
            f" {OBSERVATION_CLIP:g}: give a policy that --trainer population trained."
        )
    tensors = policy.state_dict().values()
    if not all(bool(torch.isfinite(tensor).all()) for tensor in tensors):
        raise UsageError(
            "The policy to start from (--init-policy) has weights that are NaN or infinite: give a"
            " policy of a training that did not diverge."
        )


def start_population(
    population: Population, policies: Sequence[Policy | None], budget: TrainingBudget
) -> None:
    """Let the candidates of a new population start from policies.

    The observation statistics count like those of one whole training: after as many steps as the
    budget has, the old and the new observations weigh the same.

    Args:
        population: The population, with random weights.
        policies: One for each candidate, None for random weights; or none at all.
        budget: The budget of the training.

    Raises:
        UsageError: A policy does not fit.
    """
    observation_size, *hidden, action_size = population.sizes
    shape = PolicyShape(observation_size, tuple(hidden), action_size, tuple(population.choices))
    for k, policy in enumerate(policies):
        if policy is None:
            continue
        demand_fit(policy, shape)
        steps = budget.iterations * budget.num_envs * budget.horizon
        population.start_from(k, policy, steps=steps)


def held_iterations(iterations: int) -> int:
    """Return for how many first iterations a policy that was given does not learn.

    Args:
        iterations: The iterations of the whole training.
    """
    return round(HELD_SHARE * iterations)


def policy_to_text(policy: bytes) -> str:
    """Return the bytes of a policy's file as text (base64), for a job."""
    return base64.b64encode(policy).decode("ascii")


def policy_from_text(text: str) -> Policy:
    """Return the policy that `policy_to_text` wrote.

    Raises:
        UsageError: The text is not a policy. It may come from anywhere.
    """
    try:
        return Policy.from_bytes(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError) as error:
        raise UsageError(
            f"The initial policy of a training job is damaged: {error}. Write the job again."
        ) from error
