"""Adam on stacked weights: each candidate has its own learning rate and its own gradient norm."""

from __future__ import annotations

import torch
from torch import Tensor


class StackedAdam:
    """Adam (Kingma & Ba 2015) where row `k` of every parameter belongs to candidate `k`."""

    def __init__(self, parameters: list[Tensor], learning_rate: float, *, max_grad_norm: float = 1.0) -> None:
        self.learning_rate = torch.full((len(parameters[0]),), learning_rate)
        """`(K,)`"""
        self._parameters = parameters
        self._max_grad_norm = max_grad_norm
        self._first = [torch.zeros_like(p) for p in parameters]
        self._second = [torch.zeros_like(p) for p in parameters]
        self._steps = 0

    @torch.no_grad()
    def step(self, gradients: tuple[Tensor, ...], alive: Tensor) -> None:
        """Clip each candidate's gradient to the norm and update; candidates not in `alive (K,)` stay as they are.

        A candidate whose gradient is not finite must not be alive: see `finite_rows`.
        """
        squares = torch.stack([g.flatten(1).square().sum(dim=1) for g in gradients]).sum(dim=0)
        scale = (self._max_grad_norm / (squares.sqrt() + 1e-6)).clamp(max=1.0)
        self._steps += 1
        fix1, fix2 = 1.0 - 0.9**self._steps, 1.0 - 0.999**self._steps
        rate = torch.where(alive, self.learning_rate, 0.0) / fix1
        everyone = bool(alive.all())
        for p, g, m, v in zip(self._parameters, gradients, self._first, self._second, strict=True):
            shape = (-1,) + (1,) * (p.dim() - 1)
            g = g * scale.view(shape)
            if not everyone:
                g = torch.where(alive.view(shape), g, 0.0)
            m.lerp_(g, 0.1)
            v.mul_(0.999).addcmul_(g, g, value=0.001)
            p.sub_(rate.view(shape) * m / ((v / fix2).sqrt_().add_(1e-8)))


def finite_rows(tensors: tuple[Tensor, ...]) -> Tensor:
    """`(K,)` bool: which candidates have only finite numbers in all of `tensors`."""
    return torch.stack([torch.isfinite(t.flatten(1).sum(dim=1)) for t in tensors]).all(dim=0)
