"""A training's state in a file, so that what was killed goes on in the middle of a training.

A long training is saved every minute: weights, optimiser, statistics, random generators, every
world, and each candidate's curves. What goes on from there is the same training, bit for bit.
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
VERSION = "4"
"""Of the file; raised when what is in it changes, so that no other version takes it for its own."""
_HEADER, _VERSION = "training", "version"


@dataclass(frozen=True)
class ActiveMember:
    """One candidate that is still training."""

    index: int
    history: History
    pace: list[tuple[float, float, int]]
    rungs: list[Rung]


@dataclass(frozen=True)
class FinishedMember:
    """One candidate that has left: its record and its policy (`left.<index>` of the tensors), or
    why it failed."""

    index: int
    record: TrainingRecord | None
    error: str | None


@dataclass(frozen=True)
class TrainingState:
    """What a training is besides its tensors."""

    done: int
    """Iterations."""
    steps_of_all: int
    seconds: float
    members: list[ActiveMember]
    left: list[FinishedMember]
    key: str = ""
    """Says which training it is."""


class Checkpoint:
    """The file of one training; `key` tells it from every other one, whose file it would not take
    for its own."""

    def __init__(self, path: Path, key: str, every_s: float = EVERY_S) -> None:
        self._path, self._key, self._every_s = path, key, every_s
        self._saved_at = time.monotonic()

    @property
    def due(self) -> bool:
        """Whether it is time to save again."""
        return time.monotonic() - self._saved_at >= self._every_s

    @property
    def of_another_version(self) -> str:
        """One sentence when the saved state was written by another version and will be ignored;
        else empty."""
        try:
            with safe_open(self._path, framework="pt") as file:
                written = one_line((file.metadata() or {}).get(_VERSION, "0"))[:20]
        except (OSError, SafetensorError):
            return ""
        if written == VERSION:
            return ""
        return (
            f"The training saved in {self._path.name} has format {written} and this version reads"
            f" {VERSION}: it starts anew."
        )

    def save(self, facts: TrainingState, tensors: Mapping[str, Tensor]) -> None:
        """Write the whole state, or leave the last one as it is. Raises StoreError when it cannot
        be written."""
        new = _unfinished(self._path)
        whole = {
            name: tensor.detach().cpu().clone().contiguous() for name, tensor in tensors.items()
        }
        try:
            new_file(new).close()  # and not what a link of this name points to
            save_file(
                whole,
                new,
                metadata={_VERSION: VERSION, _HEADER: encode(replace(facts, key=self._key))},
            )
            os.replace(new, self._path)
        except (OSError, SafetensorError) as error:
            with suppress(OSError):
                new.unlink(
                    missing_ok=True
                )  # on a full disk it would be in the way of everything else
            raise StoreError(
                f"Cannot save the training to {self._path}: {error}. Is the disk full?"
            ) from error
        self._saved_at = time.monotonic()

    def load(self) -> tuple[TrainingState, SavedTensors] | None:
        """Return the saved state; None when there is none of this training, and of this version,
        that can be read.

        A tensor is read when it is asked for, so that its size can be looked at before.
        """
        try:
            tensors = SavedTensors(self._path)
            if tensors.metadata.get(_VERSION) != VERSION:
                return None
            facts = decode(TrainingState, tensors.metadata.get(_HEADER, ""))
        except (OSError, SafetensorError, ValueError):
            return None
        return (facts, tensors) if facts.key == self._key else None


class SavedTensors(Mapping[str, Tensor]):
    """The tensors of a file, each read when it is asked for. Raises OSError and SafetensorError."""

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
    """Remove what was saved under `path`, and what a save that was killed left beside it."""
    path.unlink(missing_ok=True)
    _unfinished(path).unlink(missing_ok=True)


def _unfinished(path: Path) -> Path:
    return path.with_suffix(".new")


def state_tensors(owner: object, names: Sequence[str]) -> dict[str, Tensor]:
    """Return these attributes (tensors and numbers) as tensors."""
    values = {name: getattr(owner, name) for name in names}
    # Python's floats are doubles, and torch would make them singles: counts above 16 million would
    # be rounded.
    return {
        n: torch.as_tensor(v, dtype=torch.float64 if isinstance(v, float) else None)
        for n, v in values.items()
    }


def load_tensors(owner: object, tensors: Mapping[str, Tensor]) -> None:
    """Set attributes to what `state_tensors` returned."""
    for name, tensor in tensors.items():
        before = getattr(owner, name)
        setattr(
            owner,
            name,
            tensor.to(before.device) if isinstance(before, Tensor) else type(before)(tensor.item()),
        )


def add_prefix(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return `tensors` under `<prefix>.<name>`."""
    return {f"{prefix}.{name}": tensor for name, tensor in tensors.items()}


def strip_prefix(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return what `add_prefix` put under a prefix, by its own names."""
    return {
        name[len(prefix) + 1 :]: tensor
        for name, tensor in tensors.items()
        if name.startswith(f"{prefix}.")
    }
