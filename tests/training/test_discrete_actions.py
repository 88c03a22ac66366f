"""Policies that choose among options: learning, saving, and the trainers of other libraries."""

from __future__ import annotations

import io
from collections import Counter

import pytest
import torch
from torch import Tensor

from eureka_agent.config import TrainingBudget
from eureka_agent.errors import UsageError
from eureka_agent.rewards.runner import OwnReward, SparseReward
from eureka_agent.simulation.rollouts import evaluate, random_actions
from eureka_agent.simulation.samples import sample_states, with_noise
from eureka_agent.training import JobReward, Policy, PopulationTrainer, TrainerSettings, TrainingJob
from eureka_agent.training.initial_policy import demand_fit, shape_of_training
from eureka_agent.training.job import run_job
from eureka_agent.training.ppo.choices import entropies, log_shares
from eureka_agent.training.ppo.gradients import Batch, _choice_gradient
from eureka_agent.training.ppo.networks import Population
from tests.support.point_mass import SteppedPoint

BUDGET = TrainingBudget(num_envs=32, environment_steps=32 * 16 * 30, hidden=(16,))
TASK = SteppedPoint()


def trained() -> Policy:
    settings = TrainerSettings(BUDGET, seed=0)
    (result,) = PopulationTrainer().train(TASK, [SparseReward()], settings)
    assert result.policy is not None
    return result.policy


def test_population_learns_which_options_to_take() -> None:
    policy = trained()
    random_act = random_actions(TASK, seed=0)
    learnt, random = evaluate(TASK, [policy, random_act], episodes=64, seed=0)
    assert learnt.fitness > 0.5 * random.fitness  # both are negative
    actions = policy(torch.tensor([[-0.9], [0.9]]))
    assert actions[:, :3].argmax(dim=1).tolist() == [2, 0]
    assert actions.sum(dim=1).tolist() == [2.0, 2.0]  # one option of each choice
    assert set(actions.flatten().tolist()) == {0.0, 1.0}


def test_policy_with_options_is_saved_scripted_and_copied() -> None:
    policy = Policy([3, 4, 5], choices=(3, 2))
    observation = torch.randn(50, 3, generator=torch.Generator().manual_seed(0))
    expected = policy(observation)
    assert len({tuple(row) for row in expected.tolist()}) > 1
    assert torch.equal(Policy.from_bytes(policy.to_bytes())(observation), expected)
    file = io.BytesIO()
    torch.jit.save(torch.jit.script(policy), file)
    file.seek(0)
    assert torch.equal(torch.jit.load(file)(observation), expected)  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("choices", [(3,), (3, 3), (5, 0)])
def test_policy_with_other_options_than_outputs_is_refused(choices: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="choices with 5 options"):
        Policy([3, 5], choices=choices)


def test_gradient_of_options_equals_autograd() -> None:
    copies, rows, choices, entropy = 2, 40, [3, 2], 0.03
    population = Population(copies, 2, 5, (8,), std=1.0, seed=0, choices=choices)
    generator = torch.Generator().manual_seed(1)
    observation = torch.randn(copies, rows, 2, generator=generator)
    noise = torch.randn(copies, rows, 5, generator=generator)
    scores = population.output(observation)
    action = population.explore(scores, noise)
    # The policy that acted was another one, so that some ratios are clipped.
    before = population.log_prob(scores + 0.5 * noise.flip(1), action)
    advantage = torch.randn(copies, rows, generator=generator)
    zeros = torch.zeros(copies, rows)
    samples = Batch(observation, action, before, zeros, zeros, advantage)
    ours, log_ratio = _choice_gradient(
        population.networks, samples, torch.arange(rows), 0.2, entropy
    )
    flat = population.flat.clone().requires_grad_()
    population.load_flat(flat)
    first, second, *biases, _ = population.policy_parameters
    hidden = torch.nn.functional.elu(observation @ first + biases[0])
    log_p = log_shares(hidden @ second + biases[1], choices)
    ratio = ((action * log_p).sum(dim=-1) - before).exp()
    clipped = ratio.clamp(0.8, 1.2)
    surrogate = torch.minimum(ratio * advantage, clipped * advantage).mean(dim=1)
    each = entropies(log_p, choices)
    of_policy = (each[..., 0] + each[..., 3]).mean(dim=1)
    torch.autograd.backward((-surrogate - entropy * of_policy).sum())
    assert flat.grad is not None
    expected, _ = population.split_policy_value(flat.grad)
    assert torch.allclose(ours, expected, atol=1e-6)
    assert torch.allclose(log_ratio.exp(), ratio.detach(), atol=1e-5)
    assert (ratio != clipped).any()


