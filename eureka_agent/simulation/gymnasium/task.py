"""Any environment of Gymnasium as a task, found by its id (`gym:CartPole-v1`)."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any, ClassVar

import gymnasium
from gymnasium.spaces import Box
from torch import Tensor

from eureka_agent.config import BudgetName, TrainingBudget
from eureka_agent.errors import UsageError
from eureka_agent.simulation.gymnasium.actions import (
    action_names,
    check_action_space,
    choices_of,
)
from eureka_agent.simulation.gymnasium.docstrings import description_of, notes_of
from eureka_agent.simulation.gymnasium.expressions import expressions_of
from eureka_agent.simulation.gymnasium.fitness import FitnessRule, fitness_rule
from eureka_agent.simulation.gymnasium.foreign import demand_packages, foreign_env, user_python
from eureka_agent.simulation.gymnasium.known import DESCRIPTIONS
from eureka_agent.simulation.gymnasium.making import (
    DEFAULT_EPISODE_STEPS,
    find_spec,
    make,
    registration_of,
)
from eureka_agent.simulation.gymnasium.mujoco_v5 import batch_task
from eureka_agent.simulation.gymnasium.reading import GymnasiumReading
from eureka_agent.simulation.gymnasium.recipe import Recipe
from eureka_agent.simulation.gymnasium.spaces import check_observation_space
from eureka_agent.simulation.gymnasium.state import Fields, Readable, readable
from eureka_agent.simulation.gymnasium.vector_env import GymnasiumEnv
from eureka_agent.simulation.gymnasium.workers import workers_for
from eureka_agent.tasks.choices import one_hot
from eureka_agent.tasks.ids import Options, join_id
from eureka_agent.tasks.task import StateSpec, Task

_logger = logging.getLogger(__name__)
_QUICK = TrainingBudget(
    num_envs=16, environment_steps=100_000, horizon=128, evaluation_episodes=32, epochs=10
)
_MOST_SCALES = 24


class GymnasiumTask(Task):
    """An environment of Gymnasium; see `docs/gymnasium.md`.

    The environment pays a reward of its own, which no model sees. Time limit, terminations and
    initial states are the environment's own.
    """

    BUDGETS: ClassVar[Mapping[BudgetName, TrainingBudget]] = {
        "quick": _QUICK,
        "normal": replace(_QUICK, environment_steps=1_000_000, evaluation_episodes=64),
        "paper": replace(_QUICK, num_envs=64, environment_steps=10_000_000, evaluation_episodes=64),
    }

    def __init__(
        self,
        name: str,
        kwargs: Mapping[str, object],
        rule: FitnessRule,
        *,
        python: str | None = None,
    ) -> None:
        """Make the environment once, and take a few random steps to see what it shows.

        Args:
            name: Its id with its version, without `gym:`.
            kwargs: Arguments of the environment's class.
            rule: What measures an episode.
            python: Path of another Python in which the environments are stepped.

        Raises:
            UnknownTaskError: No such environment is registered.
            UsageError: It is not supported, or needs packages that are not installed.
            TaskError: It fails.
        """
        if python is None:
            spec = find_spec(name)
            env = make(name, kwargs)
        else:
            env = foreign_env(python, name, kwargs)
            assert env.spec is not None
            spec = env.spec
        try:
            check_observation_space(env.observation_space, spec.id)
            check_action_space(env.action_space, spec.id)
            docstring = type(env.unwrapped).__doc__ or ""
            self._readable: Readable = readable(env, docstring, rule)
            self._dt = _dt_of(env)
            limit = env.spec.max_episode_steps if env.spec is not None else None
        finally:
            env.close()
        self.rule = rule
        # Otherwise it is the sparse reward, which need not be trained twice.
        self.has_own_reward = rule.kind != "env_return"
        self.name = name.replace(":", "-").replace("/", "-")
        self.id = task_id(name, kwargs, rule, python)
        self.description = DESCRIPTIONS.get(spec.name) or _described(docstring, spec.id)
        self.max_episode_steps = limit or DEFAULT_EPISODE_STEPS
        if python is None and spec.max_episode_steps is None and "max_episode_steps" not in kwargs:
            _logger.warning(
                "%s has no time limit: its episodes end after %s steps here (--env-kwargs"
                " max_episode_steps=N changes that).",
                spec.id,
                DEFAULT_EPISODE_STEPS,
            )
        self.state_spec: StateSpec = self._readable.spec
        self.observation_size: int = self._readable.observation_size
        self._space = env.action_space
        self.action_choices = choices_of(self._space)
        self.action_names = action_names(self._space, docstring)
        self.notes = "\n".join(filter(None, (notes_of(docstring), self._scales())))
        self.fitness_unit = rule.unit
        self.fitness_meaning = rule.meaning(self.max_episode_steps)
        threshold = None if kwargs else spec.reward_threshold
        self.fitness_solved = rule.solved(threshold, self.max_episode_steps)
        self._python = python
        self._registration = None if python is not None else registration_of(spec)
        self._name, self._kwargs = name, dict(kwargs)

    @property
    def dt(self) -> float:
        """Seconds per environment step: the environment's own `dt`, else that of its pictures."""
        return self._dt

    def make_env(
        self,
        num_envs: int,
        *,
        seed: int,
        streams: int | None = None,
        device: str = "cpu",
        threads: int | None = None,
        reads: Iterable[str] | None = None,
    ) -> GymnasiumEnv:
        """See `Task.make_env`. `threads` is the number of worker processes."""
        if device != "cpu":
            raise UsageError(
                f"{self.name} is simulated by Gymnasium, which runs on the CPU: leave --device out."
            )
        workers = workers_for(num_envs, self._readable.step_s, threads)
        if self._python is not None:
            workers = max(1, workers)
        elif self._registration is None:
            workers = 0
        return GymnasiumEnv(
            self, num_envs, seed=seed, streams=streams, workers=workers, reads=reads
        )

    def recipe(self, reads: Iterable[str] | None) -> tuple[Recipe, Fields]:
        """Return how environments are read for rewards that read `reads` (all)."""
        entries, quantities, fields = self._readable.reading(reads)
        recipe = Recipe(
            self._name,
            self._kwargs,
            self.max_episode_steps,
            self.observation_size,
            entries,
            quantities,
            ignores_ends=not self.ends_early,
            python=self._python,
            registration=self._registration,
        )
        return recipe, fields

    def taken(self, action: Tensor) -> Tensor:
        """Return the action `(num_envs, action_size)` that environments take for `action`."""
        if self.action_choices:
            return one_hot(action, list(self.action_choices))
        return action.clamp(-1.0, 1.0)

    @cached_property
    def gymnasium_reading(self) -> GymnasiumReading:
        """See `SupportsGymnasium`."""
        return GymnasiumReading(self._name, expressions_of(self._readable), self.dt, self._kwargs)

    def _scales(self) -> str:
        """Return what [-1, 1] stands for, where that is not the environment's own range."""
        space = self._space
        if not isinstance(space, Box) or self.action_size > _MOST_SCALES:
            return ""
        pairs = list(zip(space.low.flat, space.high.flat, strict=True))
        if all((low, high) == (-1.0, 1.0) for low, high in pairs):
            return ""
        scales = [
            f"{name} to [{low:.4g}, {high:.4g}]"
            for name, (low, high) in zip(self.action_names, pairs, strict=True)
        ]
        return f"Action entries in [-1, 1] are scaled: {', '.join(scales)}."


