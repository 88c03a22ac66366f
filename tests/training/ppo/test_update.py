"""A whole update of the population against PPO written out for one candidate, and the rule of its
learning rate."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from eureka_agent.config import TrainingBudget
from eureka_agent.training.ppo.networks import Population
from eureka_agent.training.ppo.ppo import PPO, generalised_advantages
from eureka_agent.training.rollout_buffer import Rollout

BUDGET = TrainingBudget(
    num_envs=6,
    environment_steps=240,
    horizon=40,
    hidden=(8,),
    epochs=4,
    minibatches=1,
    learning_rate=0.01,
    entropy=0.01,
)
T, K, N, OBSERVATION, ACTION = BUDGET.horizon, 2, BUDGET.num_envs, 3, 2


def filled(population: Population) -> tuple[Rollout, Tensor, Tensor]:
    """Return a rollout, its rewards and the observation after it; its policy was another, so ratios
    are clipped."""
    rollout, generator = Rollout(), torch.Generator().manual_seed(1)
    for t in range(T):
        x = torch.randn(K, N, OBSERVATION, generator=generator)
        action = torch.randn(K, N, ACTION, generator=generator)
        rollout.observations.append(x)
        rollout.means.append(
            population.mean_action(x) + 0.3 * torch.randn(K, N, ACTION, generator=generator)
        )
        rollout.actions.append(action)
        rollout.terminated.append(torch.full((K, N), t % 7 == 6))
        rollout.truncated.append(torch.zeros(K, N, dtype=torch.bool))
        rollout.final_observations.append(x)
        rollout.bad.append(torch.zeros(K, N, dtype=torch.bool))
    rewards = torch.randn(T, K, N, generator=generator) * torch.tensor([1.0, 30.0]).view(1, K, 1)
    return rollout, rewards, torch.randn(K, N, OBSERVATION, generator=generator)


def plain_ppo(
    weights: list[Tensor], rollout: Rollout, rewards: Tensor, last: Tensor, k: int
) -> list[Tensor]:
    """Return candidate `k`'s weights after the update, with nothing stacked: torch's own Adam, ELU
    and clipping."""
    parameters = [weight.clone().requires_grad_() for weight in weights]
    w1, w2, b1, b2, log_std, v1, v2, c1, c2 = parameters

    def column(tensors: list[Tensor]) -> Tensor:
        return torch.stack([tensor[k] for tensor in tensors]).flatten(0, 1)

    def value_of(x: Tensor) -> Tensor:
        return (torch.nn.functional.elu(x @ v1 + c1) @ v2 + c2).squeeze(-1)

    def density(mean: Tensor) -> Tensor:
        return (-0.5 * ((action - mean) / log_std.exp()) ** 2 - log_std).sum(
            dim=1
        )  # without the ratio's constant

    x, action = column(rollout.observations), column(rollout.actions)
    with torch.no_grad():
        before = density(column(rollout.means))
        old = value_of(x)
        advantage = generalised_advantages(
            rewards[:, k : k + 1],
            old.view(T, 1, N),
            value_of(last[k])[None],
            torch.stack([done[k : k + 1] for done in rollout.terminated]),
            BUDGET.discount,
            BUDGET.gae_lambda,
        ).flatten()
        target = advantage + old
        advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
    adam = torch.optim.Adam(parameters, lr=BUDGET.learning_rate, eps=1e-8)
    for _ in range(BUDGET.epochs):
        mean = torch.nn.functional.elu(x @ w1 + b1) @ w2 + b2
        ratio = (density(mean) - before).exp()
        gain = torch.minimum(ratio * advantage, ratio.clamp(0.8, 1.2) * advantage).mean()
        value = value_of(x)
        clipped = old + (value - old).clamp(-0.2, 0.2)
        loss = torch.maximum((value - target) ** 2, (clipped - target) ** 2).mean()
        gradients = torch.autograd.grad(loss - gain - BUDGET.entropy * log_std.sum(), parameters)
        for parameter, each in zip(parameters, gradients, strict=True):
            parameter.grad = each
        torch.nn.utils.clip_grad_norm_(parameters[:5], 1.0)
        torch.nn.utils.clip_grad_norm_(parameters[5:], 1.0)
        adam.step()
    return [parameter.detach() for parameter in parameters]


def test_an_update_is_that_of_plain_ppo_for_each_candidate_alone() -> None:
    population = Population(K, OBSERVATION, ACTION, BUDGET.hidden, std=0.7, seed=0)
    rollout, rewards, last = filled(population)
    every = [*population.policy_parameters, *population.value_parameters]
    before = [[weight[k].detach().clone() for weight in every] for k in range(K)]
    PPO(population, BUDGET, seed=0).update(rollout, rewards, last, torch.ones(K, dtype=torch.bool))
    for k in range(K):
        expected = plain_ppo(before[k], rollout, rewards, last, k)
        for weight, start, end in zip(every, before[k], expected, strict=True):
            assert (end - start).abs().max() > 1e-3  # it did learn
            assert torch.allclose(weight[k], end, atol=2e-5)


@pytest.mark.parametrize(
    ("kl", "rate"),
    [
        (0.041, 1e-3 / 1.5),  # above twice the target of 0.02: smaller steps
        (0.009, 1e-3 * 1.5),  # below half of it: larger ones
        (0.02, 1e-3),
    ],
)
def test_each_candidate_has_a_rate_of_its_own(kl: float, rate: float) -> None:
    ppo = PPO(Population(2, 3, 2, (4,), std=1.0, seed=0), BUDGET, seed=0)
    ppo.learning_rate = torch.tensor([1e-3, 1e-3])
    ppo._adapt(torch.tensor([kl, 0.02]))
    assert ppo.learning_rate.tolist() == pytest.approx([rate, 1e-3])


def test_rates_stay_within_their_bounds() -> None:
    ppo = PPO(Population(2, 3, 2, (4,), std=1.0, seed=0), BUDGET, seed=0)
    for _ in range(40):
        ppo._adapt(torch.tensor([0.0, 1.0]))
    assert ppo.learning_rate.tolist() == pytest.approx([1e-2, 1e-5])
