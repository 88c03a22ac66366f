"""What planar robots share that end an episode when they fall."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeVar

from torch import Tensor

from eureka_agent.simulation.gymnasium.mujoco_v5.moment import Moment
from eureka_agent.simulation.gymnasium.mujoco_v5.planar import PlanarSettings, PlanarTask
from eureka_agent.simulation.gymnasium.mujoco_v5.settings import Range
from eureka_agent.simulation.physics import Random

SettingsT = TypeVar("SettingsT", bound="UprightSettings")


@dataclass(frozen=True, kw_only=True)
class UprightSettings(PlanarSettings):
    """What both robots have."""

    frame_skip: int = 4
    ctrl_cost_weight: float = 1e-3
    healthy_reward: float = 1.0
    terminate_when_unhealthy: bool = True
    healthy_z_range: Range
    healthy_angle_range: Range
    reset_noise_scale: float = 5e-3


class UprightTask(PlanarTask[SettingsT]):
    """A robot in the xz-plane that has to stay upright."""

    info_names = ("x_position", "z_distance_from_origin")
    fastest = 10.0

    @property
    def may_end(self) -> bool:
        """See `MujocoV5Task.may_end`."""
        return self.settings.terminate_when_unhealthy

    def start(self, random: Random) -> tuple[Tensor, Tensor]:
        """See `MujocoV5Task.start`."""
        noise = self.settings.reset_noise_scale
        return self.near_pose(random, noise), random.uniform(-noise, noise, self.model.nv)

    def outside(self, height: Tensor, pitch: Tensor) -> dict[str, Tensor]:
        """Return the causes for an end that height (m) and lean (rad) of the torso are."""
        lowest, highest = self.settings.healthy_z_range
        back, front = self.settings.healthy_angle_range
        causes = {
            f"torso at or below {lowest:g} m": height <= lowest,
            f"torso leans {front:g} rad or more forward": pitch >= front,
            f"torso leans {-back:g} rad or more backward": pitch <= back,
        }
        if math.isfinite(highest):
            causes[f"torso at or above {highest:g} m"] = height >= highest
        return causes

    def info(self, moment: Moment) -> dict[str, Tensor]:
        """See `MujocoV5Task.info`."""
        above = moment.physics.qpos[:, 1] - float(self.model.qpos0[1])
        return {**super().info(moment), "z_distance_from_origin": above}

    def terms(self, moment: Moment) -> dict[str, Tensor]:
        """See `MujocoV5Task.terms`."""
        survive = self.settings.healthy_reward * moment.healthy
        return {**super().terms(moment), "reward_survive": survive}
