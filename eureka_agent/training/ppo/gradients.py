"""PPO's gradient steps with hand-written gradients; written for TorchScript.

The same update in plain torch, for one candidate, is `reference.plain_update`; a test compares the
two. No sum crosses candidates. Policies and value functions share nothing, so they can learn in two
threads.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from eureka_agent.training.ppo.adam import Weights, adam_step
from eureka_agent.training.ppo.choices import entropies, log_shares
from eureka_agent.training.ppo.mlp import StackedMLP, forward, gradient


class Networks(NamedTuple):
    """K policies and K value functions."""

    actor: StackedMLP
    """Observation to mean action, or to the options' scores; it reads the first entries of the
    critic's observation."""
    log_std: Tensor
    """`(K, 1, action_size)`; unused with `choices`."""
    critic: StackedMLP
    choices: list[int]
    """The number of options of each discrete choice; empty if actions are continuous."""


class Batch(NamedTuple):
    """The samples of a rollout, `(K, n, …)` each."""

    observation: Tensor
    """`(K, n, critic_size)`, normalised."""
    action: Tensor
    """`(K, n, action_size)`"""
    log_prob: Tensor
    """log p_old(action), without the constant that cancels in every ratio."""
    value: Tensor
    """V_old, the value before the update."""
    target: Tensor
    """R, what the value function should return."""
    advantage: Tensor
    """A, normalised."""


class UpdateSettings(NamedTuple):
    """What all gradient steps of an update have in common."""

    minibatches: list[Tensor]
    """Rows of the samples, `(n,)` each, of all epochs."""
    learning_rate: Tensor
    """`(K,)`"""
    steps: int
    """Gradient steps before this update."""
    clip: float
    """c: the limit of the ratio's distance from 1, and of a value's distance from V_old."""
    entropy: float
    """Weight of the entropy."""


def learn(
    networks: Networks,
    policy: Weights,
    critic: Weights,
    samples: Batch,
    settings: UpdateSettings,
    alive: Tensor,
    parallel: bool,
) -> tuple[list[Tensor], Tensor]:
    """Take all gradient steps of an update.

    Args:
        networks: The networks. Their weights are views of `policy` and `critic`.
        policy: The policies' weights, changed in place.
        critic: The value functions' weights, changed in place.
        samples: The rollout.
        settings: Minibatches and hyperparameters.
        alive: `(K,)` bool: the candidates that learn.
        parallel: Whether value functions learn in a second thread, which needs TorchScript.

    Returns:
        The log probability ratio of each minibatch, `(K, n)`, and `(K,)` bool: candidates that were
        alive and whose gradients stayed finite.
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
        if len(networks.choices) > 0:
            gradient, log_ratio = _choice_gradient(
                networks, samples, rows, settings.clip, settings.entropy
            )
        else:
            gradient, log_ratio = _policy_gradient(
                networks, samples, rows, settings.clip, settings.entropy
            )
        steps += 1
        alive = adam_step(weights, gradient, alive, settings.learning_rate, steps)
        networks.log_std.clamp_(-3.0, 1.0)  # keeps the exploration's std within 0.05 and 2.7
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
    """Return the gradient `(K, P)` of the policy's loss, and the log ratios `(K, n)`.

    L = -mean(min(r A, clip(r, 1 - c, 1 + c) A)) - entropy * sum(log std), where r = p / p_old
    (Schulman et al. 2017, eq. 7).
    """
    advantage = samples.advantage.index_select(1, rows)
    seen = samples.observation[..., : networks.actor.weights[0].shape[1]].index_select(1, rows)
    mean, activations = forward(networks.actor, seen)
    # log p = -sum(z^2 / 2 + log std) + constant,  z = (action - mean) / std
    inverse_std = (-networks.log_std).exp()
    z = (samples.action.index_select(1, rows) - mean).mul_(inverse_std)
    square = z.square()
    log_prob = samples.log_prob.index_select(1, rows)
    # log r = log p - log p_old
    log_ratio = (square * 0.5 + networks.log_std).sum(dim=-1).add_(log_prob).neg_()
    d_log_prob = _d_log_prob(log_ratio, advantage, clip)
    # d log p / d log std = z^2 - 1
    d_log_std = (d_log_prob * square.sub_(1.0)).sum(dim=1, keepdim=True).sub_(entropy)
    # d log p / d mean = z / std
    parts = gradient(networks.actor, activations, z.mul_(inverse_std).mul_(d_log_prob))
    parts.append(d_log_std)
    return _flatten_gradients(parts), log_ratio


def _choice_gradient(
    networks: Networks, samples: Batch, rows: Tensor, clip: float, entropy: float
) -> tuple[Tensor, Tensor]:
    """Return what `_policy_gradient` does, for policies that choose among options.

    L = -mean(min(r A, clip(r, 1 - c, 1 + c) A)) - entropy * mean(H), with the entropy H of p.
    """
    advantage = samples.advantage.index_select(1, rows)
    seen = samples.observation[..., : networks.actor.weights[0].shape[1]].index_select(1, rows)
    scores, activations = forward(networks.actor, seen)
    log_p = log_shares(scores, networks.choices)
    action = samples.action.index_select(1, rows)
    log_ratio = (action * log_p).sum(dim=-1) - samples.log_prob.index_select(1, rows)
    d_log_prob = _d_log_prob(log_ratio, advantage, clip)
    p = log_p.exp()
    # d log p(action) / d score = action - p,  dH / d score = -p (log p + H)
    d_entropy = p * (log_p + entropies(log_p, networks.choices))
    d_scores = d_log_prob * (action - p) + d_entropy * (entropy / action.shape[1])
    parts = gradient(networks.actor, activations, d_scores)
    parts.append(torch.zeros_like(networks.log_std))
    return _flatten_gradients(parts), log_ratio


def _d_log_prob(log_ratio: Tensor, advantage: Tensor, clip: float) -> Tensor:
    """Return the surrogate's derivative by each log probability, `(K, n, 1)`."""
    ratio = log_ratio.exp()
    # dL / d log p = -r A / n where r A is the minimum; where the clipped term is, 0
    gain = ratio * advantage
    is_minimum = gain <= ratio.clamp(1.0 - clip, 1.0 + clip) * advantage
    return torch.where(is_minimum, gain, 0.0).div_(-gain.shape[1])[..., None]


def _value_gradient(critic: StackedMLP, samples: Batch, rows: Tensor, clip: float) -> Tensor:
    """Return the gradient `(K, P)` of the value function's loss.

    L = mean(max((V - R)^2, (V_old + clip(V - V_old, -c, c) - R)^2)).
    """
    before = samples.value.index_select(1, rows)
    target = samples.target.index_select(1, rows)
    value, activations = forward(critic, samples.observation.index_select(1, rows))
    value = value.squeeze(-1)
    change = value - before
    error = value - target
    clipped_error = change.clamp(-clip, clip).add_(before).sub_(target)
    # dL / dV = 2 (V - R) / n where (V - R)^2 is the maximum or V is not clipped; elsewhere 0
    is_maximum = (change.abs() <= clip) | (error.abs() >= clipped_error.abs())
    d_value = torch.where(is_maximum, error, 0.0).mul_(2.0 / error.shape[1])
    return _flatten_gradients(gradient(critic, activations, d_value[..., None]))


def _flatten_gradients(parts: list[Tensor]) -> Tensor:
    """Return one row per candidate, `(K, P)`, in the order of the flat weights."""
    return torch.cat([part.flatten(1) for part in parts], dim=1)