def test_exploration_draws_options_with_their_probabilities() -> None:
    population = Population(1, 1, 3, (), std=1.0, seed=0, choices=(3,))
    wanted = torch.tensor([0.6, 0.3, 0.1])
    noise = torch.randn(1, 20_000, 3, generator=torch.Generator().manual_seed(0))
    action = population.explore(wanted.log().expand(1, 20_000, 3), noise)
    assert torch.allclose(action[0].mean(dim=0), wanted, atol=0.01)


def test_random_and_noisy_actions_take_one_option_of_each_choice() -> None:
    states = sample_states(TASK, seed=0)
    assert set(states["action"].sum(dim=1).tolist()) == {2.0}

    def left(observation: Tensor) -> Tensor:
        return torch.tensor([1.0, 0.0, 0.0, 1.0, 0.0]).expand(len(observation), 5)

    drawn = with_noise(left, TASK, seed=0)(torch.zeros(500, 1))
    shares = Counter(drawn[:, :3].argmax(dim=1).tolist())
    assert 0 < shares[1] + shares[2] < 250
    assert set(drawn.sum(dim=1).tolist()) == {2.0}


def test_job_trains_the_own_reward_of_environments() -> None:
    rewards = (
        JobReward("human reward", None, built_in="own"),
        JobReward("sparse reward", None),
    )
    budget = TrainingBudget(num_envs=8, environment_steps=8 * 16 * 2, hidden=(4,))
    job = TrainingJob("stepped_point", rewards, budget, seed=0)
    own, sparse = run_job(job, task=TASK)
    assert own.training is not None
    assert sparse.training is not None
    (paid,), (gained,) = own.training.components, sparse.training.components
    assert (paid.name, gained.name) == ("own", "sparse")
    assert paid.minimum > gained.maximum  # the own reward is the other one plus 1


def test_source_of_the_own_reward_is_refused_with_what_to_do() -> None:
    assert TASK.has_human_reward
    assert not TASK.has_human_source
    with pytest.raises(UsageError, match="give a file with a reward"):
        _ = TASK.human_reward


def test_initial_policy_with_other_options_is_refused() -> None:
    shape = shape_of_training(TASK, BUDGET)
    demand_fit(Policy([1, 16, 5], choices=(3, 2)), shape)
    with pytest.raises(UsageError, match=r"actions of 2 x 3 options, but .* 3 x 2 options"):
        demand_fit(Policy([1, 16, 5], choices=(2, 3)), shape)
    with pytest.raises(UsageError, match="actions of 5 numbers, but"):
        demand_fit(Policy([1, 16, 5]), shape)


def test_trainers_of_other_libraries() -> None:
    pytest.importorskip("stable_baselines3")
    from eureka_agent.training.factory import make_trainer

    budget = TrainingBudget(num_envs=8, environment_steps=8 * 16 * 2, horizon=16, hidden=(4,))
    settings = TrainerSettings(budget, seed=0)
    (result,) = make_trainer("sb3").train(TASK, [OwnReward()], settings)
    assert result.policy is not None
    assert result.policy.choices == (3, 2)
    with pytest.raises(UsageError, match="SAC does not support the discrete actions"):
        make_trainer("sb3", algorithm="SAC").train(TASK, [OwnReward()], settings)
    pytest.importorskip("rsl_rl")
    with pytest.raises(UsageError, match="rsl_rl does not support the discrete actions"):
        make_trainer("rsl_rl").train(TASK, [OwnReward()], settings)
