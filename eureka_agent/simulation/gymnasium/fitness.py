"""What measures success in an environment of Gymnasium (`--fitness`).

An episode's fitness is the sum of what its steps add. A rule reads one value per step
(`FitnessRule.value`); `FitnessRule.added` turns it into what the step adds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import torch
from torch import Tensor

from eureka_agent.errors import TaskError, UsageError
from eureka_agent.simulation.gymnasium.fitness_file import (
    MeasureFunction,
    checked_measure,
    load_measure,
    summary_of,
)
from eureka_agent.tasks.task import State

How: TypeAlias = Literal["last", "sum", "max"]
"""Which of an episode's values counts: the last one, the sum of all, or the largest."""

_EXPECTED = "take env_return, episode_length, info:KEY, info:KEY:last|sum|max or FILE.py:FUNCTION"


@dataclass(frozen=True)
class FitnessRule:
    """What measures an episode; `fitness_rule` makes one from a text."""

    text: str
    """What makes the same rule again; the path of a file is absolute."""
    kind: Literal["env_return", "episode_length", "info", "function"]
    key: str = ""
    """The entry of `info` that an `info` rule reads."""
    how: How = "sum"
    function: MeasureFunction | None = None

    def value(self, own_reward: Tensor, info: Mapping[str, Tensor], state: State) -> Tensor:
        """Return what the rule reads in one step.

        Args:
            own_reward: `(num_envs,)`: what the environment itself pays.
            info: `(num_envs,)` each: the numeric entries of `info`, NaN where a step has none.
            state: What rewards read after the step.

        Returns:
            `(num_envs,)`; NaN where the step has no value.

        Raises:
            TaskError: `info` has no such entry, or the user's function fails.
        """
        if self.kind == "env_return":
            return own_reward
        if self.kind == "episode_length":
            return torch.ones_like(own_reward)
        if self.function is not None:
            return checked_measure(self.function, state, len(own_reward), self.text)
        if self.key not in info:
            known = ", ".join(sorted(info)) or "none"
            raise TaskError(
                f"--fitness {self.text}: the environment's info has no number {self.key!r}. Its"
                f" numbers: {known}."
            )
        return info[self.key]

    def added(self, value: Tensor, remembered: Tensor, first: Tensor) -> tuple[Tensor, Tensor]:
        """Return what a step adds to its episode's fitness, and what to remember for the next one.

        Args:
            value: `(num_envs,)`: what the rule read in this step (`value`).
            remembered: `(num_envs,)`: what to remember of the steps before; any number at first.
            first: `(num_envs,)` bool: the step is the first of its episode.

        Returns:
            `(num_envs,)` each.
        """
        missing = value.isnan()
        if self.how == "sum":
            return torch.where(missing, 0.0, value), remembered
        unset = first | remembered.isnan()
        before = torch.where(unset, 0.0, remembered)
        now = value
        if self.how == "max":
            now = torch.where(unset, value, torch.maximum(value, before))
        nothing_yet = torch.where(unset, math.nan, before)
        return torch.where(missing, 0.0, now - before), torch.where(missing, nothing_yet, now)

    @property
    def unit(self) -> str:
        """The unit of the fitness."""
        if self.kind == "info":
            return self.key
        if self.function is not None:
            return self.function.__name__
        return "steps" if self.kind == "episode_length" else "return"

    def meaning(self, max_episode_steps: int) -> str:
        """Return what the fitness measures, for prompts: one sentence without its end mark."""
        if self.kind == "env_return":
            return "sum over the episode of a score that the environment gives in each step"
        if self.kind == "episode_length":
            return f"length of the episode in environment steps, at most {max_episode_steps}"
        if self.function is not None:
            return summary_of(self.function)
        which = {
            "last": f"{self.key} in the last step of the episode",
            "sum": f"sum of {self.key} over the steps of the episode",
            "max": f"largest {self.key} in the episode",
        }
        return which[self.how]

    def solved(self, reward_threshold: float | None, max_episode_steps: int) -> float:
        """Return the fitness that counts as solved, or NaN if none is known.

        Args:
            reward_threshold: The environment's own threshold for its return, if it has one.
            max_episode_steps: The time limit in environment steps.
        """
        if self.kind == "env_return" and reward_threshold is not None:
            return float(reward_threshold)
        return float(max_episode_steps) if self.kind == "episode_length" else math.nan


def fitness_rule(text: str) -> FitnessRule:
    """Return the rule that a text names; a file's code is run.

    Args:
        text: `env_return`, `episode_length`, `info:KEY`, `info:KEY:last|sum|max` or
            `FILE.py:FUNCTION`.

    Raises:
        UsageError: The text is none of these, or there is no such file.
        TaskError: The file has a mistake, or no such function.
    """
    text = text.strip()
    if text == "env_return":
        return FitnessRule(text, "env_return")
    if text == "episode_length":
        return FitnessRule(text, "episode_length")
    if text.startswith("info:"):
        return _info_rule(text)
    path, colon, name = text.rpartition(":")
    if colon and path.endswith(".py"):
        function, where = load_measure(path, name)
        return FitnessRule(where, "function", function=function)
    raise UsageError(f"There is no fitness {text!r:.80}: {_EXPECTED}.")


def _info_rule(text: str) -> FitnessRule:
    key = text.removeprefix("info:")
    for how in get_args(How):
        if key.endswith(f":{how}"):
            return _rule_of_key(text, key.removesuffix(f":{how}"), how)
    return _rule_of_key(text, key, "last")


def _rule_of_key(text: str, key: str, how: How) -> FitnessRule:
    if not key.strip() or ":" in key or not key.isprintable():
        raise UsageError(f"The fitness {text!r:.80} has no valid entry of info: {_EXPECTED}.")
    return FitnessRule(f"info:{key}:{how}", "info", key=key, how=how)
