"""Trainings that start from a saved policy."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from eureka_agent.config import TrainingBudget
from eureka_agent.errors import UsageError
from eureka_agent.executors.files import read_job, write_job
from eureka_agent.jail import Sandbox
from eureka_agent.records import RewardSource
from eureka_agent.rewards.runner import SparseReward
from eureka_agent.tasks.registry import load_task
from eureka_agent.training import (
    Checkpoint,
    JobReward,
    Policy,
    PopulationTrainer,
    Progress,
    TrainerSettings,
    TrainingJob,
    TrainResult,
    initial_policy,
    run_job,
)
from eureka_agent.training.initial_policy import (
    PolicyShape,
    demand_fit,
    policy_from_text,
    policy_to_text,
    shape_of_training,
    start_population,
)
from eureka_agent.training.ppo.networks import Population
from tests.support.in_process import InProcess, upright

TINY = TrainingBudget(
    num_envs=8, environment_steps=8 * 16 * 5, horizon=16, evaluation_episodes=4, hidden=(16,)
)
SHAPE = PolicyShape(4, (16,), 1)
BREAKS = "import torch\ndef compute_reward(dof_pos):\n    return dof_pos[:, 7], {}\n"


class CutError(Exception):
    pass


def some_policy(*sizes: int, seed: int = 0) -> Policy:
    torch.manual_seed(seed)
    policy = Policy(sizes or (4, 16, 1))
    policy.observation_mean.copy_(torch.randn(policy.sizes[0]))
    policy.observation_std.copy_(torch.rand(policy.sizes[0]) + 0.5)
    return policy.eval()


def train(
    policies: tuple[Policy | None, ...],
    checkpoint: Checkpoint | None = None,
    cut_after: int | None = None,
) -> list[TrainResult]:
    done: list[int] = []

    def on_progress(progress: Progress) -> None:
        done.append(progress.environment_steps)
        if len(done) == cut_after:
            raise CutError

    return PopulationTrainer().train(
        load_task("cartpole"),
        [InProcess(upright, "dof_pos"), SparseReward()],
        TrainerSettings(TINY, seed=3, checkpoint=checkpoint, initial_policies=policies),
        on_progress,
    )


def policies_of(results: list[TrainResult]) -> list[bytes]:
    return [result.policy.to_bytes() for result in results if result.policy is not None]


def test_population_that_starts_from_a_policy_acts_as_it_does() -> None:
    population, policy = Population(2, 4, 1, (16,), 1.0, seed=0, privileged_size=3), some_policy()
    scratch = population.export(0).to_bytes()
    start_population(population, (None, policy), TINY)
    observation = torch.randn(20, 4)
    assert torch.allclose(population.export(1)(observation), policy(observation), atol=1e-5)
    assert population.export(0).to_bytes() == scratch


def test_observation_statistics_of_a_policy_weigh_as_much_as_one_training() -> None:
    population, policy = Population(1, 4, 1, (16,), 1.0, seed=0, privileged_size=1), some_policy()
    start_population(population, (policy,), TINY)
    steps = TINY.iterations * TINY.num_envs * TINY.horizon
    population.moments.update(torch.full((1, steps, 5), 9.0))
    half_way = (policy.observation_mean + 9.0) / 2.0
    assert torch.allclose(population.moments.mean[0, :4], half_way, atol=1e-4)
    assert population.moments.mean[0, 4] == 9.0  # what the policy does not see is new


def test_candidate_without_a_policy_learns_the_same_next_to_one_with_a_policy() -> None:
    scratch = policies_of(train(()))
    mixed = policies_of(train((None, some_policy())))
    assert mixed[0] == scratch[0]
    assert mixed[1] != scratch[1]


def test_policy_is_held_while_the_value_function_is_new(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = some_policy()
    monkeypatch.setattr(initial_policy, "HELD_SHARE", 1.0)
    whole, scratch = train((policy, None))
    assert whole.policy is not None
    assert scratch.policy is not None
    for held, given in zip(whole.policy.parameters(), policy.parameters(), strict=True):
        assert torch.equal(held, given)
    monkeypatch.setattr(initial_policy, "HELD_SHARE", 0.5)
    later, again = train((policy, None))
    assert later.policy is not None
    assert not torch.equal(next(later.policy.parameters()), next(policy.parameters()))
    assert again.policy is not None
    assert again.policy.to_bytes() == scratch.policy.to_bytes()


@pytest.mark.parametrize("cut_after", [1, 2, 4])
def test_interrupted_training_from_a_policy_resumes_to_the_same_bytes(
    tmp_path: Path, cut_after: int
) -> None:
    policies = (some_policy(), None)
    path = tmp_path / "training.safetensors"
    with pytest.raises(CutError):
        train(policies, Checkpoint(path, "mine", every_s=0.0), cut_after)
    resumed = train(policies, Checkpoint(path, "mine"))
    assert policies_of(resumed) == policies_of(train(policies))


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        (some_policy(5, 16, 1), "has observations of 5, hidden layers 16 and actions of 1 numbers"),
        (some_policy(4, 16, 16, 1), "hidden layers 16 x 16 and actions of 1 numbers, but this"),
        (some_policy(4, 16, 2), "actions of 2 numbers, but this training has observations of 4"),
        (Policy((4, 16, 1), activation="tanh"), "has the activation tanh"),
        (Policy((4, 16, 1), output="tanh"), "its actions are bounded by tanh"),
    ],
)
def test_policy_that_does_not_fit_is_refused(policy: Policy, says: str) -> None:
    with pytest.raises(UsageError) as refused:
        demand_fit(policy, SHAPE)
    assert says in str(refused.value)
    assert "give a policy" in str(refused.value)


def test_policy_with_nan_is_refused() -> None:
    policy = some_policy()
    policy.observation_mean[0] = float("nan")
    with pytest.raises(UsageError, match="weights that are NaN or infinite"):
        demand_fit(policy, SHAPE)


def test_shape_of_a_training_is_that_of_its_policies() -> None:
    (result, _) = train(())
    assert result.policy is not None
    demand_fit(result.policy, shape_of_training(load_task("cartpole"), TINY))


# ---------------------------------------------------------------------- jobs
def job(*rewards: JobReward) -> TrainingJob:
    return TrainingJob("cartpole", rewards, TINY, seed=3, threads=1)


def test_job_with_a_policy_survives_json_and_has_a_key_of_its_own(tmp_path: Path) -> None:
    text = policy_to_text(some_policy().to_bytes())
    warm = job(JobReward("sparse reward", None, text))
    assert read_job(write_job(tmp_path, warm)) == warm
    other = policy_to_text(some_policy(seed=1).to_bytes())
    keys = [warm.key, job(JobReward("sparse reward", None)).key]
    keys.append(job(JobReward("sparse reward", None, other)).key)
    assert len(set(keys)) == 3


def test_rewards_of_a_job_start_from_their_own_policies_though_one_cannot_be_opened(
    sandbox: Sandbox,
) -> None:
    refused = RewardSource(BREAKS.replace("torch", "os"), ("dof_pos",))
    warm = JobReward("warm", None, policy_to_text(some_policy().to_bytes()))
    scratch = JobReward("scratch", None)
    failed, first, second = run_job(job(JobReward("bad", refused), warm, scratch), sandbox=sandbox)
    assert failed.failure is not None
    expected = run_job(job(warm, scratch))
    assert [first.policy, second.policy] == [each.policy for each in expected]
    assert first.policy != second.policy


@pytest.mark.parametrize("text", ["", "no base64!", "bm8gcG9saWN5"])
def test_damaged_policy_of_a_job_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="initial policy of a training job is damaged"):
        policy_from_text(text)


def test_policy_of_a_job_that_does_not_fit_is_refused() -> None:
    text = policy_to_text(some_policy(5, 16, 1).to_bytes())
    with pytest.raises(UsageError, match="give a policy that was trained with the same task"):
        run_job(job(replace(JobReward("sparse reward", None), initial_policy=text)))
