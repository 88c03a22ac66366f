"""The contract with a simulator, implemented in pure torch: the population PPO trains on it."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from eureka_agent.config import TrainingBudget
from eureka_agent.simulation.batched_env import BatchedEnv, Episodes, Step, SupportsKeep
from eureka_agent.simulation.rollouts import evaluate
from eureka_agent.simulation.subset import SubsetEnv
from eureka_agent.tasks.task import StateSpec, StateVariable, Task
from eureka_agent.training import PopulationTrainer, TrainerSettings
from tests.support.in_process import InProcess

LIMIT = 20


class PointMass(Task):
    """Bring a point on a line to the origin."""

    name, description, action_names = "point_mass", "bring the point to the origin", ("push",)
    state_spec = StateSpec((StateVariable("position", (), "m", "world", "where the point is"),))
    max_episode_steps, fitness_unit, fitness_solved, dt = LIMIT, "m", -0.1, 0.1

    def make_env(
        self,
        num_envs: int,
        *,
        seed: int,
        streams: int | None = None,
        device: str = "cpu",
        threads: int | None = None,
        reads: Iterable[str] | None = None,
    ) -> PointMassEnv:
        return PointMassEnv(num_envs, streams or num_envs, seed)


class PointMassEnv:
    """`num_envs` points, each pushed by its action."""

    device, observation_size = torch.device("cpu"), 1

    def __init__(self, num_envs: int, streams: int, seed: int) -> None:
        self.num_envs, self._streams = num_envs, streams
        self._generator = torch.Generator().manual_seed(seed)
        self.reset()

    def reset(self) -> Tensor:
        start = torch.rand(self._streams, generator=self._generator) * 2.0 - 1.0
        self.position = start.repeat(self.num_envs // self._streams)
        self.length = torch.zeros(self.num_envs)
        self.total = torch.zeros(self.num_envs)
        self._observe(torch.zeros(self.num_envs, 1))
        return self.critic_observation

    def step(self, action: Tensor) -> Step:
        self.position = self.position + 0.2 * action.clamp(-1.0, 1.0)[:, 0]
        self.length, fitness = self.length + 1.0, -self.position.abs()
        self.total = self.total + fitness
        self._observe(action)
        state, seen, no = self.state, self.critic_observation, torch.zeros(self.num_envs).bool()
        truncated = self.length >= LIMIT  # all at once: every episode has the same length
        ended = truncated.nonzero()[:, 0]
        finished = Episodes(ended, self.total[ended] / LIMIT, self.length[ended], {})
        following = self.reset() if len(ended) else seen
        return Step(following, seen, seen, state, no, truncated, fitness, fitness, no, finished)

    def _observe(self, action: Tensor) -> None:
        self.critic_observation = self.position[:, None]
        time = self.length * 0.1
        self.state = {"position": self.position, "action": action, "episode_time": time}


BUDGET = TrainingBudget(num_envs=32, environment_steps=32 * 16 * 30, hidden=(16,))


def near(position: Tensor) -> Tensor:
    return -position.abs()


def broken(position: Tensor) -> Tensor:
    return position / 0.0


def test_population_ppo_on_an_environment_in_pure_torch_learns() -> None:
    results = PopulationTrainer().train(
        PointMass(), [InProcess(near, "position")], TrainerSettings(BUDGET, seed=0)
    )
    policy = results[0].policy
    assert policy is not None
    trained, idle = evaluate(
        PointMass(), [policy, lambda seen: torch.zeros(len(seen), 1)], episodes=64, seed=0
    )
    assert trained.fitness > 0.5 * idle.fitness  # both are negative: less than half as far away


def test_candidate_that_fails_on_an_environment_without_keep_leaves_the_others_as_they_are() -> (
    None
):
    env = PointMass().make_env(4, seed=0)
    assert isinstance(env, BatchedEnv)
    assert not isinstance(env, SupportsKeep)
    good = [InProcess(near, "position"), InProcess(near, "position")]
    failed, trained, _ = PopulationTrainer().train(
        PointMass(), [InProcess(broken, "position"), *good], TrainerSettings(BUDGET, seed=0)
    )
    alone, _ = PopulationTrainer().train(PointMass(), good, TrainerSettings(BUDGET, seed=0))
    assert failed.error is not None
    assert trained.policy is not None
    assert alone.policy is not None
    assert trained.policy.to_bytes() == alone.policy.to_bytes()


def test_subset_of_an_environment_has_the_rows_of_the_whole() -> None:
    whole, other = (PointMass().make_env(4, seed=3) for _ in range(2))
    subset = SubsetEnv(other)
    subset.keep(torch.tensor([1, 3]))
    subset.keep(torch.tensor([1]))
    for _ in range(LIMIT):
        expected = whole.step(torch.tensor([[0.0], [0.0], [0.0], [0.5]]))
        step = subset.step(torch.tensor([[0.5]]))
        assert torch.equal(step.state["position"], expected.state["position"][3:])
    assert step.finished.env_ids.tolist() == [0]
    assert torch.equal(step.finished.fitness, expected.finished.fitness[3:])
    assert torch.equal(subset.critic_observation, whole.critic_observation[3:])
