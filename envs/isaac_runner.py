"""What Isaac Gym's runners, the ant and the humanoid, have in common: see `IsaacRunner`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import torch
from torch import Tensor

from eureka_agent.simulation.mujoco_task import MujocoTask
from eureka_agent.simulation.physics import EpisodeState, InitialState, Physics, Random
from eureka_agent.tasks import rotations
from eureka_agent.tasks.task import State, StateSpec, StateVariable

DT_S = 1 / 60
_TARGET = (1000.0, 0.0, 0.0)


def runner_spec(joints: Sequence[str], unlisted: tuple[StateVariable, ...] = ()) -> StateSpec:
    """Return what rewards of a runner read, with Isaac Gym's names.

    Args:
        joints: The names of the joints, in the order of `dof_pos`.
        unlisted: Further variables, for published rewards.
    """
    size, names = (len(joints),), tuple(joints)
    root = (
        *("x", "y", "z", "quat_x", "quat_y", "quat_z", "quat_w"),
        *("linvel_x", "linvel_y", "linvel_z", "angvel_x", "angvel_y", "angvel_z"),
    )
    return StateSpec(
        variables=(
            StateVariable(
                name="root_states",
                shape=(13,),
                unit="m, -, m/s, rad/s",
                frame="world",
                meaning=(
                    "the torso: position [0:3], orientation as a quaternion (x, y, z, w) [3:7], "
                    "linear velocity [7:10], angular velocity [10:13]"
                ),
                elements=root,
            ),
            StateVariable(
                "dof_pos", size, "rad", "-", "joint angles", "joint_positions", elements=names
            ),
            StateVariable(
                "dof_vel",
                size,
                "rad/s",
                "-",
                "joint angular velocities",
                "joint_velocities",
                elements=names,
            ),
            StateVariable(
                "dof_limits_lower",
                size,
                "rad",
                "-",
                "lower ends of the joint ranges",
                elements=names,
            ),
            StateVariable(
                "dof_limits_upper",
                size,
                "rad",
                "-",
                "upper ends of the joint ranges",
                elements=names,
            ),
            StateVariable(
                name="targets",
                shape=(3,),
                unit="m",
                frame="world",
                meaning="the point to run to, 1 km ahead along x",
                kind="position",
            ),
            StateVariable(
                name="potentials",
                shape=(),
                unit="m/s",
                frame="world",
                meaning=(
                    "minus the horizontal distance to the target, divided by dt; its change over a"
                    " step is the speed towards the target"
                ),
            ),
            StateVariable(
                "up_vec",
                (3,),
                "-",
                "world",
                "the torso's own z axis; (0, 0, 1) is upright",
                "unit_vector",
            ),
            StateVariable(
                "heading_vec",
                (3,),
                "-",
                "world",
                "the torso's own x axis; (1, 0, 0) is ahead",
                "unit_vector",
            ),
        ),
        constants={"dt": DT_S},
        unlisted=unlisted,
    )


class IsaacRunner(MujocoTask):
    """A robot with a free torso that should run to a target far ahead along x.

    Reproduces what Isaac Gym's `Ant` and `Humanoid` share (Makoviychuk et al. 2021): names, start,
    observation, end and, as Eureka measures it (Ma et al. 2023, appendix B), fitness. Control runs
    at 60 Hz. A subclass sets the attributes below and writes `build`.
    """

    max_episode_steps = 1000
    fitness_unit = "m/s"
    fitness_meaning = (
        "mean speed along x in m/s over all 1000 steps, whether it fell or not: the distance that"
        " the torso moved forward, divided by 16.7 s"
    )
    start_height_m: float
    """Height of the torso at the start."""
    fallen_height_m: float
    """The torso's height below which an episode ends."""

    def initial_state(self, random: Random) -> InitialState:
        """See `MujocoTask.initial_state`."""
        lower, upper = self._joint_limits
        joints = len(lower)
        qpos = torch.zeros(random.n, self.model.nq)
        qpos[:, 2] = self.start_height_m
        qpos[:, 3] = 1.0
        middle = torch.zeros(joints).clamp(lower, upper)  # as straight as possible
        qpos[:, 7:] = (middle + random.uniform(-0.2, 0.2, joints)).clamp(lower, upper)
        qvel = torch.cat((torch.zeros(random.n, 6), random.uniform(-0.1, 0.1, joints)), dim=1)
        return InitialState(qpos=qpos, qvel=qvel, episode_state=_moved(qpos[:, 0], qpos[:, 0]))

    def update_episode_state(self, physics: Physics, episode_state: EpisodeState) -> EpisodeState:
        """See `MujocoTask.update_episode_state`."""
        return _moved(episode_state["x"], physics.qpos[:, 0])

    def state(self, physics: Physics, episode_state: EpisodeState) -> dict[str, Tensor]:
        """See `MujocoTask.state`."""
        # The torso has a free joint, so sensors would repeat qpos and qvel at a high cost.
        position, quat, linear = physics.qpos[:, :3], physics.qpos[:, 3:7], physics.qvel[:, :3]
        axes = rotations.matrix(quat)
        # qvel has the angular velocity in the torso's frame.
        angular = (axes @ physics.qvel[:, 3:6, None])[:, :, 0]
        lower, upper, targets = (
            row.to(position.device).expand(physics.num_envs, -1)
            for row in (*self._joint_limits, self._target)
        )
        return {
            "root_states": torch.cat((position, quat[:, 1:], quat[:, :1], linear, angular), dim=1),
            "dof_pos": physics.qpos[:, 7:],
            "dof_vel": physics.qvel[:, 6:],
            "dof_limits_lower": lower,
            "dof_limits_upper": upper,
            "targets": targets,
            "potentials": -(targets - position)[:, :2].norm(dim=1) / DT_S,
            "up_vec": axes[:, :, 2],
            "heading_vec": axes[:, :, 0],
        }

    def observation(self, state: State, episode_state: EpisodeState) -> Tensor:
        """See `MujocoTask.observation`."""
        root, up, heading = state["root_states"], state["up_vec"], state["heading_vec"]
        axes = torch.stack((heading, torch.linalg.cross(up, heading), up), dim=2)
        ahead = torch.nn.functional.normalize((state["targets"] - root[:, :3])[:, :2])
        in_world = torch.cat((root[:, 7:13], ahead, torch.zeros_like(ahead[:, :1])), dim=1).view(
            -1, 3, 3
        )
        linear, angular, target = (in_world @ axes).unbind(dim=1)
        lower, upper = state["dof_limits_lower"], state["dof_limits_upper"]
        scaled = (2.0 * state["dof_pos"] - upper - lower) / (upper - lower)
        parts = (
            root[:, 2:3],
            linear,
            angular,
            axes[:, 2],
            target,
            scaled,
            state["dof_vel"],
            state["action"],
        )
        return torch.cat(parts, dim=1)

    def terminated(self, state: State, episode_state: EpisodeState) -> Tensor:
        """See `MujocoTask.terminated`."""
        return state["root_states"][:, 2] < self.fallen_height_m

    def end_causes(self, state: State) -> Mapping[str, Tensor]:
        """See `Task.end_causes`."""
        fallen = state["root_states"][:, 2] < self.fallen_height_m
        return {f"torso below {self.fallen_height_m} m": fallen}

    def fitness(self, state: State, episode_state: EpisodeState) -> Tensor:
        """See `MujocoTask.fitness`."""
        return episode_state["progress"] / self.episode_length_s

    @cached_property
    def _joint_limits(self) -> tuple[Tensor, Tensor]:
        """Lower and upper ends of the ranges of the joints, rad each."""
        lower, upper = torch.as_tensor(self.model.jnt_range[1:].T, dtype=torch.float32)
        return lower, upper

    @cached_property
    def _target(self) -> Tensor:
        return torch.tensor(_TARGET)


def _moved(before: Tensor, now: Tensor) -> dict[str, Tensor]:
    """Return the episode state, `(num_envs,)` m each: the torso's x and its last change."""
    return {"x": now, "progress": now - before}
