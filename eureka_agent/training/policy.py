"""A trained policy: a plain torch module that is independent of the training code."""

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
from eureka_agent.tasks.choices import one_hot
from eureka_agent.text import one_line
from eureka_agent.utils.paths import user_path

OBSERVATION_CLIP = 10.0
"""Normalised observations are clipped to this many standard deviations."""

Activation: TypeAlias = Literal["elu", "relu", "tanh"]
Output: TypeAlias = Literal["clip", "tanh", "choice"]
_SHAPE = ("sizes", "activation", "output", "observation_clip")
MOST_BYTES = 256 * 2**20
"""Size limit of a policy's file. The files of our own policies are less than 1 % of it."""
_UNREADABLE = (
    AttributeError,
    KeyError,
    TypeError,
    ValueError,
    RuntimeError,
    RecursionError,
    SafetensorError,
)
# One header entry holds all of `_SHAPE`, because safetensors writes several in no fixed order.
_HEADER = "policy"


class Policy(nn.Module):
    """Deterministic policy: `(n, observation_size)` to actions `(n, action_size)` in [-1, 1].

    For discrete actions the entries are the options: 1 for those that are taken, 0 for the others.

    A multilayer perceptron on observations that are normalised by the statistics of the training.
    It can be pickled, copied, scripted, traced and exported like any module. Its parameters do not
    require gradients; `policy.requires_grad_()` makes it trainable.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        activation: Activation = "elu",
        output: Output = "clip",
        observation_clip: float = OBSERVATION_CLIP,
        choices: Sequence[int] = (),
    ) -> None:
        """Make a policy with random weights; `load` reads a trained one.

        Args:
            sizes: Observation size, widths of the hidden layers, action size.
            activation: The activation between layers.
            output: What bounds the actions to [-1, 1]: clipping or tanh; `choices` stand for
                `choice`.
            observation_clip: Normalised observations are clipped to this many standard deviations;
                may be infinite.
            choices: The number of options of each discrete choice; together they are the action
                size. Empty for continuous actions.

        Raises:
            ValueError: There is no such activation or output, or the choices do not fit.
        """
        super().__init__()
        output = "choice" if choices else output
        if (output == "choice") != (sum(choices) == sizes[-1]) or any(n < 1 for n in choices):
            raise ValueError(f"expected choices with {sizes[-1]} options, got {list(choices)}")
        for name, known in ((activation, get_args(Activation)), (output, get_args(Output))):
            if name not in known:
                raise ValueError(f"expected one of {', '.join(known)}, got {name!r}")
        self.sizes = tuple(sizes)
        self.activation = activation
        self.output = output
        self.observation_clip = observation_clip
        self.choices = tuple(choices)
        self._groups = [*choices] or [sizes[-1]]  # TorchScript refuses an empty list
        # Not declared in the class, because TorchScript would fail to read the annotations there.
        self.observation_mean: Tensor
        self.observation_std: Tensor
        self.register_buffer("observation_mean", torch.zeros(sizes[0]))
        self.register_buffer("observation_std", torch.ones(sizes[0]))
        self.layers = nn.ModuleList(
            nn.Linear(fan_in, fan_out) for fan_in, fan_out in pairwise(self.sizes)
        )
        self.requires_grad_(False)

    def __call__(self, observation: Tensor | NDArray[Any]) -> Tensor:
        """Return the actions for observations.

        Args:
            observation: `(n, observation_size)`, or `(observation_size,)` for a single one; a
                tensor or a NumPy array of any number type.

        Returns:
            `(n, action_size)`, or `(action_size,)`, float32 and in [-1, 1].

        Raises:
            UsageError: The observation has another type or size.
        """
        # A trace would record these checks as operations.
        if torch._C._get_tracing_state() is None:
            observation = self._checked(observation)
        actions: Tensor = super().__call__(observation)
        return actions

    def _checked(self, observation: object) -> Tensor:
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
        for index, layer in enumerate(self.layers):  # TorchScript cannot slice a ModuleList
            if index > 0:
                x = _activated(x, self.activation)
            x = layer(x)
        if self.output == "choice":
            return one_hot(x, self._groups)
        return torch.tanh(x) if self.output == "tanh" else x.clamp(-1.0, 1.0)

    def to_bytes(self) -> bytes:
        """Return the content of a safetensors file; its header has the arguments of `__init__`."""
        tensors = {name: tensor.contiguous() for name, tensor in self.state_dict().items()}
        names = (*_SHAPE, "choices") if self.choices else _SHAPE
        header = json.dumps({name: getattr(self, name) for name in names})
        return save(tensors, metadata={_HEADER: header})

    def save(self, path: Path | str) -> None:
        """Write a safetensors file.

        Args:
            path: The file; an existing one is replaced.

        Raises:
            OSError: The file cannot be written.
        """
        user_path(path).write_bytes(self.to_bytes())

    @classmethod
    def load(cls, path: Path | str) -> Policy:
        """Read a file that `save` wrote.

        Args:
            path: The file, e.g. `policy.safetensors` of a run.

        Returns:
            The policy, in evaluation mode.

        Raises:
            UsageError: The file is missing or is not a policy.
        """
        try:
            return cls.from_bytes(_read(user_path(path)))
        except (OSError, ValueError) as error:
            raise UsageError(
                f"{path} is not a policy file (policy.safetensors of a run): {error}"
            ) from error

    @classmethod
    def from_bytes(cls, data: bytes) -> Policy:
        """Return the policy that `to_bytes` wrote.

        The header's sizes are compared with the tensors before they are used.

        Args:
            data: The content of a policy's file.

        Returns:
            The policy, in evaluation mode.

        Raises:
            ValueError: The data is not a policy.
        """
        try:
            header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")]).get(
                "__metadata__", {}
            )
            # Old files, of the time when every policy had ELU, hold the sizes alone.
            old = f'{{"sizes": {header.get("sizes")}}}'
            shape: dict[str, Any] = json.loads(header.get(_HEADER, old))
            tensors = load(data)  # compares the shapes with the length of `data`
            _check_sizes(shape["sizes"], tensors)
            policy = cls(**shape)
            policy.load_state_dict(tensors)
        except _UNREADABLE as error:
            raise ValueError(one_line(str(error), 400)) from error
        return policy.eval()


def _read(path: Path) -> bytes:
    """Return a file's content if its header fits its size. Raises OSError and ValueError."""
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
        raise ValueError("its header has no layer sizes")
    expected: dict[str, tuple[int, ...]] = {
        "observation_mean": (sizes[0],),
        "observation_std": (sizes[0],),
    }
    for k, (fan_in, fan_out) in enumerate(pairwise(sizes)):
        expected |= {f"layers.{k}.weight": (fan_out, fan_in), f"layers.{k}.bias": (fan_out,)}
    if expected != {name: tuple(tensor.shape) for name, tensor in tensors.items()}:
        raise ValueError("its tensors do not have the sizes in its header")


def _activated(x: Tensor, activation: str) -> Tensor:
    if activation == "relu":
        return torch.relu(x)
    if activation == "tanh":
        return torch.tanh(x)
    return nn.functional.elu(x)
