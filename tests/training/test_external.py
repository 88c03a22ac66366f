"""What the trainers of other libraries share, on both of them."""

from __future__ import annotations

import inspect
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from eureka_agent.config import Race, TrainingBudget
from eureka_agent.errors import RewardRuntimeError, UsageError
from eureka_agent.rewards.runner import SparseReward
from eureka_agent.tasks.registry import load_task
from eureka_agent.tasks.task import State
from eureka_agent.training import Checkpoint, Progress, Trainer, TrainerSettings, make_trainer
from eureka_agent.training.external import ExternalEnvironment
from tests.support.in_process import Costly, InProcess, upright
from tests.support.toy_task import ToyTask

TINY = TrainingBudget(
    num_envs=8, environment_steps=8 * 16 * 4, horizon=16, evaluation_episodes=4, hidden=(16,)
)


@pytest.fixture(params=["stable_baselines3", "rsl_rl"])
def trainer(request: pytest.FixtureRequest) -> Trainer:
    """Each library's PPO, where it is installed."""
    pytest.importorskip(request.param)
    return make_trainer("sb3" if request.param == "stable_baselines3" else "rsl_rl")


def test_candidates_train_in_turn_and_report_progress(trainer: Trainer) -> None:
    progress: list[Progress] = []
    reward = InProcess(upright, "dof_pos")
    first, second = trainer.train(
        load_task("cartpole"),
        [reward, SparseReward()],
        TrainerSettings(TINY, seed=0),
        on_progress=progress.append,
    )
    assert first.error is None
    assert second.error is None
    assert first.record is not None
    assert second.record is not None
    assert first.record.environment_steps == second.record.environment_steps == 512
    assert reward.rows == [8] * 64  # one call per step
    assert [component.name for component in first.record.components] == ["all"]
    assert first.record.components[0].mean == pytest.approx(first.record.reward.mean)
    # Two candidates of 4 iterations with 128 steps: each raises the mean by 64.
    assert [p.environment_steps for p in progress] == [64 * (i + 1) for i in range(8)]
    assert {p.total_steps for p in progress} == {512}
    assert all(math.isnan(p.reward[1]) for p in progress[:4])
    assert {p.reward[0] for p in progress[3:]} == {progress[3].reward[0]}
    assert progress[-1].reward[1] == 1.0  # cartpole's sparse reward is 1 per step
    assert progress[0].components[0] == {"all": pytest.approx(progress[0].reward[0])}
    assert progress[0].components[1] == {}


def test_training_is_reproducible_bit_by_bit(trainer: Trainer) -> None:
    task = load_task("cartpole")
    before = torch.random.get_rng_state()
    settings = TrainerSettings(TINY, seed=3)
    first, second = (
        trainer.train(task, [InProcess(upright, "dof_pos")], settings)[0].policy for _ in range(2)
    )
    assert first is not None
    assert second is not None
    assert first.to_bytes() == second.to_bytes()
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize(
    ("unsupported", "name"),
    [
        ({"race": Race()}, "racing"),
        ({"checkpoint": Checkpoint(Path("never.safetensors"), "mine")}, "checkpoints"),
        ({"device": "cuda"}, "the device cuda"),
    ],
)
def test_settings_that_the_trainer_does_not_support_are_refused(
    trainer: Trainer, unsupported: dict[str, Any], name: str
) -> None:
    settings = TrainerSettings(TINY, seed=0, **unsupported)
    with pytest.raises(UsageError, match=f"The trainer {trainer.name} does not support {name}:"):
        trainer.train(load_task("cartpole"), [SparseReward()], settings)


def test_training_call_has_no_argument_for_racing_or_checkpoints(trainer: Trainer) -> None:
    arguments = list(inspect.signature(trainer.train).parameters)
    assert arguments == ["task", "rewards", "settings", "on_progress"]
    assert not trainer.supports_racing
    assert not trainer.supports_checkpoints
    assert not trainer.trains_together


def test_reward_that_fails_does_not_affect_other_candidates(trainer: Trainer) -> None:
    calls: list[int] = []

    def later_nan(dof_pos: Tensor) -> Tensor:
        calls.append(1)
        return upright(dof_pos) * (math.nan if len(calls) > 20 else 1.0)

    progress: list[Progress] = []
    bad, good = trainer.train(
        load_task("cartpole"),
        [InProcess(later_nan, "dof_pos"), InProcess(upright, "dof_pos")],
        TrainerSettings(TINY, seed=0),
        on_progress=progress.append,
    )
    assert len(calls) == 21
    assert str(bad.error) == "the reward is NaN"
    assert bad.policy is None
    assert good.error is None
    assert good.policy is not None
    assert [p.alive for p in progress] == [(True, True)] + [(False, True)] * 5
    assert progress[-1].environment_steps == progress[-1].total_steps


def test_reward_slower_than_the_simulation_fails_its_candidate_only(
    trainer: Trainer,
) -> None:
    cheap, costly = trainer.train(
        load_task("cartpole"),
        [InProcess(upright, "dof_pos"), Costly(upright, "dof_pos")],
        TrainerSettings(TINY, seed=0),
    )
    assert cheap.error is None
    assert "12 s of processor time so far" in str(costly.error)


def test_policy_that_diverges_fails_its_candidate(trainer: Trainer) -> None:
    budget = TrainingBudget(8, 8 * 16 * 4, learning_rate=1e30)
    (result,) = trainer.train(
        load_task("cartpole"), [InProcess(upright, "dof_pos")], TrainerSettings(budget, seed=0)
    )
    assert isinstance(result.error, RewardRuntimeError)
    assert "diverged" in str(result.error)


class BreaksDown(ToyTask):
    """The physics diverges in the third step of every episode."""

    def observation(self, state: State, memory: State) -> Tensor:
        broken = state["episode_time"][:, None] > 2.5 * self.dt
        return torch.where(broken, math.nan, super().observation(state, memory))


def test_diverged_environment_has_reward_0_and_is_counted() -> None:
    one = InProcess(lambda mass_speed: torch.ones_like(mass_speed), "mass_speed")
    env = ExternalEnvironment(BreaksDown(), one, TrainingBudget(4, 4 * 6, horizon=6), seed=0)
    rewards = [env.step(torch.zeros(4, 1))[1].tolist() for _ in range(6)]
    assert rewards == [[1.0] * 4, [1.0] * 4, [0.0] * 4] * 2
    assert env.history.diverged_envs == 8
    assert env.history.reward == [pytest.approx(2 / 3)]
    assert env.history.episode_length == [3.0]


def test_nan_actions_end_the_training() -> None:
    env = ExternalEnvironment(load_task("cartpole"), SparseReward(), TINY, seed=0)
    with pytest.raises(RewardRuntimeError, match="diverged"):
        env.step(torch.full((8, 1), math.nan))


def test_reward_may_read_the_observation() -> None:
    seen: list[Tensor] = []

    def first_entry(obs_buf: Tensor) -> Tensor:
        seen.append(obs_buf)
        return obs_buf[:, 0]

    env = ExternalEnvironment(
        load_task("cartpole"), InProcess(first_entry, "obs_buf"), TINY, seed=0
    )
    step, reward = env.step(torch.zeros(8, 1))
    assert torch.equal(seen[0], step.final_observation)
    assert torch.equal(reward, step.final_observation[:, 0])
