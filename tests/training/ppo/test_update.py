"""An update of the population against the plain reference PPO, and the learning rate's rule."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from eureka_agent.config import TrainingBudget
from eureka_agent.training.ppo.networks import Population
from eureka_agent.training.ppo.ppo import PPO
from eureka_agent.training.ppo.reference import PlainRollout, plain_update
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
    """Return a rollout of another policy, so that ratios are clipped, its rewards and the last
    observation.
    """
    rollout, generator = Rollout(), torch.Generator().manual_seed(1)
    for t in range(T):
        x = torch.randn(K, N, OBSERVATION, generator=generator)
        action = torch.randn(K, N, ACTION, generator=generator)
        rollout.observations.append(x)
        rollout.outputs.append(
            population.output(x) + 0.3 * torch.randn(K, N, ACTION, generator=generator)
        )
        rollout.actions.append(action)
        rollout.terminated.append(torch.full((K, N), t % 7 == 6))
        rollout.truncated.append(torch.zeros(K, N, dtype=torch.bool))
        rollout.final_observations.append(x)
        rollout.bad.append(torch.zeros(K, N, dtype=torch.bool))
    rewards = torch.randn(T, K, N, generator=generator) * torch.tensor([1.0, 30.0]).view(1, K, 1)
    return rollout, rewards, torch.randn(K, N, OBSERVATION, generator=generator)


def one_candidate(rollout: Rollout, rewards: Tensor, last: Tensor, k: int) -> PlainRollout:
    """Return candidate `k`'s part of a rollout."""

    def column(tensors: list[Tensor]) -> Tensor:
        return torch.stack([tensor[k] for tensor in tensors])

    return PlainRollout(
        observation=column(rollout.observations),
        action=column(rollout.actions),
        mean=column(rollout.outputs),
        reward=rewards[:, k],
        done=column(rollout.terminated),
        last_observation=last[k],
    )


def _copy_of(parameters: list[Tensor], k: int) -> list[Tensor]:
    return [weight[k].detach().clone() for weight in parameters]


def test_update_equals_plain_ppo_for_each_candidate() -> None:
    population = Population(K, OBSERVATION, ACTION, BUDGET.hidden, std=0.7, seed=0)
    rollout, rewards, last = filled(population)
    every = [*population.policy_parameters, *population.value_parameters]
    policy_size = len(population.policy_parameters)
    before = [_copy_of(every, k) for k in range(K)]
    PPO(population, BUDGET, seed=0).update(rollout, rewards, last, torch.ones(K, dtype=torch.bool))
    for k in range(K):
        policy, critic = before[k][:policy_size], before[k][policy_size:]
        expected = plain_update(policy, critic, one_candidate(rollout, rewards, last, k), BUDGET)
        for weight, start, end in zip(every, before[k], expected, strict=True):
            assert (end - start).abs().max() > 1e-3  # it has learnt
            assert torch.allclose(weight[k], end, atol=2e-5)


@pytest.mark.parametrize(
    ("kl", "rate"),
    [
        (0.041, 1e-3 / 1.5),  # above twice the target of 0.02: smaller steps
        (0.009, 1e-3 * 1.5),  # below half of it: larger ones
        (0.02, 1e-3),
    ],
)
def test_each_candidate_has_its_own_learning_rate(kl: float, rate: float) -> None:
    ppo = PPO(Population(2, 3, 2, (4,), std=1.0, seed=0), BUDGET, seed=0)
    ppo.learning_rate = torch.tensor([1e-3, 1e-3])
    ppo._adapt(torch.tensor([kl, 0.02]))
    assert ppo.learning_rate.tolist() == pytest.approx([rate, 1e-3])


def test_learning_rates_stay_within_their_bounds() -> None:
    ppo = PPO(Population(2, 3, 2, (4,), std=1.0, seed=0), BUDGET, seed=0)
    for _ in range(40):
        ppo._adapt(torch.tensor([0.0, 1.0]))
    assert ppo.learning_rate.tolist() == pytest.approx([1e-2, 1e-5])
