"""A trained policy: a plain torch module that needs nothing of the training code."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from eureka_agent.errors import UsageError
from eureka_agent.text import one_line
from eureka_agent.utils.paths import user_path

OBSERVATION_CLIP = 10.0
"""Normalised observations are clipped to this many standard deviations."""

Activation: TypeAlias = Literal["elu", "relu", "tanh"]
Output: TypeAlias = Literal["clip", "tanh"]
_SHAPE = ("sizes", "activation", "output", "observation_clip")
MOST_BYTES = 256 * 2**20
"""Of a policy's file; those that are trained here have less than a hundredth of it."""
_UNREADABLE = (
    AttributeError,
    KeyError,
    TypeError,
    ValueError,
    RuntimeError,
    RecursionError,
    SafetensorError,
)
_HEADER = "policy"  # one entry for all of `_SHAPE`: safetensors writes several in no fixed order


class Policy(nn.Module):
    """Deterministic policy: `(n, observation_size)` to actions `(n, action_size)` in [-1, 1].

    A multilayer perceptron on observations normalised by the running statistics of the training. It
    can be pickled, copied, scripted, traced and exported like any module. Its parameters need no
    gradient, so neither do its actions; `policy.requires_grad_()` makes it trainable.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        activation: Activation = "elu",
        output: Output = "clip",
        observation_clip: float = OBSERVATION_CLIP,
    ) -> None:
        """`sizes`: observation size, widths of the hidden layers, action size; `output`: how
        actions get into [-1, 1].

        `observation_clip`: normalised observations are clipped to this many standard deviations;
        may be infinite.
        Raises ValueError for an activation or an output that does not exist.
        """
        super().__init__()
        for name, known in ((activation, get_args(Activation)), (output, get_args(Output))):
            if name not in known:
                raise ValueError(f"expected one of {', '.join(known)}, got {name!r}")
        self.sizes = tuple(sizes)
        self.activation = activation
        self.output = output
        self.observation_clip = observation_clip
        # Declared here and not in the class, where TorchScript would read the annotations, and
        # cannot.
        self.observation_mean: Tensor
        self.observation_std: Tensor
        self.register_buffer("observation_mean", torch.zeros(sizes[0]))
        self.register_buffer("observation_std", torch.ones(sizes[0]))
        self.layers = nn.ModuleList(
            nn.Linear(fan_in, fan_out) for fan_in, fan_out in pairwise(self.sizes)
        )
        self.requires_grad_(False)

    def __call__(self, observation: Tensor | NDArray[Any]) -> Tensor:
        """Return the actions `(n, action_size)` for observations `(n, observation_size)`, or one
        row for one row.

        Takes tensors and NumPy arrays of any number type; actions are tensors of the policy's own
        type, float32.
        Raises UsageError for anything else, and for observations of another size.
        """
        if (
            torch._C._get_tracing_state() is None
        ):  # a trace would keep these questions as operations
            observation = self._observed(observation)
        actions: Tensor = super().__call__(observation)
        return actions

    def _observed(self, observation: object) -> Tensor:
        if isinstance(observation, np.ndarray) and observation.dtype.kind in "fiub":
            observation = torch.from_numpy(np.ascontiguousarray(observation))
        if not isinstance(observation, Tensor):
            kind = type(observation).__name__
            raise UsageError(
                "A policy takes a tensor or a NumPy array of numbers as its observation, got"
                f" {kind}."
            )
        size = self.sizes[0]
        if observation.dim() not in (1, 2) or observation.shape[-1] != size:
            raise UsageError(
                f"This policy takes observations of shape (n, {size}), or ({size},) for one, got "
                f"{tuple(observation.shape)}."
            )
        return observation

    def forward(self, observation: Tensor) -> Tensor:
        """Return the actions `(n, action_size)`."""
        x = (
            observation.to(self.observation_mean.dtype) - self.observation_mean
        ) / self.observation_std
        x = x.clamp(-self.observation_clip, self.observation_clip)
        for place, layer in enumerate(self.layers):  # TorchScript knows no slice of modules
            if place > 0:
                x = _activated(x, self.activation)
            x = layer(x)
        return torch.tanh(x) if self.output == "tanh" else x.clamp(-1.0, 1.0)

    def to_bytes(self) -> bytes:
        """Return the policy as the content of a safetensors file, its shape in the header."""
        tensors = {name: tensor.contiguous() for name, tensor in self.state_dict().items()}
        return save(
            tensors, metadata={_HEADER: json.dumps({name: getattr(self, name) for name in _SHAPE})}
        )

    def save(self, path: Path | str) -> None:
        """Write a safetensors file."""
        user_path(path).write_bytes(self.to_bytes())

    @classmethod
    def load(cls, path: Path | str) -> Policy:
        """Read what `save` wrote. Raises UsageError when the file is missing or is no policy."""
        try:
            return cls.from_bytes(_read(user_path(path)))
        except (OSError, ValueError) as error:
            raise UsageError(
                f"{path} is not a policy file (policy.safetensors of a run): {error}"
            ) from error

    @classmethod
    def from_bytes(cls, data: bytes) -> Policy:
        """Return what `to_bytes` wrote. Raises ValueError when it is no policy.

        What the header says of sizes is compared with the tensors that are there before anything is
        made of it.
        """
        try:
            header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")]).get(
                "__metadata__", {}
            )
            old = (  # all that files said when every policy had ELU
                f'{{"sizes": {header.get("sizes")}}}'
            )
            shape: dict[str, Any] = json.loads(header.get(_HEADER, old))
            tensors = load(data)  # compares the shapes with the length of `data`
            _check_sizes(shape["sizes"], tensors)
            policy = cls(**shape)
            policy.load_state_dict(tensors)
        except _UNREADABLE as error:
            raise ValueError(one_line(str(error)[:400])) from error
        return policy.eval()


def _read(path: Path) -> bytes:
    """Return a file's content once its header was compared with its size. Raises OSError,
    ValueError."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        header_bytes = int.from_bytes(file.read(8), "little")
        if size > MOST_BYTES or header_bytes > size - 8:
            raise ValueError(
                f"its header declares {header_bytes:,} bytes and the file has {size:,}"
            )
        file.seek(0)
        return file.read(MOST_BYTES)


def _check_sizes(sizes: object, tensors: Mapping[str, Tensor]) -> None:
    """Raise ValueError unless the tensors are those of a perceptron with these layers."""
    if not (
        isinstance(sizes, list)
        and len(sizes) > 1
        and all(type(size) is int and size > 0 for size in sizes)
    ):
        raise ValueError("its header names no sizes of layers")
    expected: dict[str, tuple[int, ...]] = {
        "observation_mean": (sizes[0],),
        "observation_std": (sizes[0],),
    }
    for k, (fan_in, fan_out) in enumerate(pairwise(sizes)):
        expected |= {f"layers.{k}.weight": (fan_out, fan_in), f"layers.{k}.bias": (fan_out,)}
    if expected != {name: tuple(tensor.shape) for name, tensor in tensors.items()}:
        raise ValueError("its tensors do not have the sizes that its header names")


def _activated(x: Tensor, activation: str) -> Tensor:
    if activation == "relu":
        return torch.relu(x)
    if activation == "tanh":
        return torch.tanh(x)
    return nn.functional.elu(x)
