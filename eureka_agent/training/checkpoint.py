"""Saves a training to a file, so that a killed run can resume in the middle of it.

A training is saved every minute: weights, optimiser, statistics, random generators, environments
and the candidates' curves. A resumed training has the same results, bit for bit.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from eureka_agent.errors import StoreError
from eureka_agent.records import Rung, TrainingRecord
from eureka_agent.text import one_line
from eureka_agent.training.history import History
from eureka_agent.utils.files import new_file
from eureka_agent.utils.plain_json import decode, encode

EVERY_S = 60.0
"""Seconds between two saves."""
VERSION = "6"
"""Version of the file format. A file of another version is ignored."""
_HEADER, _VERSION = "training", "version"


@dataclass(frozen=True)
class ActiveMember:
    """One candidate that is still training."""

    index: int
    history: History
    iterations: list[tuple[float, float, int]]
    """See `FitnessTracker.iterations`."""
    rungs: list[Rung]


@dataclass(frozen=True)
class FinishedMember:
    """One candidate whose training is over: its record, or why it failed.

    Its policy is the tensor `finished.<index>`.
    """

    index: int
    record: TrainingRecord | None
    error: str | None


@dataclass(frozen=True)
class TrainingState:
    """The state of a training apart from its tensors."""

    done: int
    """Iterations so far."""
    steps_of_all: int
    """Environment steps of all candidates together so far."""
    seconds: float
    """Duration so far."""
    members: list[ActiveMember]
    finished: list[FinishedMember]
    key: str = ""
    """Identifies the training."""


@dataclass(frozen=True)
class IgnoredCheckpoint:
    """A saved training in another version of the file format, which is not continued."""

    file: str
    """Name of the file."""
    version: str
    supported: str
    """The version that is read here."""


class Checkpoint:
    """The file of one training; a file with another `key` is ignored."""

    def __init__(self, path: Path, key: str, every_s: float = EVERY_S) -> None:
        self._path = path
        self._key = key
        self._every_s = every_s
        self._saved_at = time.monotonic()

    @property
    def due(self) -> bool:
        """Whether it is time to save again."""
        return time.monotonic() - self._saved_at >= self._every_s

    @property
    def of_another_version(self) -> IgnoredCheckpoint | None:
        """The file if it is of another version, so that it will be ignored; else None."""
        try:
            with safe_open(self._path, framework="pt") as file:
                written = one_line((file.metadata() or {}).get(_VERSION, "0"), 20)
        except (OSError, SafetensorError):
            return None
        if written == VERSION:
            return None
        return IgnoredCheckpoint(self._path.name, written, VERSION)

    def save(self, state: TrainingState, tensors: Mapping[str, Tensor]) -> None:
        """Write the whole state, or leave the last file as it is.

        Raises:
            StoreError: The file cannot be written.
        """
        new = _unfinished(self._path)
        whole = {
            name: tensor.detach().cpu().clone().contiguous() for name, tensor in tensors.items()
        }
        metadata = {_VERSION: VERSION, _HEADER: encode(replace(state, key=self._key))}
        try:
            new_file(new).close()  # so that save_file does not follow a link of this name
            save_file(whole, new, metadata=metadata)
            os.replace(new, self._path)
        except (OSError, SafetensorError) as error:
            with suppress(OSError):
                new.unlink(missing_ok=True)  # it would take room on a full disk
            raise StoreError(
                f"Cannot save the training to {self._path}: {error}. Is the disk full?"
            ) from error
        self._saved_at = time.monotonic()

    def load(self) -> tuple[TrainingState, SavedTensors] | None:
        """Return the saved state; None if no readable file of this training and version is there.

        Each tensor is read on access, so that its size can be checked first.
        """
        try:
            tensors = SavedTensors(self._path)
            if tensors.metadata.get(_VERSION) != VERSION:
                return None
            state = decode(TrainingState, tensors.metadata.get(_HEADER, ""))
        except (OSError, SafetensorError, ValueError):
            return None
        return (state, tensors) if state.key == self._key else None


class SavedTensors(Mapping[str, Tensor]):
    """The tensors of a file, each read on access. Raises OSError and SafetensorError."""

    def __init__(self, path: Path) -> None:
        self._file = cast(Any, safe_open(path, framework="pt"))
        self.metadata: Mapping[str, str] = self._file.metadata() or {}
        self._names = tuple(self._file.keys())

    def __getitem__(self, name: str) -> Tensor:
        if name not in self._names:
            raise KeyError(name)
        tensor: Tensor = self._file.get_tensor(name)
        return tensor

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def size_of(self, name: str) -> tuple[int, ...]:
        """Return a tensor's shape without reading it."""
        return tuple(self._file.get_slice(name).get_shape())


def discard(path: Path) -> None:
    """Remove the file `path`, and the incomplete file of a save that was killed."""
    path.unlink(missing_ok=True)
    _unfinished(path).unlink(missing_ok=True)


def _unfinished(path: Path) -> Path:
    return path.with_suffix(".new")


def state_tensors(owner: object, names: Sequence[str]) -> dict[str, Tensor]:
    """Return these attributes (tensors and numbers) as tensors."""
    values = {name: getattr(owner, name) for name in names}
    # Python's floats are float64; torch would make them float32 and round counts above 16 million.
    return {
        n: torch.as_tensor(v, dtype=torch.float64 if isinstance(v, float) else None)
        for n, v in values.items()
    }


def load_tensors(owner: object, tensors: Mapping[str, Tensor]) -> None:
    """Set attributes to what `state_tensors` returned."""
    for name, tensor in tensors.items():
        before = getattr(owner, name)
        is_tensor = isinstance(before, Tensor)
        value = tensor.to(before.device) if is_tensor else type(before)(tensor.item())
        setattr(owner, name, value)


def add_prefix(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return `tensors` under `<prefix>.<name>`."""
    return {f"{prefix}.{name}": tensor for name, tensor in tensors.items()}


def strip_prefix(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors under a prefix by the names that they had before `add_prefix`."""
    return {
        name[len(prefix) + 1 :]: tensor
        for name, tensor in tensors.items()
        if name.startswith(f"{prefix}.")
    }
