"""Tasks that declare their state as readings: short task files for robots on a MuJoCo model."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping

import mujoco
import torch
from torch import Tensor

from eureka_agent.simulation.mujoco_task import MujocoTask
from eureka_agent.simulation.physics import EpisodeState, InitialState, Physics, Random
from eureka_agent.simulation.readings import Reading
from eureka_agent.tasks.task import State


class RobotTask(MujocoTask):
    """A `MujocoTask` whose state is a list of readings, and that starts near the model's pose.

    Set `readings`, `state_spec = spec_of(readings)`, and the attributes of `MujocoTask`; write
    `robot`, `observation`, `fitness`, and `terminated` if episodes can end early.
    """

    readings: tuple[Reading, ...]
    """The state, in the order of `state_spec`."""
    start_noise: tuple[float, float] = (0.005, 0.005)
    """The initial positions and velocities are off by up to these amounts, in their own units."""

    @abstractmethod
    def robot(self) -> mujoco.MjSpec:
        """Return the model, without the sensors that the readings need."""

    def build(self) -> mujoco.MjSpec:
        """See `MujocoTask.build`."""
        spec = self.robot()
        for reading in self.readings:
            reading.add_sensors(spec)
        return spec

    def initial_state(self, random: Random) -> InitialState:
        """See `MujocoTask.initial_state`."""
        model, (position, velocity) = self.model, self.start_noise
        rest = torch.as_tensor(model.qpos0, dtype=torch.float32)
        return InitialState(
            qpos=rest + random.uniform(-position, position, model.nq),
            qvel=random.uniform(-velocity, velocity, model.nv),
        )

    def state(self, physics: Physics, episode_state: EpisodeState) -> dict[str, Tensor]:
        """See `MujocoTask.state`."""
        return {reading.variable.name: reading.read(physics) for reading in self.readings}

    @property
    def policy_code(self) -> Mapping[str, Callable[..., object]]:
        """See `Task.policy_code`."""
        code = dict(super().policy_code)
        if type(self).terminated is RobotTask.terminated:
            code.pop("terminated", None)  # nothing ends early
        return code

    def terminated(self, state: State, episode_state: EpisodeState) -> Tensor:
        """See `MujocoTask.terminated`. By default only the time limit ends episodes."""
        return torch.zeros(len(state["action"]), dtype=torch.bool, device=state["action"].device)


class ForwardTask(RobotTask):
    """A `RobotTask` that should move forward: its fitness is the mean speed along x.

    The first entry of `qpos` has to be the robot's x in m.
    """

    fitness_unit = "m/s"
    fitness_meaning = (
        "mean speed along x in m/s over all steps of a full episode, whether it ended early or not:"
        " the distance that the robot moved forward, divided by the episode's full length"
    )

    def initial_state(self, random: Random) -> InitialState:
        """See `MujocoTask.initial_state`."""
        start = super().initial_state(random)
        x = start.qpos[:, 0]
        return InitialState(start.qpos, start.qvel, start.ctrl, {"x": x, "progress": x - x})

    def update_episode_state(self, physics: Physics, episode_state: EpisodeState) -> EpisodeState:
        """See `MujocoTask.update_episode_state`."""
        x = physics.qpos[:, 0]
        return {"x": x, "progress": x - episode_state["x"]}

    def fitness(self, state: State, episode_state: EpisodeState) -> Tensor:
        """See `MujocoTask.fitness`."""
        return episode_state["progress"] / self.episode_length_s
