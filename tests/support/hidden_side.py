"""A task whose reward depends on a hidden variable, which a critic may see."""

from __future__ import annotations

import torch
from torch import Tensor

from eureka_agent.simulation.physics import EpisodeState, InitialState, Physics, Random
from eureka_agent.tasks.task import State, StateSpec, StateVariable
from tests.support.in_process import InProcess
from tests.support.toy_task import ToyTask

STEPS = 8


class HiddenSide(ToyTask):
    """Each episode has a side, -1 or 1, that the policy does not observe, and lasts 8 steps."""

    name = "hidden_side"
    max_episode_steps = STEPS
    state_spec = StateSpec(
        (*ToyTask.state_spec.variables, StateVariable("side", (), "-", "-", "-1 or 1"))
    )

    def initial_state(self, random: Random) -> InitialState:
        initial = super().initial_state(random)
        episode_state = {"side": random.integers(2) * 2.0 - 1.0, "steps": torch.zeros(random.n)}
        return InitialState(initial.qpos, initial.qvel, episode_state=episode_state)

    def update_episode_state(self, physics: Physics, episode_state: EpisodeState) -> EpisodeState:
        return {"side": episode_state["side"], "steps": episode_state["steps"] + 1.0}

    def state(self, physics: Physics, episode_state: EpisodeState) -> dict[str, Tensor]:
        return {**super().state(physics, episode_state), "side": episode_state["side"]}


class AsymmetricHiddenSide(HiddenSide):
    """The critic sees the side and the number of steps so far."""

    def privileged(self, state: State, episode_state: EpisodeState) -> Tensor | None:
        return torch.stack((episode_state["side"], episode_state["steps"]), dim=1)


def side_reward() -> InProcess:
    """Return a reward that pays the side at every step."""
    return InProcess(lambda side: side, "side")
