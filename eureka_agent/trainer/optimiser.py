"""Adam on stacked weights: each candidate has its own learning rate and its own gradient norm."""

from __future__ import annotations

import torch
from torch import Tensor


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

    def step(self, parameters: Tensor, gradient: Tensor, alive: Tensor) -> None:
        """Clip each candidate's gradient to the norm and update `parameters (K, P)` in place.

        Candidates not in `alive (K,)` stay as they are. One whose gradient is not finite must not be alive.
        """
        scale = (self._max_grad_norm / (gradient.norm(dim=1) + 1e-6)).clamp(max=1.0)
        gradient = torch.where(alive[:, None], gradient * scale[:, None], 0.0)
        self._steps += 1
        fix1, fix2 = 1.0 - 0.9**self._steps, 1.0 - 0.999**self._steps
        rate = torch.where(alive, self.learning_rate, 0.0) * (-(fix2**0.5) / fix1)
        self._first.lerp_(gradient, 0.1)
        self._second.mul_(0.999).addcmul_(gradient, gradient, value=0.001)
        # sqrt(v / f) is sqrt(v) / sqrt(f): the second moment's correction beside the rate saves two passes.
        parameters.addcdiv_(rate[:, None] * self._first, self._second.sqrt().add_(1e-8 * fix2**0.5))

    def keep(self, rows: Tensor) -> None:
        """Forget all candidates but `rows`."""
        self.learning_rate = self.learning_rate[rows]
        self._first, self._second = self._first[rows], self._second[rows]


def finite_rows(x: Tensor) -> Tensor:
    """`(K,)` bool: which rows of `(K, P)` have only finite numbers."""
    return torch.isfinite(x.sum(dim=1))
