"""A reward function for users: callable on tensors, run in the sandbox."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from eureka_agent.errors import UsageError
from eureka_agent.extract.files import load_reward_file
from eureka_agent.jail import Sandbox, SandboxedReward, SandboxLevel
from eureka_agent.records import RewardSource
from eureka_agent.rewards.runner import RewardBatch
from eureka_agent.simulation import gymnasium as in_gymnasium
from eureka_agent.tasks.task import Task
from eureka_agent.utils.arguments import check_value
from eureka_agent.utils.did_you_mean import did_you_mean
from eureka_agent.utils.forks import refuse_fork
from eureka_agent.utils.paths import user_path

if TYPE_CHECKING:  # gymnasium is imported when an environment of it is wrapped
    import gymnasium
    from gymnasium.vector import VectorEnv

    from eureka_agent.simulation.gymnasium.reward_wrapper import RewardWrapper
    from eureka_agent.simulation.gymnasium.wrapping import VectorRewardWrapper


class RewardFunction:
    """A checked reward for one task; a context manager.

    A call runs the code in a sandboxed process, never in this one. The process starts with the
    first call and ends with `close` (or the `with` block, or the object). `source` is plain Python
    for use elsewhere.
    """

    def __init__(self, task: Task, reward: RewardSource, *, sandbox: SandboxLevel = "full") -> None:
        """Wrap a checked reward; use `load` for a file.

        Args:
            task: The task that the reward is for.
            reward: The checked source.
            sandbox: Which layers of the sandbox must hold when the reward is called.

        Raises:
            ConfigError: `sandbox` is not a known level.
        """
        check_value("sandbox", sandbox, SandboxLevel)
        self.task = task
        self._level: SandboxLevel = sandbox
        self.reward = reward
        self._sandbox: Sandbox | None = None
        self._sandboxed: SandboxedReward | None = None
        self._max_rows = 0
        self._batch: RewardBatch | None = None

    @classmethod
    def load(
        cls, path: Path | str, task: Task, *, sandbox: SandboxLevel = "full"
    ) -> RewardFunction:
        """Read a reward file like a model's completion, and check it against the task.

        Args:
            path: The file, in any form that `docs/rewards.md` describes.
            task: The task that the reward is for.
            sandbox: Which layers of the sandbox must hold when the reward is called.

        Returns:
            The reward.

        Raises:
            RewardFileError: The file cannot be read or fails the checks; it says what to change.
        """
        return cls(task, load_reward_file(path, task), sandbox=sandbox)

    @property
    def source(self) -> str:
        """The Python source."""
        return self.reward.code

    @property
    def components(self) -> tuple[str, ...]:
        """Names of the reward's components; empty before the first call."""
        return self._sandboxed.component_names if self._sandboxed is not None else ()

    def save(self, path: Path | str) -> None:
        """Write the source to a file.

        Args:
            path: The file; an existing one is replaced.

        Raises:
            OSError: The file cannot be written.
        """
        user_path(path).write_text(self.source, encoding="utf-8")

    def __call__(
        self, *positional: object, **state: Tensor | NDArray[Any]
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Compute the reward.

        Args:
            *positional: Not allowed; a state is given by name.
            **state: `(rows, *shape)` for every parameter of the reward that is not a constant of
                the task.

        Returns:
            The reward `(rows,)` and its components by name, `(rows,)` each.

        Raises:
            UsageError: The state does not fit the reward.
            RewardRuntimeError: The reward failed.
            SandboxError: The sandbox could not be opened.
        """
        refuse_fork()
        if positional:
            example = ", ".join(f"{name}=..." for name in self.parameters)
            raise UsageError(f"A reward takes its state by name: reward({example}).")
        known = self._known(state)
        rows = len(known[self.parameters[0]]) if self.parameters else 1
        batch = self._open_for(rows)(known)
        return batch.reward, batch.components

    @overload
    def as_wrapper(self, env: gymnasium.Env[Any, Any]) -> RewardWrapper: ...

    @overload
    def as_wrapper(self, env: VectorEnv[Any, Any, Any]) -> VectorRewardWrapper: ...

    def as_wrapper(
        self, env: gymnasium.Env[Any, Any] | VectorEnv[Any, Any, Any]
    ) -> RewardWrapper | VectorRewardWrapper:
        """Put this reward into an environment of Gymnasium, for any library that trains there.

        The wrapper pays this reward instead of the environment's own. `info["own_reward"]` is the
        environment's own, `info["reward_components"]` holds the components. The reward runs in the
        sandbox; `close` it when the environment is no longer used.

        Args:
            env: The environment of the reward's task, or a vector of them. Wrappers that change
                observations or actions go around the result.

        Returns:
            The environment with this reward.

        Raises:
            UsageError: The task has no environment of Gymnasium, or the reward reads what it lacks.
        """
        reading = in_gymnasium.reading_of(self.task, self.task.name)
        return in_gymnasium.wrapped(env, self._pay, reading, self.parameters)

    def _pay(self, state: dict[str, Any]) -> tuple[Tensor, dict[str, Any]]:
        total, components = self(**{name: state[name] for name in self.parameters})
        return total, dict(components)

    def _known(self, state: Mapping[str, object]) -> dict[str, Tensor]:
        """Return what the reward reads of `state`, as tensors of the right shapes.

        Raises UsageError.
        """
        needed = self.parameters
        missing = [name for name in needed if name not in state]
        if missing:
            unknown = set(state) - set(needed)
            advice = did_you_mean(next(iter(unknown)), missing) if unknown else ""
            raise UsageError(
                f"The reward needs {', '.join(needed)}; missing: {', '.join(missing)}.{advice}"
            )
        known = {name: _tensor(name, state[name]) for name in needed}
        rows = known[needed[0]].shape[0] if needed and known[needed[0]].dim() else 0
        for name, values in known.items():
            shape = self.task.reward_inputs.shapes[name]
            if tuple(values.shape) != (rows, *shape) or not rows:
                one_row = ", ".join(("rows", *map(str, shape)))
                raise UsageError(
                    f"{name} must have the shape ({one_row}), with as many rows as {needed[0]} and"
                    f" at least one; got {tuple(values.shape)}."
                )
        return known

    # ------------------------------------------------------------------ as a RewardRunner
    @property
    def parameters(self) -> tuple[str, ...]:
        """The names that `submit` needs."""
        return tuple(
            name for name in self.reward.parameters if name in self.task.reward_inputs.shapes
        )

    @property
    def processor_s(self) -> float:
        """See `RewardRunner.processor_s`."""
        return self._sandboxed.processor_s if self._sandboxed is not None else 0.0

    def submit(self, state: Mapping[str, Tensor]) -> None:
        """See `RewardRunner.submit`."""
        self._batch = RewardBatch(*self(**state))

    def collect(self) -> RewardBatch:
        """See `RewardRunner.collect`."""
        assert self._batch is not None, "collect() without submit()"
        return self._batch

    def _open_for(self, rows: int) -> SandboxedReward:
        if self._sandboxed is None or rows > self._max_rows:
            self.close()
            self._max_rows = max(rows, 1024)
            self._sandbox = Sandbox(required=self._level)
            self._sandboxed = self._sandbox.open(
                self.reward, self.task.reward_inputs, max_rows=self._max_rows
            )
        return self._sandboxed

    def close(self) -> None:
        """End the sandboxed process; the next call starts a new one."""
        if self._sandboxed is not None:
            self._sandboxed.close()
        if self._sandbox is not None:
            self._sandbox.close()
        self._sandboxed = self._sandbox = None

    def __enter__(self) -> RewardFunction:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"RewardFunction(task={self.task.name!r}, parameters={self.reward.parameters})"


def _tensor(name: str, values: object) -> Tensor:
    if isinstance(values, np.ndarray) and values.dtype.kind in "fiub":
        return torch.from_numpy(np.ascontiguousarray(values))
    if isinstance(values, Tensor):
        return values.detach()
    raise UsageError(
        f"{name} must be a tensor or a NumPy array of numbers, got {type(values).__name__}."
    )
