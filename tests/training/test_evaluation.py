"""Policies are evaluated as before; their rewards' components are measured in the sandbox."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from eureka_agent.checks import check_source
from eureka_agent.config import TrainingBudget
from eureka_agent.jail import Sandbox, SandboxedReward
from eureka_agent.records import ComponentEffect, RewardSource
from eureka_agent.rewards.runner import RewardRunner
from eureka_agent.simulation.rollouts import evaluate, random_actions
from eureka_agent.tasks.registry import find_task
from eureka_agent.training.component_effects import component_effects
from eureka_agent.training.evaluation import EvaluatedPolicy, evaluate_with_behaviour
from eureka_agent.training.job import JobReward, TrainedReward, TrainingJob, run_job
from tests.support.in_process import Costly, InProcess

TASK = find_task("hopper_forward")
EPISODES = 6
FORWARD = """
import torch
def compute_reward(torso_velocity, prev_torso_position, torso_position, action):
    moved = 100.0 * (torso_position - prev_torso_position)[:, 0]
    alive = torch.ones_like(moved)
    effort = -0.001 * action.square().sum(dim=1)
    return moved + alive + effort, {"moved": moved, "alive": alive, "effort": effort}
"""


def opened(sandbox: Sandbox, code: str, max_rows: int) -> SandboxedReward:
    source = check_source(code, TASK.reward_inputs)
    return sandbox.open(source, TASK.reward_inputs, max_rows=max_rows)


def effects_of(
    *rewards: RewardRunner | None, max_rows: int = 64, episodes: int = EPISODES
) -> list[tuple[ComponentEffect, ...]]:
    """Return the effects of each reward with random actions."""
    policies = [EvaluatedPolicy(random_actions(TASK, seed=0), reward) for reward in rewards]
    found = evaluate_with_behaviour(
        TASK, policies, episodes=episodes, seed=0, max_rows=max_rows, threads=1
    )
    return [each.behaviour.components for each in found]


def test_evaluation_is_the_same_with_and_without_behaviour(sandbox: Sandbox) -> None:
    reward = opened(sandbox, FORWARD, 64)
    with_behaviour = evaluate_with_behaviour(
        TASK,
        [EvaluatedPolicy(random_actions(TASK, seed=0), reward)],
        episodes=EPISODES,
        seed=0,
        max_rows=64,
        threads=1,
    )
    alone = evaluate(TASK, [random_actions(TASK, seed=0)], episodes=EPISODES, seed=0, threads=1)
    assert [each.evaluation for each in with_behaviour] == alone


@pytest.mark.parametrize("max_rows", [4, EPISODES, 64, 4096])
def test_component_sums_do_not_depend_on_the_rows_of_a_call(
    sandbox: Sandbox, max_rows: int
) -> None:
    """With 4 rows only 4 episodes are measured."""
    (effects,) = effects_of(opened(sandbox, FORWARD, max_rows), max_rows=max_rows)
    moved, alive, effort = effects
    assert [each.name for each in effects] == ["moved", "alive", "effort"]
    evaluation = evaluate(
        TASK, [random_actions(TASK, seed=0)], episodes=EPISODES, seed=0, threads=1
    )[0]
    if max_rows >= EPISODES:
        # 100 m per m, over 8 s; the steps of an episode are its alive bonus
        assert moved.mean == pytest.approx(100.0 * 8.0 * evaluation.fitness, rel=1e-3, abs=1e-3)
        assert alive.mean == pytest.approx(evaluation.episode_length)
    assert effort.mean < 0.0
    assert sum(each.variance_share for each in effects) == pytest.approx(1.0, abs=1e-4)
    assert moved.fitness_correlation == pytest.approx(1.0, abs=1e-3)


def nan_later(torso_pitch: Tensor) -> Tensor:
    return torch.where(torso_pitch.abs() > 0.1, math.nan, torso_pitch)


def test_reward_that_fails_here_or_costs_much_has_no_figures_and_leaves_the_others(
    sandbox: Sandbox,
) -> None:
    good = opened(sandbox, FORWARD, 64)
    broken = InProcess(nan_later, "torso_pitch")
    costly = Costly(lambda torso_pitch: torso_pitch, "torso_pitch")
    fine, failed, slow, without = effects_of(good, broken, costly, None)
    assert failed == slow == without == ()
    assert len(costly.rows) == 1
    assert [each.name for each in fine] == ["moved", "alive", "effort"]
    assert fine == effects_of(opened(sandbox, FORWARD, 64))[0]


def test_shares_of_the_variance_are_those_of_a_hand_made_case() -> None:
    # returns 1 + 2 e, e = -1, 0, 1: a gives half of the deviation, b the other half, c none
    e = torch.tensor([-1.0, 0.0, 1.0], dtype=torch.float64)
    sums = {"a": e, "b": e + 1.0, "c": torch.zeros(3, dtype=torch.float64)}
    a, b, c = component_effects(sums, 2.0 * e + 1.0, torch.tensor([3.0, 2.0, 1.0]))
    assert (a.variance_share, b.variance_share, c.variance_share) == (0.5, 0.5, 0.0)
    assert a.fitness_correlation == pytest.approx(-1.0)
    assert b.mean == 1.0
    assert math.isnan(c.fitness_correlation)


def test_equal_returns_have_no_shares() -> None:
    same = torch.full((4,), 0.1, dtype=torch.float64).cumsum(0)[-1].expand(4)
    (effect,) = component_effects({"a": same}, same, torch.arange(4.0))
    assert math.isnan(effect.variance_share)
    single = component_effects({"a": same[:1]}, same[:1], torch.ones(1))
    assert math.isnan(single[0].variance_share)


@pytest.fixture(scope="module")
def trained(sandbox: Sandbox) -> list[TrainedReward]:
    """Four rewards of the hopper after a tiny training; one fails in it, one after it."""
    broken = "def compute_reward(torso_pitch):\n    return torso_pitch[:, None], {}\n"
    # A rollout has 128 rows; the calls of the evaluation have at most 4 for each of its steps.
    later = (
        "def compute_reward(torso_pitch):\n"
        "    rows = torso_pitch.shape[0]\n"
        "    column = 0 if rows in (128, 8) else 7\n"
        "    level = -torso_pitch[:, None].abs()[:, column]\n"
        "    return level, {'level': level}\n"
    )
    rewards = (
        JobReward("forward", check_source(FORWARD, TASK.reward_inputs)),
        JobReward("broken", RewardSource(broken, ("torso_pitch",))),
        JobReward("sparse", None),
        JobReward("later", RewardSource(later, ("torso_pitch",))),
    )
    budget = TrainingBudget(num_envs=8, environment_steps=8 * 16 * 4, evaluation_episodes=4)
    job = TrainingJob("hopper_forward", rewards, budget, seed=1, threads=1)
    return run_job(job, sandbox=sandbox)


def test_job_records_the_behaviour_of_every_trained_policy(trained: list[TrainedReward]) -> None:
    forward, broken, sparse, _ = trained
    assert forward.behaviour is not None
    assert sparse.behaviour is not None
    assert broken.failure is not None
    assert broken.behaviour is None
    assert forward.behaviour.episodes == 4
    assert [each.name for each in forward.behaviour.components] == ["moved", "alive", "effort"]
    assert forward.behaviour.component_episodes == 4
    assert sparse.behaviour.components == ()


def test_reward_that_fails_only_in_the_evaluation_keeps_its_training_and_fitness(
    trained: list[TrainedReward],
) -> None:
    later = trained[3]
    assert later.failure is None
    assert later.policy is not None
    assert later.evaluation is not None
    assert math.isfinite(later.evaluation.fitness)
    assert later.behaviour is not None
    assert (later.behaviour.components, later.behaviour.component_episodes) == ((), 0)
    assert later.behaviour.ends
