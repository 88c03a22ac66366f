"""Adam on stacked weights: each candidate has its own learning rate and its own gradient norm."""

from __future__ import annotations

import torch
from torch import Tensor

from eureka_agent.trainer.threads import scripted


class StackedAdam:
    """Adam (Kingma & Ba 2015) on `(K, P)`: row `k` belongs to candidate `k`."""

    STATE = ("learning_rate", "_first", "_second", "_steps")

    def __init__(
        self,
        copies: int,
        size: int,
        learning_rate: float,
        *,
        max_grad_norm: float = 1.0,
        device: torch.device | None = None,
    ) -> None:
        self.learning_rate = torch.full((copies,), learning_rate, device=device)
        """`(K,)`"""
        self._max_grad_norm = max_grad_norm
        self._first = torch.zeros(copies, size, device=device)
        self._second = torch.zeros(copies, size, device=device)
        self._steps = 0
        self._update = _adam if device is not None and device.type != "cpu" else scripted(_adam)

    def step(self, parameters: Tensor, gradient: Tensor, alive: Tensor) -> Tensor:
        """Clip each candidate's gradient to the norm and update `parameters (K, P)` in place.

        Returns who goes on, `(K,)`: of those in `alive (K,)` the ones whose gradient is finite. The others' parameters
        stay as they are.
        """
        self._steps += 1
        moments = self._first, self._second
        return self._update(parameters, gradient, alive, *moments, self.learning_rate, self._steps, self._max_grad_norm)

    def keep(self, rows: Tensor) -> None:
        """Forget all candidates but `rows`."""
        self.learning_rate = self.learning_rate[rows]
        self._first, self._second = self._first[rows], self._second[rows]


def _adam(
    parameters: Tensor,
    gradient: Tensor,
    alive: Tensor,
    first: Tensor,
    second: Tensor,
    learning_rate: Tensor,
    steps: int,
    max_norm: float,
) -> Tensor:
    alive = torch.isfinite(gradient.sum(dim=1)) & alive
    scale = (max_norm / (gradient.norm(p=2, dim=1) + 1e-6)).clamp(max=1.0)
    gradient = torch.where(alive[:, None], gradient * scale[:, None], 0.0)
    fix1, fix2 = 1.0 - 0.9**steps, 1.0 - 0.999**steps
    rate = torch.where(alive, learning_rate, 0.0) * (-(fix2**0.5) / fix1)
    first.lerp_(gradient, 0.1)
    second.mul_(0.999).addcmul_(gradient, gradient, value=0.001)
    # sqrt(v / f) is sqrt(v) / sqrt(f): the second moment's correction beside the rate saves two passes.
    parameters.addcdiv_(rate[:, None] * first, second.sqrt().add_(1e-8 * fix2**0.5))
    return alive
