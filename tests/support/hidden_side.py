"""A task whose rewards depend on what its policy cannot see, with or without a critic that can."""

from __future__ import annotations

import torch
from torch import Tensor

from eureka_agent.tasks.task import Memory, Physics, Random, Start, State, StateSpec, StateVariable
from tests.support.in_process import InProcess
from tests.support.toy_task import ToyTask

STEPS = 8


class HiddenSide(ToyTask):
    """Each episode has a side, -1 or 1, that is in no observation; time is up after 8 steps, and
    nothing else ends."""

    name = "hidden_side"
    max_episode_steps = STEPS
    state_spec = StateSpec(
        (*ToyTask.state_spec.variables, StateVariable("side", (), "-", "-", "-1 or 1"))
    )

    def start(self, random: Random) -> Start:
        start = super().start(random)
        memory = {"side": random.integers(2) * 2.0 - 1.0, "steps": torch.zeros(random.n)}
        return Start(start.qpos, start.qvel, memory=memory)

    def remember(self, physics: Physics, memory: Memory) -> Memory:
        return {"side": memory["side"], "steps": memory["steps"] + 1.0}

    def state(self, physics: Physics, memory: Memory) -> dict[str, Tensor]:
        return {**super().state(physics, memory), "side": memory["side"]}


class AsymmetricHiddenSide(HiddenSide):
    """Its critic sees the side, and how many steps the episode has had."""

    def privileged(self, state: State, memory: Memory) -> Tensor | None:
        return torch.stack((memory["side"], memory["steps"]), dim=1)


def side_reward() -> InProcess:
    """The side, at every step."""
    return InProcess(lambda side: side, "side")