def gymnasium_task(name: str, options: Options) -> Task:
    """Return the task of an environment's id.

    Args:
        name: The id without `gym:`, e.g. `Hopper-v5` or `module:Name-v0`.
        options: `kwargs`, the arguments of the environment's class; `fitness`, see `fitness_rule`;
            `python`, the path of another Python that has the environment.

    Raises:
        UnknownTaskError: No such environment is registered.
        UsageError: An option does not exist, or the environment is not supported.
        TaskError: The environment, or the file of the fitness, fails.
    """
    unknown = sorted(options.keys() - {"kwargs", "fitness", "python"})
    if unknown:
        raise UsageError(
            f"gym:{name} has the unknown option {unknown[0]!r}: the options are kwargs, fitness and"
            " python."
        )
    kwargs, fitness = options.get("kwargs", {}), options.get("fitness", "env_return")
    if not isinstance(kwargs, dict):
        raise UsageError(f"The option kwargs of gym:{name} must be a JSON object: got {kwargs!r}.")
    if not isinstance(fitness, str):
        raise UsageError(f"The option fitness of gym:{name} must be a text: got {fitness!r}.")
    rule = fitness_rule(fitness)
    if options.get("python") is not None:
        python = user_python(str(options["python"]))
        demand_packages(python)
        return GymnasiumTask(name, kwargs, rule, python=python)
    return batch_task(name, kwargs, rule) or GymnasiumTask(name, kwargs, rule)


def task_id(
    name: str, kwargs: Mapping[str, object], rule: FitnessRule, python: str | None = None
) -> str:
    """Return the id of a task: `gym:`, its name, and what differs from the defaults."""
    fitness = None if rule.kind == "env_return" else rule.text
    options = {"kwargs": dict(kwargs) or None, "fitness": fitness, "python": python}
    return join_id("gym", name, options)


def _described(docstring: str, name: str) -> str:
    return description_of(docstring) or f"solve the environment {name}"


def _dt_of(env: gymnasium.Env[Any, Any]) -> float:
    inner = env.unwrapped
    rate = inner.metadata.get("render_fps") or 0
    candidates = (getattr(inner, "dt", None), getattr(inner, "tau", None), rate and 1.0 / rate)
    for value in candidates:
        if isinstance(value, int | float) and math.isfinite(value) and value > 0:
            return float(value)
    return 1.0
