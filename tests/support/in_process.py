"""Trusted rewards in the test's own process: for tests of trainers, not of the sandbox."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from eureka_agent.errors import RewardRuntimeError
from eureka_agent.rewards.runner import RewardBatch
from eureka_agent.tasks.task import Task


class InProcess:
    """A reward from a function that returns `(rows,)`; its only component is called `all`."""

    processor_s = 0.0

    def __init__(self, function: Callable[..., Tensor], *parameters: str) -> None:
        self.parameters = parameters
        self._function = function
        self._state: Mapping[str, Tensor] = {}
        self.rows: list[int] = []

    def submit(self, state: Mapping[str, Tensor]) -> None:
        self._state = {name: state[name] for name in self.parameters}
        self.rows.append(len(self._state[self.parameters[0]]))

    def collect(self) -> RewardBatch:
        reward = self._function(**self._state)
        if not torch.isfinite(reward).all():
            raise RewardRuntimeError("the reward is NaN")
        return RewardBatch(reward, {"all": reward})


class Costly(InProcess):
    """A reward that reports six seconds of processor time for each call."""

    def collect(self) -> RewardBatch:
        self.processor_s += 6.0
        return super().collect()


def upright(dof_pos: Tensor) -> Tensor:
    return 1.0 - dof_pos[:, 1].square()


def human_reward(task: Task) -> InProcess:
    """Return the task's human reward, which is our own code, without the sandbox."""
    namespace: dict[str, Any] = {}
    exec(task.human_reward, namespace)
    function = namespace["compute_reward"]
    constants = task.reward_inputs.constants
    names = inspect.signature(function).parameters
    given = {name: constants[name] for name in names if name in constants}
    return InProcess(
        lambda **state: function(**state, **given)[0],
        *(name for name in names if name not in constants),
    )
