"""HalfCheetah-v5."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from eureka_agent.simulation.gymnasium.mujoco_v5.budgets import budgets
from eureka_agent.simulation.gymnasium.mujoco_v5.planar import PlanarSettings, PlanarTask
from eureka_agent.simulation.physics import Random


@dataclass(frozen=True, kw_only=True)
class HalfCheetahSettings(PlanarSettings):
    """The keyword arguments."""

    xml_file: str = "half_cheetah.xml"
    frame_skip: int = 5
    ctrl_cost_weight: float = 0.1
    reset_noise_scale: float = 0.1


class HalfCheetah(PlanarTask[HalfCheetahSettings]):
    """HalfCheetah-v5: two legs, each of thigh, shin and foot, under the ends of a long torso."""

    environment = "HalfCheetah-v5"
    description = "make the two-legged cheetah run forward as fast as possible"
    build_notes = (
        "x is forward, z is up; the cheetah moves in the xz-plane alone. The back leg (bthigh,"
        " bshin, bfoot) and the front leg (fthigh, fshin, ffoot) are under the ends of a torso of"
        " 1 m, with the head in front. The joints have springs that pull them to the pose at the"
        " start. It can fall on its back, and episodes go on then."
    )
    feet = ("bfoot", "ffoot")
    info_names = ("x_position",)
    BUDGETS = budgets(num_envs=16, horizon=128, quick=300_000, normal=1_000_000, paper=20_000_000)

    def start(self, random: Random) -> tuple[Tensor, Tensor]:
        """See `MujocoV5Task.start`."""
        noise = self.settings.reset_noise_scale
        return self.near_pose(random, noise), random.normal(noise, self.model.nv)
