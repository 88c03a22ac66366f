"""A trained policy: a plain torch module that needs nothing of the training code."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, TypeAlias

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from eureka_agent.errors import UsageError

OBSERVATION_CLIP = 10.0
"""Normalised observations are clipped to this many standard deviations."""

Activation: TypeAlias = Literal["elu", "relu", "tanh"]
Output: TypeAlias = Literal["clip", "tanh"]
_FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "clip": lambda x: x.clamp(-1.0, 1.0),
    "elu": nn.functional.elu,
    "relu": nn.functional.relu,
    "tanh": torch.tanh,
}
_SHAPE = ("sizes", "activation", "output", "observation_clip")
_HEADER = "policy"  # one entry for all of `_SHAPE`: safetensors writes several in no fixed order


class Policy(nn.Module):
    """Deterministic policy: `(n, observation_size)` to actions `(n, action_size)` in [-1, 1].

    A multilayer perceptron on observations normalised by the running statistics of the training.
    """

    observation_mean: Tensor
    observation_std: Tensor

    def __init__(
        self,
        sizes: Sequence[int],
        activation: Activation = "elu",
        output: Output = "clip",
        observation_clip: float = OBSERVATION_CLIP,
    ) -> None:
        """`sizes`: observation size, widths of the hidden layers, action size; `output`: how actions get into [-1, 1].

        `observation_clip`: normalised observations are clipped to this many standard deviations; may be infinite.
        """
        super().__init__()
        self.sizes = tuple(sizes)
        self.activation, self.output, self.observation_clip = activation, output, observation_clip
        self._activate, self._bound = _FUNCTIONS[activation], _FUNCTIONS[output]
        self.register_buffer("observation_mean", torch.zeros(sizes[0]))
        self.register_buffer("observation_std", torch.ones(sizes[0]))
        self.layers = nn.ModuleList(nn.Linear(fan_in, fan_out) for fan_in, fan_out in pairwise(self.sizes))

    def forward(self, observation: Tensor) -> Tensor:
        """Return the actions `(n, action_size)`."""
        x = (observation - self.observation_mean) / self.observation_std
        x = x.clamp(-self.observation_clip, self.observation_clip)
        for layer in self.layers[:-1]:
            x = self._activate(layer(x))
        return self._bound(self.layers[-1](x))

    def to_bytes(self) -> bytes:
        """Return the policy as the content of a safetensors file, its shape in the header."""
        tensors = {name: tensor.contiguous() for name, tensor in self.state_dict().items()}
        return save(tensors, metadata={_HEADER: json.dumps({name: getattr(self, name) for name in _SHAPE})})

    def save(self, path: Path) -> None:
        """Write a safetensors file."""
        path.write_bytes(self.to_bytes())

    @classmethod
    def load(cls, path: Path | str) -> Policy:
        """Read what `save` wrote. Raises UsageError when the file is missing or is no policy."""
        try:
            return cls.from_bytes(Path(path).read_bytes())
        except (OSError, ValueError) as error:
            raise UsageError(f"{path} is not a policy file (policy.safetensors of a run): {error}") from error

    @classmethod
    def from_bytes(cls, data: bytes) -> Policy:
        """Return what `to_bytes` wrote. Raises ValueError when it is no policy."""
        try:
            header_size = int.from_bytes(data[:8], "little")
            header: dict[str, str] = json.loads(data[8 : 8 + header_size]).get("__metadata__", {})
            old = f'{{"sizes": {header.get("sizes")}}}'  # all that files said when every policy had ELU
            shape: dict[str, Any] = json.loads(header.get(_HEADER, old))
            policy = cls(**shape)
            policy.load_state_dict(load(data))
        except (AttributeError, KeyError, TypeError, ValueError, RuntimeError, SafetensorError) as error:
            raise ValueError(str(error)) from error
        return policy.eval()
