"""The asymmetric critic: its value function also sees privileged state."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from eureka_agent.config import TrainingBudget
from eureka_agent.errors import RewardRuntimeError
from eureka_agent.rewards.runner import SparseReward
from eureka_agent.tasks.task import Task
from eureka_agent.training import (
    Checkpoint,
    PopulationTrainer,
    Progress,
    TrainerSettings,
    TrainResult,
)
from eureka_agent.training.external import ExternalEnvironment
from eureka_agent.training.policy import Policy
from eureka_agent.training.population import PopulationTraining
from eureka_agent.training.ppo.networks import Population
from tests.support.hidden_side import STEPS, AsymmetricHiddenSide, HiddenSide, side_reward
from tests.support.in_process import InProcess

TINY = TrainingBudget(num_envs=8, environment_steps=8 * 16 * 5, horizon=16, hidden=(16, 8))


def training_of(task: Task, budget: TrainingBudget) -> PopulationTraining:
    return PopulationTraining(task, [side_reward()], TrainerSettings(budget, seed=0, threads=1))


@torch.no_grad()
def explained_variance(task: Task) -> float:
    """Return the share of the returns' variance that the values explain after some training."""
    training = training_of(
        task, TrainingBudget(64, 64 * 16 * 20, horizon=16, hidden=(16,), discount=0.5)
    )
    with torch.enable_grad():
        for _ in training.run():
            pass
    rollout = training._collect().rollout
    returns = 2.0 * training._recorder.take()["side"]
    scale = training.scale.scale  # values are in units of the scaled rewards
    values = scale * training.ppo._values(torch.stack(rollout.observations))[:, 0]
    return 1.0 - float((returns - values).var() / returns.var())


def test_critic_explains_returns_that_depend_on_privileged_state() -> None:
    # Every step pays the side, -1 or 1, without end (time-outs bootstrap): at discount 0.5 the
    # return is 2 * side, with variance 4. Mass and side are independent, so from the observation
    # alone the best estimate is the mean, 0, which explains none of the variance. A critic that
    # sees the side can explain all of it.
    assert explained_variance(HiddenSide()) < 0.1
    assert explained_variance(AsymmetricHiddenSide()) > 0.9


def test_time_out_bootstraps_from_its_final_privileged_state() -> None:
    training = training_of(AsymmetricHiddenSide(), TrainingBudget(4, 4 * 16, horizon=16, hidden=()))
    population = training.ppo.population
    with torch.no_grad():  # the value is the number of steps that the episode has had
        weight, bias = population.value_parameters
        weight.copy_(torch.tensor([0.0, 0.0, 0.0, 1.0]).view(1, 4, 1))
        bias.zero_()
    rollout = training._collect().rollout
    population.moments.mean, population.moments.variance = torch.zeros(1, 4), torch.ones(1, 4)
    values = training.ppo._timeout_values(rollout)
    expected = torch.zeros(16, 1, 4)
    expected[STEPS - 1 :: STEPS] = STEPS  # the new episode's would be 0
    assert torch.allclose(values, expected, atol=1e-3)


def test_policy_does_not_see_privileged_state_and_is_exported_without_it() -> None:
    torch.manual_seed(0)
    population = Population(2, 3, 1, (8,), 1.0, seed=0, privileged_size=2)
    plain = Population(2, 3, 1, (8,), 1.0, seed=0)
    for ours, theirs in zip(population.policy_parameters, plain.policy_parameters, strict=True):
        assert torch.equal(ours, theirs)  # the critic does not change the initial policies
    population.flat.add_(torch.randn_like(population.flat) * 0.3)
    population.moments.update(torch.randn(2, 50, 5) * 3.0 + 1.0)
    one = torch.randn(2, 10, 5)
    other = torch.cat((one[..., :3], torch.randn(2, 10, 2)), dim=2)
    x, y = population.normalise(one), population.normalise(other)
    assert torch.equal(population.output(x), population.output(y))
    assert (population.value(x) != population.value(y)).all()
    population.keep(torch.tensor([1]))
    policy = population.export(0)
    assert policy.sizes == (3, 8, 1)
    with torch.no_grad():
        expected = population.output(x[1:]).clamp(-1.0, 1.0)[0]
        assert torch.allclose(policy(one[1, :, :3]), expected, atol=1e-5)


