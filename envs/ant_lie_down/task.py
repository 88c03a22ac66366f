"""Ant, lie down: see `AntLieDown`."""

from __future__ import annotations

import torch
from torch import Tensor

from eureka_agent.simulation.physics import EpisodeState
from eureka_agent.tasks.task import State

from ..ant_forward.task import BUDGETS as BUDGETS
from ..ant_forward.task import AntForward

_LYING_M, _STILL_M_S = 0.3, 0.2


class AntLieDown(AntForward):
    """Make the ant lie down on the floor and stay there.

    `ant_forward` with another aim, which no published reward has: scene, action, observation and
    state are the same. **End**: after 300 steps (5 s). **Fitness**: the share of the steps in which
    the torso is not above 0.3 m (its radius is 0.25 m) and slower than 0.2 m/s; 0.9 is solved.
    """

    name = "ant_lie_down"
    description = "make the ant lie down flat on the floor and keep still"
    aliases = ("ant lie down", "lie down")
    ends_early = False
    max_episode_steps = 300
    fitness_unit = "share"
    fitness_solved = 0.9
    fitness_meaning = (
        "share of the steps of an episode in which the torso lies on the floor and hardly moves"
    )

    @property
    def has_human_source(self) -> bool:
        """See `Task.has_human_source`: nobody wrote one."""
        return False

    def fitness(self, state: State, episode_state: EpisodeState) -> Tensor:
        """See `MujocoTask.fitness`."""
        root = state["root_states"]
        lies = root[:, 2] <= _LYING_M
        still = root[:, 7:10].norm(dim=1) < _STILL_M_S
        return torch.where(lies & still, 1.0 / self.max_episode_steps, 0.0)


TASK = AntLieDown()
