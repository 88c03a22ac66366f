"""PPO's gradient steps, in the part of Python that TorchScript takes.

No sum crosses candidates. Policies and value functions share nothing, so each may learn on a core
of its own.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from eureka_agent.training.ppo.adam import Weights, adam_step
from eureka_agent.training.ppo.mlp import StackedMLP, forward, gradient


class Networks(NamedTuple):
    """K policies and K value functions."""

    actor: StackedMLP
    """Means of the actions, from the first entries of what the critic sees."""
    log_std: Tensor
    """`(K, 1, action_size)`"""
    critic: StackedMLP


class Batch(NamedTuple):
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


class UpdateSettings(NamedTuple):
    """What all gradient steps of an update have in common."""

    minibatches: list[Tensor]
    """Rows of the samples, `(n,)` each, of all epochs."""
    learning_rate: Tensor
    """`(K,)`"""
    steps: int
    """Gradient steps of the updates before."""
    clip: float
    """How far the ratio of densities may go from 1, and a value from the one estimated before."""
    entropy: float


def learn(
    networks: Networks,
    policy: Weights,
    critic: Weights,
    samples: Batch,
    settings: UpdateSettings,
    alive: Tensor,
    parallel: bool,
) -> tuple[list[Tensor], Tensor]:
    """Take all gradient steps of an update; `policy` and `critic` are the weights that `networks`
    has views of.

    Returns of each minibatch the log density then to that of the samples, `(K, n)`, and who of
    `alive (K,)` goes on: those whose gradients stayed finite. `parallel`: value functions learn
    in another thread; as TorchScript only.
    """
    if parallel:  # torch leaves both calls untyped
        later = torch.jit.fork(_learn_values, networks.critic, critic, samples, settings, alive)  # type: ignore[no-untyped-call]
        log_ratios, finite = _learn_policy(networks, policy, samples, settings, alive)
        return log_ratios, finite & torch.jit.wait(later)  # type: ignore[no-untyped-call]
    log_ratios, finite = _learn_policy(networks, policy, samples, settings, alive)
    return log_ratios, finite & _learn_values(networks.critic, critic, samples, settings, alive)


def _learn_policy(
    networks: Networks, weights: Weights, samples: Batch, settings: UpdateSettings, alive: Tensor
) -> tuple[list[Tensor], Tensor]:
    log_ratios, steps = settings.minibatches[:0], settings.steps
    for rows in settings.minibatches:
        gradient, log_ratio = _policy_gradient(
            networks, samples, rows, settings.clip, settings.entropy
        )
        steps += 1
        alive = adam_step(weights, gradient, alive, settings.learning_rate, steps)
        networks.log_std.clamp_(
            -3.0, 1.0
        )  # exploration neither dies nor runs away: std 0.05 to 2.7
        log_ratios.append(log_ratio)
    return log_ratios, alive


def _learn_values(
    critic: StackedMLP, weights: Weights, samples: Batch, settings: UpdateSettings, alive: Tensor
) -> Tensor:
    steps = settings.steps
    for rows in settings.minibatches:
        steps += 1
        gradient = _value_gradient(critic, samples, rows, settings.clip)
        alive = adam_step(weights, gradient, alive, settings.learning_rate, steps)
    return alive


def _policy_gradient(
    networks: Networks, samples: Batch, rows: Tensor, clip: float, entropy: float
) -> tuple[Tensor, Tensor]:
    """`(K, P)`, of the clipped surrogate (Schulman et al. 2017, eq. 7) and the entropy; with log
    ratios `(K, n)`.

    With z = (action - mean) / std, the log density changes by z / std with the mean and z^2 - 1
    with log std.
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
    learns = (
        gain <= ratio.clamp(1.0 - clip, 1.0 + clip) * advantage
    )  # else the clipped one counts, a constant
    by_density = torch.where(learns, gain, 0.0).div_(-gain.shape[1])[..., None]
    by_log_std = (by_density * square.sub_(1.0)).sum(dim=1, keepdim=True).sub_(entropy)
    parts = gradient(networks.actor, activations, z.mul_(inverse_std).mul_(by_density))
    parts.append(by_log_std)
    return _flatten_gradients(parts), log_ratio


def _value_gradient(critic: StackedMLP, samples: Batch, rows: Tensor, clip: float) -> Tensor:
    """`(K, P)`, of the squared error, clipped like the policy's change."""
    before, target = samples.value.index_select(1, rows), samples.target.index_select(1, rows)
    value, activations = forward(critic, samples.observation.index_select(1, rows))
    value = value.squeeze(-1)
    change, error = value - before, value - target
    clipped = change.clamp(-clip, clip).add_(before).sub_(target)
    learns = (change.abs() <= clip) | (
        error.abs() >= clipped.abs()
    )  # else the clipped one counts, a constant
    by_value = torch.where(learns, error, 0.0).mul_(2.0 / error.shape[1])
    return _flatten_gradients(gradient(critic, activations, by_value[..., None]))


def _flatten_gradients(parts: list[Tensor]) -> Tensor:
    return torch.cat([part.flatten(1) for part in parts], dim=1)