class CutError(Exception):
    pass


def run(checkpoint: Checkpoint | None, cut_after: int | None = None) -> list[TrainResult]:
    """Train two candidates; the second fails in the third rollout."""
    iterations: list[Progress] = []

    def on_progress(progress: Progress) -> None:
        iterations.append(progress)
        if len(iterations) == cut_after:
            raise CutError

    def breaks(episode_time: torch.Tensor) -> torch.Tensor:
        if iterations and iterations[-1].environment_steps >= 2 * 8 * 16:
            raise RewardRuntimeError("it broke")
        return episode_time

    rewards = [side_reward(), InProcess(breaks, "episode_time")]
    return PopulationTrainer().train(
        AsymmetricHiddenSide(),
        rewards,
        TrainerSettings(TINY, seed=1, checkpoint=checkpoint),
        on_progress=on_progress,
    )


@pytest.mark.parametrize("cut_after", [2, 4])
def test_resumed_training_ends_like_an_uninterrupted_one(tmp_path: Path, cut_after: int) -> None:
    """Interrupted with both candidates, and after one has failed."""
    path = tmp_path / "training.safetensors"
    with pytest.raises(CutError):
        run(Checkpoint(path, "mine", every_s=0.0), cut_after)
    resumed, whole = run(Checkpoint(path, "mine")), run(None)
    assert [str(result.error) for result in whole] == ["None", "it broke"]
    assert isinstance(whole[0].policy, Policy)
    assert isinstance(resumed[0].policy, Policy)
    assert resumed[0].policy.to_bytes() == whole[0].policy.to_bytes()
    assert whole[0].policy.sizes == (2, 16, 8, 1)


def test_rsl_rl_gives_privileged_state_to_the_critic_alone() -> None:
    pytest.importorskip("rsl_rl")
    from eureka_agent.training.rsl_rl import RslRlVecEnv, export, make_runner

    env = RslRlVecEnv(ExternalEnvironment(AsymmetricHiddenSide(), SparseReward(), TINY, seed=0))
    for n in range(STEPS + 1):
        seen = env.get_observations()
        assert {name: tuple(seen[name].shape) for name in seen.keys()} == {  # noqa: SIM118
            "policy": (8, 2),
            "privileged": (8, 2),
        }
        assert torch.equal(seen["privileged"][:, 0], env.env.environment.state["side"])
        assert seen["privileged"][:, 1].tolist() == [float(n % STEPS)] * 8
        answer, *_ = env.step(torch.zeros(8, 1))
        assert torch.equal(answer["privileged"], env.get_observations()["privileged"])
    runner = make_runner(ExternalEnvironment(AsymmetricHiddenSide(), SparseReward(), TINY, seed=0))
    assert (runner.alg.actor.obs_dim, runner.alg.critic.obs_dim) == (2, 4)
    runner.learn(2)
    assert export(runner).sizes == (2, 16, 8, 1)
    blind = make_runner(ExternalEnvironment(HiddenSide(), SparseReward(), TINY, seed=0))
    assert (blind.alg.actor.obs_dim, blind.alg.critic.obs_dim) == (2, 2)


def test_stable_baselines3_does_not_use_privileged_state() -> None:
    pytest.importorskip("stable_baselines3")
    from eureka_agent.training.sb3 import Sb3Trainer

    (with_it,), (without,) = (
        Sb3Trainer().train(task, [side_reward()], TrainerSettings(TINY, seed=0))
        for task in (AsymmetricHiddenSide(), HiddenSide())
    )
    assert with_it.policy is not None
    assert without.policy is not None
    assert with_it.policy.to_bytes() == without.policy.to_bytes()
