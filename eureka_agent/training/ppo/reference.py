"""The PPO update in plain torch, for one candidate: what the hand-written gradients must equal.

`tests/training/ppo/test_update.py` compares a whole update of the population with it. It uses
autograd, `torch.optim.Adam` and a single minibatch per epoch (Schulman et al. 2017).

With the policy pi, the value function V, returns R_t = A_t + V_old(s_t) and c = 0.2, each epoch
takes one step that minimises

    loss      = value - surrogate - entropy weight * sum(log std)
    surrogate = mean(min(r_t A_t, clip(r_t, 1 - c, 1 + c) A_t))
    value     = mean(max((V(s_t) - R_t)^2, (V_old(s_t) + clip(V(s_t) - V_old(s_t), -c, c) - R_t)^2))
    r_t       = pi(a_t | s_t) / pi_old(a_t | s_t)

A_t are the generalised advantages, in the surrogate normalised to mean 0 and standard deviation 1.
The entropy of a Gaussian is sum(log std) plus a constant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import elu

from eureka_agent.config import TrainingBudget
from eureka_agent.training.ppo.ppo import generalised_advantages

_CLIP = 0.2
_MAX_NORM = 1.0


@dataclass(frozen=True)
class PlainRollout:
    """T steps of N environments of one candidate."""

    observation: Tensor
    """`(T, N, observation_size)`, normalised."""
    action: Tensor
    """`(T, N, action_size)`"""
    mean: Tensor
    """`(T, N, action_size)`: means of the policy that acted."""
    reward: Tensor
    """`(T, N)`, scaled."""
    done: Tensor
    """`(T, N)` bool: the episode terminated. Time-outs are left out here."""
    last_observation: Tensor
    """`(N, observation_size)`"""


def plain_update(
    policy: Sequence[Tensor],
    critic: Sequence[Tensor],
    rollout: PlainRollout,
    budget: TrainingBudget,
) -> list[Tensor]:
    """Return the weights of policy and value function after one update.

    Args:
        policy: The policy's weights `(fan_in, fan_out)`, biases `(1, fan_out)` and log std.
        critic: The value function's weights and biases.
        rollout: What the candidate collected.
        budget: Epochs, learning rate, discount, lambda and entropy weight.
    """
    policy = [weight.clone().requires_grad_() for weight in policy]
    critic = [weight.clone().requires_grad_() for weight in critic]
    *actor, log_std = policy
    x = rollout.observation.flatten(0, 1)
    action = rollout.action.flatten(0, 1)
    with torch.no_grad():
        old_log_prob = _log_prob(action, rollout.mean.flatten(0, 1), log_std)
        old_value = _mlp(critic, x).squeeze(-1)
        advantage = _advantage(old_value, critic, rollout, budget)
        target = advantage + old_value
        advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)

    adam = torch.optim.Adam([*policy, *critic], lr=budget.learning_rate, eps=1e-8)
    for _ in range(budget.epochs):
        ratio = (_log_prob(action, _mlp(actor, x), log_std) - old_log_prob).exp()
        clipped_ratio = ratio.clamp(1.0 - _CLIP, 1.0 + _CLIP)
        surrogate = torch.minimum(ratio * advantage, clipped_ratio * advantage).mean()
        value = _mlp(critic, x).squeeze(-1)
        clipped_value = old_value + (value - old_value).clamp(-_CLIP, _CLIP)
        value_loss = torch.maximum((value - target) ** 2, (clipped_value - target) ** 2).mean()
        adam.zero_grad()
        torch.autograd.backward(value_loss - surrogate - budget.entropy * log_std.sum())
        torch.nn.utils.clip_grad_norm_(policy, _MAX_NORM)
        torch.nn.utils.clip_grad_norm_(critic, _MAX_NORM)
        adam.step()
    return [weight.detach() for weight in (*policy, *critic)]


def _log_prob(action: Tensor, mean: Tensor, log_std: Tensor) -> Tensor:
    """Return log pi = -sum(z^2 / 2 + log std), without the constant that cancels in the ratio."""
    z = (action - mean) / log_std.exp()
    return -(0.5 * z**2 + log_std).sum(dim=1)


def _advantage(
    old_value: Tensor, critic: Sequence[Tensor], rollout: PlainRollout, budget: TrainingBudget
) -> Tensor:
    """Return A_t = sum_l (discount * lambda)^l delta_{t+l}, `(T * N,)`, within each episode.

    The error is delta_t = r_t + discount * V(s_{t+1}) - V(s_t).
    """
    values = old_value.view_as(rollout.reward)
    last_value = _mlp(critic, rollout.last_observation).squeeze(-1)
    advantages = generalised_advantages(  # of a population of one: (T, 1, N)
        rollout.reward[:, None],
        values[:, None],
        last_value[None],
        rollout.done[:, None],
        budget.discount,
        budget.gae_lambda,
    )
    return advantages.flatten()


def _mlp(parameters: Sequence[Tensor], x: Tensor) -> Tensor:
    """Apply a perceptron with ELU; `parameters` are all weights, then all biases."""
    layers = len(parameters) // 2
    for k, (weight, bias) in enumerate(zip(parameters[:layers], parameters[layers:], strict=True)):
        x = (elu(x) if k > 0 else x) @ weight + bias
    return x
