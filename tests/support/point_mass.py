"""A point on a line in pure torch: an environment without MuJoCo, with discrete actions."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from eureka_agent.simulation.batched_env import Episodes, Step
from eureka_agent.tasks.choices import options_taken
from eureka_agent.tasks.task import StateSpec, StateVariable, Task

LIMIT = 20


class SteppedPoint(Task):
    """Bring a point on a line to the origin with two choices: which way, and how far.

    Its environments pay minus the distance, shifted by 1.
    """

    name, description = "stepped_point", "bring the stepped point to the origin"
    action_names = ("left", "stay", "right", "short", "long")
    action_choices = (3, 2)
    state_spec = StateSpec((StateVariable("position", (), "m", "world", "where the point is"),))
    max_episode_steps, fitness_unit, fitness_solved, dt = LIMIT, "m", -0.1, 0.1
    has_own_reward = True

    def make_env(
        self,
        num_envs: int,
        *,
        seed: int,
        streams: int | None = None,
        device: str = "cpu",
        threads: int | None = None,
        reads: Iterable[str] | None = None,
    ) -> SteppedPointEnv:
        return SteppedPointEnv(num_envs, streams or num_envs, seed)


class SteppedPointEnv:
    """`num_envs` points; all episodes last `LIMIT` steps."""

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
        self._observe(torch.zeros(self.num_envs, 5))
        return self.critic_observation

    def step(self, action: Tensor) -> Step:
        way, far = options_taken(action, [3, 2]).unbind(dim=1)
        self.position = self.position + 0.1 * (way - 1) * (far + 1)
        self.length, fitness = self.length + 1.0, -self.position.abs()
        self.total = self.total + fitness
        self._observe(action)
        no = torch.zeros(self.num_envs).bool()
        truncated = self.length >= LIMIT
        ended = truncated.nonzero()[:, 0]
        state, seen = self.state, self.critic_observation
        return Step(
            state=state,
            final_observation=seen,
            final_critic_observation=seen,
            terminated=no,
            truncated=truncated,
            fitness=fitness,
            sparse_reward=fitness,
            bad=no,
            finished=Episodes(ended, self.total[ended] / LIMIT, self.length[ended], {}),
            own_reward=1.0 + fitness,
            observation=self.reset() if len(ended) else seen,
        )

    def _observe(self, action: Tensor) -> None:
        self.critic_observation = self.position[:, None]
        time = self.length * 0.1
        self.state = {"position": self.position, "action": action, "episode_time": time}
