"""Training a population on real physics with few environments."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from eureka_agent.config import TrainingBudget
from eureka_agent.rewards.runner import RewardRunner, SparseReward
from eureka_agent.simulation.rollouts import evaluate, random_actions
from eureka_agent.simulation.samples import sample_states
from eureka_agent.tasks.registry import load_task
from eureka_agent.training import PopulationTrainer, Progress, TrainerSettings
from eureka_agent.training.checkpoint import Checkpoint
from eureka_agent.training.population import PopulationTraining
from tests.support.in_process import Costly, InProcess, upright

TINY = TrainingBudget(
    num_envs=8, environment_steps=8 * 16 * 4, horizon=16, evaluation_episodes=4, hidden=(16,)
)


def test_candidate_learns_the_same_alone_and_with_others() -> None:
    task = load_task("cartpole")
    other = InProcess(lambda dof_vel: -dof_vel[:, 0].abs() * 100, "dof_vel")
    (alone,) = PopulationTrainer().train(
        task, [InProcess(upright, "dof_pos")], TrainerSettings(TINY, seed=1)
    )
    _, together, _ = PopulationTrainer().train(
        task, [other, InProcess(upright, "dof_pos"), SparseReward()], TrainerSettings(TINY, seed=1)
    )
    assert alone.policy is not None
    assert together.policy is not None
    for a, b in zip(alone.policy.parameters(), together.policy.parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-4)
    assert alone.record is not None
    assert together.record is not None
    assert alone.record.reward.mean == pytest.approx(together.record.reward.mean, rel=1e-3)


def test_candidates_share_their_luck_with_the_same_draw_only() -> None:
    task = load_task("cartpole")

    def trained(draws: int, count: int) -> list[bytes]:
        rewards = [InProcess(upright, "dof_pos") for _ in range(count)]
        results = PopulationTrainer().train(
            task, rewards, TrainerSettings(TINY, seed=0, draws=draws)
        )
        return [result.policy.to_bytes() for result in results if result.policy]

    first, second, first_again, second_again = trained(2, 4)
    assert first == first_again
    assert second == second_again
    assert first != second
    assert len(set(trained(1, 3))) == 1


def test_draws_differ_in_weights_and_in_initial_states() -> None:
    task = load_task("cartpole")
    rewards = [InProcess(upright, "dof_pos") for _ in range(2)]
    training = PopulationTraining(task, rewards, TrainerSettings(TINY, seed=0, draws=2))
    first, second = training.ppo.population.flat
    assert not torch.equal(first, second)
    starts = training.env.state["dof_pos"]
    assert not torch.equal(starts[: TINY.num_envs], starts[TINY.num_envs :])
    alone = PopulationTraining(task, rewards[:1], TrainerSettings(TINY, seed=0))
    assert torch.equal(alone.ppo.population.flat[0], first)
    assert torch.equal(alone.env.state["dof_pos"], starts[: TINY.num_envs])


def test_a_training_with_several_draws_resumes_bit_by_bit(tmp_path: Path) -> None:
    task = load_task("cartpole")
    rewards = [InProcess(upright, "dof_pos") for _ in range(2)]
    settings = TrainerSettings(TINY, seed=0, draws=2)
    whole = [result.policy for result in PopulationTrainer().train(task, rewards, settings)]
    checkpoint = Checkpoint(tmp_path / "training.safetensors", "key", every_s=0.0)
    stopped = PopulationTraining(task, rewards, replace(settings, checkpoint=checkpoint))
    steps = stopped.run()
    next(steps)
    next(steps)
    again = PopulationTraining(task, rewards, replace(settings, checkpoint=checkpoint))
    progress = list(again.run())
    assert progress[0].environment_steps > TINY.num_envs * TINY.horizon
    for one, other in zip(whole, [result.policy for result in again.results()], strict=True):
        assert one is not None
        assert other is not None
        assert one.to_bytes() == other.to_bytes()


def test_training_is_reproducible_bit_by_bit() -> None:
    task = load_task("cartpole")
    first, second = (
        PopulationTrainer().train(
            task, [InProcess(upright, "dof_pos")], TrainerSettings(TINY, seed=3)
        )[0]
        for _ in range(2)
    )
    assert first.policy is not None
    assert second.policy is not None
    assert first.policy.to_bytes() == second.policy.to_bytes()


def test_reward_that_fails_does_not_affect_other_candidates() -> None:
    task = load_task("cartpole")
    calls = []

    def later_nan(dof_pos: Tensor) -> Tensor:
        calls.append(1)
        return upright(dof_pos) * (math.nan if len(calls) > 2 else 1.0)

    progress: list[Progress] = []
    good, bad = PopulationTrainer().train(
        task,
        [InProcess(upright, "dof_pos"), InProcess(later_nan, "dof_pos")],
        TrainerSettings(TINY, seed=0),
        on_progress=progress.append,
    )
    assert good.error is None
    assert good.record is not None
    assert good.record.environment_steps == 512
    assert bad.policy is None
    assert str(bad.error) == "the reward is NaN"
    assert len(calls) == 3
    assert [p.alive for p in progress] == [(True, True), (True, True), (True, False), (True, False)]
    (alone,) = PopulationTrainer().train(
        task, [InProcess(upright, "dof_pos")], TrainerSettings(TINY, seed=0)
    )
    assert alone.policy is not None
    assert good.policy is not None
    for a, b in zip(alone.policy.parameters(), good.policy.parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-4)


def test_progress_holds_the_components_of_every_candidate() -> None:
    calls: list[int] = []

    def later_nan(dof_pos: Tensor) -> Tensor:
        calls.append(1)
        return upright(dof_pos) * (math.nan if len(calls) > 1 else 1.0)

    progress: list[Progress] = []
    rewards: list[RewardRunner] = [
        InProcess(later_nan, "dof_pos"),
        InProcess(upright, "dof_pos"),
        SparseReward(),
    ]
    results = PopulationTrainer().train(
        load_task("cartpole"), rewards, TrainerSettings(TINY, seed=0), progress.append
    )
    assert [each.components[0] for each in progress[1:]] == [{}, {}, {}]  # it has failed
    assert progress[0].components[0] == progress[0].components[1]
    for each in progress:
        assert each.components[1] == {"all": pytest.approx(each.reward[1])}
    record = results[1].record
    assert record is not None
    assert [each.components[1]["all"] for each in progress] == list(record.components[0].values)
    assert all(each.components[2] == {"sparse": each.reward[2]} for each in progress)


def test_reward_slower_than_the_simulation_fails_its_candidate_only() -> None:
    cheap, costly = PopulationTrainer().train(
        load_task("cartpole"),
        [InProcess(upright, "dof_pos"), Costly(upright, "dof_pos")],
        TrainerSettings(TINY, seed=0),
    )
    assert cheap.error is None
    assert costly.policy is None
    assert (
        "12 s of processor time so far, and the simulation took only 0 s: it must be cheaper"
        in str(costly.error)
    )


def test_rewards_read_each_transition_once_with_its_previous_state() -> None:
    task = load_task("cartpole")
    seen: list[Tensor] = []

    def moved(dof_pos: Tensor, prev_dof_pos: Tensor, dof_vel: Tensor) -> Tensor:
        seen.append(torch.stack([dof_pos[:, 0], prev_dof_pos[:, 0], dof_vel[:, 0]]))
        return dof_pos[:, 0]

    reward = InProcess(moved, "dof_pos", "prev_dof_pos", "dof_vel")
    PopulationTrainer().train(task, [reward], TrainerSettings(TINY, seed=0))
    assert reward.rows == [8 * 16] * 4
    now, before, velocity = torch.cat(seen, dim=1)
    # In one step the cart moves at most twice its final speed times dt, plus a tolerance.
    assert ((now - before).abs() <= 2 * task.dt * velocity.abs() + 0.05).all()
    assert not torch.equal(now, before)


def test_evaluation_counts_one_full_episode_per_environment() -> None:
    task = load_task("cartpole")
    still, random = evaluate(
        task, [lambda x: torch.zeros(len(x), 1), random_actions(task, seed=0)], episodes=16, seed=0
    )
    assert still.episodes == random.episodes == 16
    assert 0 < still.fitness < 500
    assert still.fitness == still.episode_length  # cartpole: 1 per step
    assert still.fitness_low < still.fitness < still.fitness_high
    again, _ = evaluate(
        task, [lambda x: torch.zeros(len(x), 1), random_actions(task, seed=0)], episodes=16, seed=0
    )
    assert again == still


def test_sample_states_have_everything_a_reward_may_read() -> None:
    task = load_task("cartpole")
    samples = sample_states(task, seed=0, num_envs=3, steps=5)
    assert set(samples) == set(task.reward_inputs.shapes)
    for name, shape in task.reward_inputs.shapes.items():
        assert samples[name].shape == (15, *shape)
        assert torch.isfinite(samples[name]).all()


def test_reward_that_reads_the_observation_trains_like_one_that_reads_the_same_state() -> None:
    task = load_task("cartpole")
    # The observation is the cart's position and velocity, then the pole's.
    seen = InProcess(
        lambda obs_buf, prev_obs_buf: 1.0 - obs_buf[:, 2].square(), "obs_buf", "prev_obs_buf"
    )
    both = PopulationTrainer().train(
        task, [seen, InProcess(upright, "dof_pos")], TrainerSettings(TINY, seed=3)
    )
    by_observation, by_state = (result.policy for result in both)
    assert by_observation is not None
    assert by_state is not None
    assert by_observation.to_bytes() == by_state.to_bytes()


@pytest.mark.parametrize("name", ["ant_forward", "pen_spinning"])
def test_reward_may_read_every_name_of_isaac_gym(name: str) -> None:
    task = load_task(name)
    names = [variable.name for variable in task.reward_inputs.unlisted]
    everything = InProcess(
        lambda **state: sum(value.flatten(1).mean(dim=1) for value in state.values()), *names
    )
    (result,) = PopulationTrainer().train(
        task, [everything], TrainerSettings(replace(TINY, environment_steps=8 * 16), seed=0)
    )
    assert result.error is None
