"""The pieces of the population PPO, each compared with arithmetic by hand or a plain reference."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import pytest
import torch

from eureka_agent.errors import UsageError
from eureka_agent.training.policy import Policy
from eureka_agent.training.ppo.adam import Weights, adam_step
from eureka_agent.training.ppo.mlp import StackedMLP, forward, gradient
from eureka_agent.training.ppo.networks import Population, RunningMoments
from eureka_agent.training.ppo.ppo import ReturnScale, generalised_advantages


def test_generalised_advantages_by_hand() -> None:
    # One candidate, one environment, T = 3, discount 0.5, lambda 0.5; the episode ends at step 1.
    rewards = torch.tensor([1.0, 2.0, 4.0]).view(3, 1, 1)
    values = torch.tensor([1.0, 1.0, 2.0]).view(3, 1, 1)
    done = torch.tensor([False, True, False]).view(3, 1, 1)
    advantages = generalised_advantages(rewards, values, torch.tensor([[6.0]]), done, 0.5, 0.5)
    # step 2: delta = 4 + 0.5 * 6 - 2 = 5
    # step 1: delta = 2 + 0 - 1 = 1, nothing from step 2
    # step 0: delta = 1 + 0.5 * 1 - 1 = 0.5, plus 0.25 * 1
    assert advantages.flatten().tolist() == [0.75, 1.0, 5.0]


def test_running_moments_equal_the_moments_of_all_data() -> None:
    torch.manual_seed(0)
    data = torch.randn(2, 90, 3, dtype=torch.float32) * torch.tensor([1.0, 5.0, 0.1]) + 3.0
    moments = RunningMoments(2, 3)
    for part in torch.split(data, [10, 30, 50], dim=1):
        moments.update(part)
    assert torch.allclose(moments.mean, data.mean(dim=1), atol=1e-5)
    assert torch.allclose(moments.variance, data.var(dim=1, correction=0), rtol=1e-4)


def test_return_scale_makes_rewards_independent_of_their_size() -> None:
    torch.manual_seed(0)
    rewards, done = torch.rand(16, 1, 32), torch.zeros(16, 1, 32, dtype=torch.bool)
    small = ReturnScale(1, 32, 0.99)(rewards, done)
    large = ReturnScale(1, 32, 0.99)(rewards * 1000.0, done)
    assert torch.allclose(small, large, rtol=1e-3)


def test_return_scale_after_a_candidate_is_dropped_continues_with_the_others() -> None:
    """Two rewards in three environments, of 1 and 3 per step; discount 0.5 leaves 1 + 0.5 and
    3 + 1.5 after two steps.

    The second continues: a third step makes 3 + 2.25 = 5.25.
    """
    scale = ReturnScale(2, 3, 0.5)
    pay, never = torch.tensor([1.0, 3.0])[None, :, None], torch.zeros(2, 2, 3, dtype=torch.bool)
    scale(pay.expand(2, 2, 3), never)
    assert scale._running.tolist() == [[1.5] * 3, [4.5] * 3]
    scale.keep(torch.tensor([1]))
    scale(pay[:, 1:].expand(1, 1, 3), torch.zeros(1, 1, 3, dtype=torch.bool))
    assert scale._running.tolist() == [[5.25] * 3]


def test_adam_step_equals_torchs_adam_for_each_candidate() -> None:
    torch.manual_seed(0)
    start = torch.randn(2, 20)
    gradients = [torch.randn(2, 20) for _ in range(20)]
    stacked = start.clone()
    weights = Weights(stacked, torch.zeros(2, 20), torch.zeros(2, 20))
    for steps, each in enumerate(gradients, start=1):
        adam_step(weights, each, torch.tensor([True, True]), torch.tensor([0.01, 0.002]), steps)
    for k, rate in enumerate((0.01, 0.002)):
        alone = start[k].clone().requires_grad_()
        reference = torch.optim.Adam([alone], lr=rate, eps=1e-8)
        for each in gradients:
            alone.grad = each[k].clone()
            torch.nn.utils.clip_grad_norm_([alone], 1.0)
            reference.step()
        assert torch.allclose(stacked[k], alone, atol=1e-6)


def test_candidate_with_nan_gradient_keeps_its_weights_and_affects_no_other() -> None:
    stacked = torch.ones(2, 3)
    gradient = torch.ones(2, 3)
    gradient[1, 0] = math.nan
    weights = Weights(stacked, torch.zeros(2, 3), torch.zeros(2, 3))
    alive = adam_step(weights, gradient, torch.tensor([True, True]), torch.tensor([0.1, 0.1]), 1)
    assert alive.tolist() == [True, False]
    assert torch.equal(stacked[1], torch.ones(3))
    assert torch.isfinite(stacked[0]).all()
    assert (stacked[0] < 1.0).all()


@pytest.mark.parametrize("hidden", [(), (4,), (5, 4)])
def test_gradient_equals_autograds_for_each_candidate(
    hidden: tuple[int, ...],
) -> None:
    torch.manual_seed(0)
    sizes = (3, *hidden, 2)
    weights = [torch.randn(2, *shape) for shape in pairwise(sizes)]
    biases = [torch.randn(2, 1, size) for size in sizes[1:]]
    x, back = torch.randn(2, 6, 3), torch.randn(2, 6, 2)
    mlp = StackedMLP(weights, biases)
    outputs, seen = forward(mlp, x)
    gradients = gradient(mlp, seen, back)
    for k in range(2):
        alone = [each[k].clone().requires_grad_() for each in (*weights, *biases)]
        y = x[k]
        for layer in range(len(weights)):
            y = y @ alone[layer] + alone[len(weights) + layer]
            y = torch.nn.functional.elu(y) if layer < len(hidden) else y
        assert torch.allclose(outputs[k], y, atol=1e-5)
        expected = torch.autograd.grad(y, alone, back[k])
        for ours, theirs in zip(gradients, expected, strict=True):
            assert torch.allclose(ours[k], theirs, atol=1e-5)


def test_activation_is_elu() -> None:
    x = torch.linspace(-5.0, 5.0, 101).view(1, 101, 1)
    ours, seen = forward(StackedMLP([torch.ones(1, 1, 1)] * 2, [torch.zeros(1, 1, 1)] * 2), x)
    x = x.clone().requires_grad_()
    theirs = torch.nn.functional.elu(x)
    assert torch.allclose(ours, theirs, atol=1e-6)
    assert torch.allclose(seen.slopes[0], torch.autograd.grad(theirs.sum(), x)[0], atol=1e-6)


def test_kept_candidates_act_as_before() -> None:
    torch.manual_seed(0)
    population = Population(3, 4, 2, (8,), 1.0, seed=0)
    population.flat.add_(torch.randn_like(population.flat))
    population.moments.update(torch.randn(3, 10, 4))
    observation = torch.randn(3, 6, 4)
    before = population.output(population.normalise(observation))
    population.keep(torch.tensor([0, 2]))
    after = population.output(population.normalise(observation[[0, 2]]))
    assert torch.allclose(before[[0, 2]], after, atol=1e-6)
    population.flat.zero_()
    assert (
        population.output(observation[:2]) == 0.0
    ).all()  # the networks are still views of the flat weights


def test_exported_policy_acts_like_the_population_and_survives_the_disk(tmp_path: Path) -> None:
    torch.manual_seed(0)
    population = Population(3, 6, 2, (8, 8), 1.0, seed=0)
    population.flat.add_(torch.randn_like(population.flat) * 0.3)
    population.moments.update(torch.randn(3, 50, 6) * 2 + 1)
    observation = torch.randn(3, 10, 6)
    expected = population.output(population.normalise(observation)).clamp(-1, 1)
    path = tmp_path / "policy.safetensors"
    for k in range(3):
        population.export(k).save(path)
        assert torch.allclose(Policy.load(path)(observation[k]), expected[k], atol=1e-5)


def test_file_that_is_not_a_policy_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "policy.safetensors"
    path.write_bytes(b"not a policy")
    with pytest.raises(UsageError, match="is not a policy file"):
        Policy.load(path)
    with pytest.raises(UsageError, match="is not a policy file"):
        Policy.load(tmp_path / "missing.safetensors")


def test_all_candidates_start_with_equal_weights() -> None:
    population = Population(3, 4, 2, (8,), 1.0, seed=1)
    for parameter in (*population.policy_parameters, *population.value_parameters):
        assert torch.equal(parameter[0], parameter[2])
