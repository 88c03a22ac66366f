"""A task on the batch engine and Gymnasium's own environments, stepped side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gymnasium
import mujoco
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from eureka_agent.simulation import CpuEngine, Step
from eureka_agent.simulation.gymnasium.fitness import fitness_rule
from eureka_agent.simulation.gymnasium.mujoco_v5 import batch_task
from eureka_agent.simulation.gymnasium.mujoco_v5.moment import Moment


@dataclass(frozen=True)
class Theirs:
    """One step of Gymnasium's environment."""

    observation: NDArray[np.float64]
    reward: float
    terminated: bool
    info: dict[str, Any]
    qpos: NDArray[np.float64]


class Pair:
    """`num_envs` environments of each side, in the same states.

    Theirs are put into our initial states, and again into ours after each end of an episode.
    """

    def __init__(
        self,
        name: str,
        kwargs: dict[str, Any],
        *,
        num_envs: int = 2,
        fitness: str = "env_return",
    ) -> None:
        task = batch_task(name, kwargs, fitness_rule(fitness))
        assert task is not None
        self.task = task
        self.env = task.make_env(num_envs, seed=0, threads=1)
        assert isinstance(self.env._engine, CpuEngine)
        self.batch = self.env._engine._batch
        self.theirs: list[Any] = [gymnasium.make(name, **kwargs).unwrapped for _ in range(num_envs)]
        self.terms: dict[str, Tensor] = {}
        terms = task.terms

        def recorded(moment: Moment) -> dict[str, Tensor]:
            self.terms = terms(moment)
            return self.terms

        task.terms = recorded  # type: ignore[method-assign]
        self._random = np.random.default_rng(0)
        self.restarted: list[NDArray[np.float64]] = []
        for index in range(num_envs):
            self.start(index)

    def start(self, index: int) -> None:
        """Put their environment into the state that ours starts its episode in."""
        theirs = self.theirs[index]
        mujoco.mj_resetData(theirs.model, theirs.data)
        theirs.set_state(self.batch.qpos[index].copy(), self.batch.qvel[index].copy())
        self.restarted.append(theirs._get_obs() - self.env.observation[index].numpy())

    def step(self) -> tuple[Step, list[Theirs]]:
        """Take the same random actions on both sides."""
        shape = (len(self.theirs), self.task.action_size)
        action = torch.as_tensor(self._random.uniform(-1.0, 1.0, shape).astype(np.float32))
        controls = self.task.control(action, {}).numpy()
        ours = self.env.step(action)
        theirs = []
        for env, control in zip(self.theirs, controls, strict=True):
            observation, reward, terminated, _, info = env.step(control)
            qpos = env.data.qpos.copy()
            theirs.append(Theirs(observation, float(reward), terminated, info, qpos))
        return ours, theirs

    def restart(self, ours: Step) -> int:
        """Start new episodes where ours ended; return how many did."""
        ended = ours.finished.env_ids.tolist()
        for index in ended:
            self.start(index)
        return len(ended)
