"""The gradients of PPO's losses, in the part of Python that TorchScript takes.

No sum crosses candidates. Policy and value function share nothing, so each may take its gradient on a core of its own.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from eureka_agent.trainer.mlp import StackedMLP, forward, gradient


class Networks(NamedTuple):
    """K policies and K value functions."""

    actor: StackedMLP
    """Means of the actions, from the first entries of what the critic sees."""
    log_std: Tensor
    """`(K, 1, action_size)`"""
    critic: StackedMLP


class Samples(NamedTuple):
    """`(K, n, …)` each."""

    observation: Tensor
    """Normalised, of the critic."""
    action: Tensor
    log_prob: Tensor
    """When the action was taken, without the constant that cancels in every ratio."""
    value: Tensor
    """As estimated then."""
    target: Tensor
    """Of the value function."""
    advantage: Tensor


def loss_gradients(
    networks: Networks, samples: Samples, rows: Tensor, clip: float, entropy: float, side_by_side: bool
) -> tuple[Tensor, Tensor]:
    """Return `(K, P)`, of a minibatch of `rows (n,)`, in the order of `Population.flat`, and log ratios `(K, n)`.

    `side_by_side`: the value function's half runs in another thread; only as TorchScript.
    """
    if side_by_side:
        later = torch.jit.fork(_value_gradient, networks.critic, samples, rows, clip)  # type: ignore[no-untyped-call]
        policy, log_ratio = _policy_gradient(networks, samples, rows, clip, entropy)
        value = torch.jit.wait(later)  # type: ignore[no-untyped-call]
    else:
        policy, log_ratio = _policy_gradient(networks, samples, rows, clip, entropy)
        value = _value_gradient(networks.critic, samples, rows, clip)
    return torch.cat([part.flatten(1) for part in policy + value], dim=1), log_ratio


def _policy_gradient(
    networks: Networks, samples: Samples, rows: Tensor, clip: float, entropy: float
) -> tuple[list[Tensor], Tensor]:
    """Of the clipped surrogate (Schulman et al. 2017, eq. 7) and the entropy, `(K, …)` for each of the policy's
    parameters; with the log density now to that before, `(K, n)`.

    With z = (action - mean) / std, the log density changes by z / std with the mean and z^2 - 1 with log std.
    """
    advantage = samples.advantage.index_select(1, rows)
    seen = samples.observation[..., : networks.actor.weights[0].shape[1]].index_select(1, rows)
    mean, activations = forward(networks.actor, seen)
    inverse_std = (-networks.log_std).exp()
    z = (samples.action.index_select(1, rows) - mean).mul_(inverse_std)
    square = z.square()
    log_prob = samples.log_prob.index_select(1, rows)
    log_ratio = (square * 0.5 + networks.log_std).sum(dim=-1).add_(log_prob).neg_()
    ratio = log_ratio.exp()
    gain = ratio * advantage
    learns = gain <= ratio.clamp(1.0 - clip, 1.0 + clip) * advantage  # else the clipped one counts, a constant
    by_density = torch.where(learns, gain, 0.0).div_(-gain.shape[1])[..., None]
    by_log_std = (by_density * square.sub_(1.0)).sum(dim=1, keepdim=True).sub_(entropy)
    parts = gradient(networks.actor, activations, z.mul_(inverse_std).mul_(by_density))
    parts.append(by_log_std)
    return parts, log_ratio


def _value_gradient(critic: StackedMLP, samples: Samples, rows: Tensor, clip: float) -> list[Tensor]:
    """Of the squared error, clipped like the policy's change, `(K, …)` for each parameter of the value function."""
    before, target = samples.value.index_select(1, rows), samples.target.index_select(1, rows)
    value, activations = forward(critic, samples.observation.index_select(1, rows))
    value = value.squeeze(-1)
    change, error = value - before, value - target
    clipped = change.clamp(-clip, clip).add_(before).sub_(target)
    learns = (change.abs() <= clip) | (error.abs() >= clipped.abs())  # else the clipped one counts, a constant
    by_value = torch.where(learns, error, 0.0).mul_(2.0 / error.shape[1])
    return gradient(critic, activations, by_value[..., None])
