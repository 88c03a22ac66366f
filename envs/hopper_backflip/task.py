"""Hopper, backflip: see `HopperBackflip`."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from eureka_agent.simulation.physics import EpisodeState, InitialState, Physics, Random
from eureka_agent.tasks.task import State

from ..hopper_forward.task import BUDGETS as BUDGETS
from ..hopper_forward.task import HopperForward

_TURN_SHARE, _LANDING_SHARE = 0.6, 0.4
_LANDED_STEPS = 50
_STANDING_M, _MAX_LEAN_RAD, _LYING_M = 0.7, 0.5, 0.45


class HopperBackflip(HopperForward):
    """Make the hopper turn over backwards once and stand again.

    `hopper_forward` with another aim, which no published reward has: scene, action, observation and
    state are the same. **End**: after 400 steps (3.2 s). **Fitness**: 0.6 times the share of a full
    turn backwards that it reached while its torso was above 0.45 m (lying, it only rolls), plus 0.4
    for standing (torso above 0.7 m, leaning less than 0.5 rad) in 50 steps after the full turn,
    less for fewer; 0.9 is solved.
    """

    name = "hopper_backflip"
    description = "make the hopper do a backflip and land on its foot"
    aliases = ("hopper backflip", "backflip")
    ends_early = False
    max_episode_steps = 400
    fitness_unit = "score"
    fitness_solved = 0.9
    fitness_meaning = (
        "from 0 to 1: mostly the share of a full turn backwards that it reached, the rest for"
        " standing upright after a full turn"
    )

    @property
    def has_human_source(self) -> bool:
        """See `Task.has_human_source`: nobody wrote one."""
        return False

    def initial_state(self, random: Random) -> InitialState:
        """See `MujocoTask.initial_state`."""
        start = super().initial_state(random)
        nothing = torch.zeros(random.n)
        memory = {"turned": nothing, "landed": nothing, "gained": nothing}
        return InitialState(start.qpos, start.qvel, episode_state=memory)

    def update_episode_state(self, physics: Physics, episode_state: EpisodeState) -> EpisodeState:
        """Remember the share of a turn reached, the steps landed, and what this step gained."""
        lean, height = physics.qpos[:, 2], physics.sensor("torso_position")[:, 2]
        reached = torch.where(height > _LYING_M, -lean / (2.0 * math.pi), 0.0)
        turned = torch.maximum(reached, episode_state["turned"]).clamp(max=1.0)
        stands = (height > _STANDING_M) & ((lean + 2.0 * math.pi).abs() < _MAX_LEAN_RAD)
        stands = stands & (episode_state["turned"] >= 0.9)
        landed = (episode_state["landed"] + stands).clamp(max=_LANDED_STEPS)
        turn = _TURN_SHARE * (turned - episode_state["turned"])
        landing = _LANDING_SHARE * (landed - episode_state["landed"]) / _LANDED_STEPS
        return {"turned": turned, "landed": landed, "gained": turn + landing}

    def fitness(self, state: State, episode_state: EpisodeState) -> Tensor:
        """See `MujocoTask.fitness`."""
        return episode_state["gained"]


TASK = HopperBackflip()
