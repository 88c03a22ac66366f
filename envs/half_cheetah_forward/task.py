"""Half cheetah forward: see `HalfCheetahForward`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import mujoco
import torch
from torch import Tensor

from eureka_agent.config import BudgetName, TrainingBudget
from eureka_agent.simulation.physics import EpisodeState
from eureka_agent.simulation.readings import coordinate, frame, joints, spec_of
from eureka_agent.simulation.robot_task import ForwardTask
from eureka_agent.tasks.mjcf import load_package_xml
from eureka_agent.tasks.task import State

_JOINTS = ("bthigh", "bshin", "bfoot", "fthigh", "fshin", "ffoot")
_MASS_KG = 14.0
_QUICK = TrainingBudget(num_envs=16, environment_steps=400_000, horizon=128, gae_lambda=0.98)
BUDGETS: Mapping[BudgetName, TrainingBudget] = {
    "quick": _QUICK,
    "normal": replace(_QUICK, num_envs=32, environment_steps=1_500_000),
    "paper": replace(_QUICK, num_envs=1024, environment_steps=20_000_000, horizon=32),
}


class HalfCheetahForward(ForwardTask):
    """Make a two-legged robot that moves in a plane run forward as fast as it can.

    Gymnasium's `HalfCheetah-v5`: a torso with a back and a front leg of thigh, shin and foot, 14
    kg, in the xz-plane. Control runs at 20 Hz, five physics steps each.

    **Action** (6): `bthigh`, `bshin`, `bfoot`, `fthigh`, `fshin`, `ffoot` (b: back, f: front);
    [-1, 1] is 120, 90, 60, 120, 60 and 30 N m. **Observation** (17): height and lean of the torso,
    joint angles, velocity of the torso forward and up, rate of its lean, joint velocities.

    **Start**: level; positions and velocities are off by up to 0.1. **End**: after 1000 steps (50
    s). **Fitness**: mean forward speed in m/s over the 50 s; 4.8 m/s, Gymnasium's threshold, is
    solved. **Differences from Gymnasium**: the initial velocities are uniform instead of normal;
    the observed height is that above the floor.

    **Source**: Wawrzyński 2009; Towers et al. 2024 (Gymnasium, `half_cheetah.xml`).
    """

    name = "half_cheetah_forward"
    description = "make the half cheetah run forward as fast as possible"
    aliases = ("half cheetah", "cheetah", "HalfCheetah-v5", "HalfCheetah-v4")
    readings = (
        *frame("torso"),
        *coordinate("torso_pitch", 2, "rad", "lean of the torso, 0 level, positive nose down"),
        *joints(_JOINTS, qpos=slice(3, None), qvel=slice(3, None), zero="in the start pose"),
        *frame("bfoot", called="back_foot", quantities=("position",)),
        *frame("ffoot", called="front_foot", quantities=("position",)),
    )
    state_spec = spec_of(readings, dt=0.05)
    frame_skip, max_episode_steps, observation_size = 5, 1000, 17
    start_noise = (0.1, 0.1)
    fitness_solved = 4.8
    notes = (
        "x is forward, z is up; it moves in the xz-plane alone and can fall on its back, which does"
        " not end the episode. The torso weighs 6.3 kg, a leg 4.2 (back) and 3.5 kg (front). It"
        " starts level at rest, the torso 0.7 m high."
    )
    action_names = _JOINTS

    def robot(self) -> mujoco.MjSpec:
        """See `RobotTask.robot`."""
        spec = load_package_xml("gymnasium", "envs/mujoco/assets/half_cheetah.xml")
        spec.compiler.settotalmass = -1.0  # deprecated by MuJoCo
        scale = _MASS_KG / spec.compile().body_mass.sum()
        for geom in spec.geoms:
            geom.density *= scale
        return spec

    def observation(self, state: State, episode_state: EpisodeState) -> Tensor:
        """See `MujocoTask.observation`."""
        height, pitch = state["torso_position"][:, 2:], state["torso_pitch"][:, None]
        speed, rate = state["torso_velocity"][:, [0, 2]], state["torso_pitch_velocity"][:, None]
        angles, rates = state["joint_positions"], state["joint_velocities"]
        return torch.cat((height, pitch, angles, speed, rate, rates), dim=1)


TASK = HalfCheetahForward()
