"""A trained policy: a plain torch module that needs nothing of the training code."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from eureka_agent.errors import UsageError

OBSERVATION_CLIP = 10.0
"""Normalised observations are clipped to this many standard deviations."""


class Policy(nn.Module):
    """Deterministic policy: `(n, observation_size)` to actions `(n, action_size)` in [-1, 1].

    A multilayer perceptron with ELU on observations normalised by the running statistics of the training.
    """

    observation_mean: Tensor
    observation_std: Tensor

    def __init__(self, sizes: Sequence[int]) -> None:
        """`sizes`: observation size, widths of the hidden layers, action size."""
        super().__init__()
        self.sizes = tuple(sizes)
        self.register_buffer("observation_mean", torch.zeros(sizes[0]))
        self.register_buffer("observation_std", torch.ones(sizes[0]))
        self.layers = nn.ModuleList(nn.Linear(fan_in, fan_out) for fan_in, fan_out in pairwise(self.sizes))

    def forward(self, observation: Tensor) -> Tensor:
        """Return the actions `(n, action_size)`."""
        x = (observation - self.observation_mean) / self.observation_std
        x = x.clamp(-OBSERVATION_CLIP, OBSERVATION_CLIP)
        for layer in self.layers[:-1]:
            x = nn.functional.elu(layer(x))
        return torch.clamp(self.layers[-1](x), -1.0, 1.0)

    def to_bytes(self) -> bytes:
        """Return the policy as the content of a safetensors file, its sizes in the header."""
        tensors = {name: tensor.contiguous() for name, tensor in self.state_dict().items()}
        return save(tensors, metadata={"sizes": json.dumps(self.sizes)})

    def save(self, path: Path) -> None:
        """Write a safetensors file."""
        path.write_bytes(self.to_bytes())

    @classmethod
    def load(cls, path: Path | str) -> Policy:
        """Read what `save` wrote. Raises UsageError when the file is missing or is no policy."""
        try:
            with safe_open(str(path), framework="pt") as file:
                policy = cls(json.loads((file.metadata() or {})["sizes"]))
                policy.load_state_dict({name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118
        except (OSError, KeyError, ValueError, RuntimeError, SafetensorError) as error:
            raise UsageError(f"{path} is not a policy file (policy.safetensors of a run): {error}") from error
        return policy.eval()
