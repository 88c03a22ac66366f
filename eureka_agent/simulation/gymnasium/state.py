"""What a reward may read of an environment: observation, numbers of `info`, and its model."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import gymnasium
from gymnasium.spaces import flatdim

from eureka_agent.errors import UsageError
from eureka_agent.simulation.gymnasium.fitness import FitnessRule
from eureka_agent.simulation.gymnasium.info_entries import (
    TriedSteps,
    numeric_entries,
    tells_reward,
    try_steps,
)
from eureka_agent.simulation.gymnasium.model_reading import mujoco_of
from eureka_agent.simulation.gymnasium.model_variables import ModelVariable, model_variables
from eureka_agent.simulation.gymnasium.recipe import InfoEntry, ModelQuantity
from eureka_agent.simulation.gymnasium.spaces import observation_variables
from eureka_agent.simulation.gymnasium.words import RESERVED, identifier
from eureka_agent.tasks.task import QuantityKind, StateSpec, StateVariable
from eureka_agent.text import one_line
from eureka_agent.utils.did_you_mean import did_you_mean

Fields: TypeAlias = Mapping[str, tuple[int, int, tuple[int, ...]]]
"""By the name of a variable: where its numbers begin in a row, how many they are, its shape."""
_WHOLE_EPISODE = 2000
"""Steps."""


@dataclass(frozen=True)
class Readable:
    """Everything that can be read of one environment, in the order of a row (`Recipe`)."""

    observation: tuple[StateVariable, ...]
    observation_size: int
    info: tuple[tuple[InfoEntry, StateVariable | None], ...]
    """Entries of `info`, each with its variable; None if only the fitness reads it."""
    model: tuple[ModelVariable, ...]
    step_s: float
    """Seconds of one step of one environment, measured."""

    @property
    def spec(self) -> StateSpec:
        """What rewards may read."""
        infos = [variable for _, variable in self.info if variable is not None]
        listed = [each.variable for each in self.model if each.listed]
        rest = [each.variable for each in self.model if not each.listed]
        return StateSpec((*self.observation, *infos, *listed), unlisted=tuple(rest))

    def reading(
        self, reads: Iterable[str] | None
    ) -> tuple[tuple[InfoEntry, ...], tuple[ModelQuantity, ...], Fields]:
        """Return what is read, and where it is in a row, for rewards that read `reads` (all)."""
        wanted = None if reads is None else {name.removeprefix("prev_") for name in reads}
        fields: dict[str, tuple[int, int, tuple[int, ...]]] = {}
        start = 0
        for variable in self.observation:
            size = math.prod(variable.shape)
            fields[variable.name] = (start, size, variable.shape)
            start += size
        if wanted is None or "obs_buf" in wanted:
            fields["obs_buf"] = (0, start, (start,))
        for entry, info in self.info:
            if info is not None:
                fields[info.name] = (start, entry.size, info.shape)
            start += entry.size
        quantities: list[ModelQuantity] = []
        for each in self.model:
            if each.listed or wanted is None or each.variable.name in wanted:
                size = each.quantity.size
                fields[each.variable.name] = (start, size, each.variable.shape)
                quantities.append(each.quantity)
                start += size
        return tuple(entry for entry, _ in self.info), tuple(quantities), fields


def readable(env: gymnasium.Env[Any, Any], docstring: str, rule: FitnessRule) -> Readable:
    """Return what can be read of an environment, after a few random steps in it.

    Args:
        env: The environment.
        docstring: That of its class.
        rule: What measures an episode: the entry of `info` that it needs is read, too.

    Raises:
        UsageError: `info` has no such entry.
        TaskError: The environment fails.
    """
    name = env.spec.id if env.spec is not None else type(env.unwrapped).__name__
    kind = type(env.unwrapped).__name__
    observation = observation_variables(env.observation_space, docstring, kind)
    taken = {variable.name for variable in observation} | RESERVED
    tried = _tried(env, name, rule)
    info = _info(tried, taken, rule)
    taken |= {variable.name for _, variable in info if variable is not None}
    found = mujoco_of(env)
    model: list[ModelVariable] = []
    for each in () if found is None else model_variables(found[0]):
        if each.variable.name not in taken:
            taken.add(each.variable.name)
            model.append(each)
    size = flatdim(env.observation_space)
    return Readable(observation, size, tuple(info), tuple(model), tried.step_s)


def _tried(env: gymnasium.Env[Any, Any], name: str, rule: FitnessRule) -> TriedSteps:
    """Take a few random steps; whole episodes if `info` lacks what the fitness reads."""
    tried = try_steps(env, name)
    if rule.kind != "info" or _has(tried, rule):
        return tried
    longer = try_steps(env, name, steps=_WHOLE_EPISODE)
    if not _has(longer, rule):
        keys = [entry.key for entry in numeric_entries(longer) if entry.size == 1]
        known = ", ".join(keys) or "none"
        raise UsageError(
            f"--fitness {rule.text}: in random episodes of {name} the info has no number"
            f" {rule.key!r}.{did_you_mean(rule.key, keys)} Its numbers: {known}."
        )
    return replace(longer, step_s=tried.step_s)


def _has(tried: TriedSteps, rule: FitnessRule) -> bool:
    return any(entry.key == rule.key and entry.size == 1 for entry in numeric_entries(tried))


def _info(
    tried: TriedSteps, taken: set[str], rule: FitnessRule
) -> list[tuple[InfoEntry, StateVariable | None]]:
    pairs: list[tuple[InfoEntry, StateVariable | None]] = []
    names = set(taken)
    for entry in numeric_entries(tried):
        name = identifier(entry.key)
        if name in names:
            name = f"info_{name}"
        if not name or name in names or tells_reward(entry, tried):
            if rule.key == entry.key:
                pairs.append((entry, None))
            continue
        names.add(name)
        meaning = f"the entry {one_line(entry.key, 60)!r} of the environment's info"
        kind: QuantityKind = "flag" if entry.is_flag and entry.shape == () else "other"
        pairs.append((entry, StateVariable(name, entry.shape, "-", "-", meaning, kind)))
    return pairs
