"""A reward function as a user gets it: callable on tensors, and still behind the wall."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from eureka_agent.errors import UsageError
from eureka_agent.extract.files import load_reward_file
from eureka_agent.jail import Sandbox, SandboxedReward, SandboxLevel
from eureka_agent.records import RewardSource
from eureka_agent.rewards.runner import RewardBatch
from eureka_agent.tasks.task import Task
from eureka_agent.utils.arguments import check_value
from eureka_agent.utils.did_you_mean import did_you_mean
from eureka_agent.utils.forks import refuse_fork
from eureka_agent.utils.paths import user_path


class RewardFunction:
    """A checked reward for one task.

    Calling it runs the code in a sealed child process, never in this one; the child starts with the
    first call and ends with `close` (or the `with` block, or the object). `.source` is plain Python
    to use elsewhere.
    """

    def __init__(self, task: Task, reward: RewardSource, *, sandbox: SandboxLevel = "full") -> None:
        """`sandbox`: which layers of the sandbox must hold."""
        check_value("sandbox", sandbox, SandboxLevel)
        self.task = task
        self._level: SandboxLevel = sandbox
        self.reward = reward
        self._sandbox: Sandbox | None = None
        self._sealed: SandboxedReward | None = None
        self._max_rows = 0
        self._batch: RewardBatch | None = None

    @classmethod
    def load(
        cls, path: Path | str, task: Task, *, sandbox: SandboxLevel = "full"
    ) -> RewardFunction:
        """Read a reward file as a model's answer is read, and check it against the task.

        Raises RewardFileError with what to change.
        """
        return cls(task, load_reward_file(path, task), sandbox=sandbox)

    @property
    def source(self) -> str:
        """The Python source."""
        return self.reward.code

    @property
    def components(self) -> tuple[str, ...]:
        """Names of the reward's components; known after the first call."""
        return self._sealed.component_names if self._sealed is not None else ()

    def save(self, path: Path | str) -> None:
        """Write the source to a file."""
        user_path(path).write_text(self.source, encoding="utf-8")

    def __call__(
        self, *positional: object, **state: Tensor | NDArray[Any]
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Return the reward `(rows,)` and its components `(rows,)` each.

        `state`: `(rows, *shape)` for every parameter of the reward that is no constant of the task,
        by name. Raises UsageError for a state that does not fit, RewardRuntimeError when the reward
        fails.
        """
        refuse_fork()
        if positional:
            example = ", ".join(f"{name}=..." for name in self.parameters)
            raise UsageError(f"A reward takes its state by name: reward({example}).")
        known = self._known(state)
        rows = len(known[self.parameters[0]]) if self.parameters else 1
        batch = self._sealed_for(rows)(known)
        return batch.reward, batch.components

    def _known(self, state: Mapping[str, object]) -> dict[str, Tensor]:
        """Return what the reward reads of `state`, as tensors of the right shapes. Raises
        UsageError."""
        needed = self.parameters
        missing = [name for name in needed if name not in state]
        if missing:
            near = (
                did_you_mean(next(iter(set(state) - set(needed))), missing)
                if set(state) - set(needed)
                else ""
            )
            raise UsageError(
                f"The reward needs {', '.join(needed)}; missing: {', '.join(missing)}.{near}"
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
        return self._sealed.processor_s if self._sealed is not None else 0.0

    def submit(self, state: Mapping[str, Tensor]) -> None:
        """See `RewardRunner.submit`."""
        self._batch = RewardBatch(*self(**state))

    def collect(self) -> RewardBatch:
        """See `RewardRunner.collect`."""
        assert self._batch is not None, "collect() without submit()"
        return self._batch

    def _sealed_for(self, rows: int) -> SandboxedReward:
        if self._sealed is None or rows > self._max_rows:
            self.close()
            self._max_rows = max(rows, 1024)
            self._sandbox = Sandbox(required=self._level)
            self._sealed = self._sandbox.open(
                self.reward, self.task.reward_inputs, max_rows=self._max_rows
            )
        return self._sealed

    def close(self) -> None:
        """End the child process; the next call starts a new one."""
        if self._sealed is not None:
            self._sealed.close()
        if self._sandbox is not None:
            self._sandbox.close()
        self._sealed = self._sandbox = None

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
