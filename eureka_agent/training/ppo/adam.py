"""Adam on stacked weights, in the part of Python that TorchScript takes: each candidate has its own
learning rate."""

from typing import NamedTuple

import torch
from torch import Tensor


class Weights(NamedTuple):
    """All weights of K networks, and what Adam remembers of their gradients: `(K, P)` each, changed
    in place."""

    value: Tensor
    first: Tensor
    second: Tensor


def adam_step(
    weights: Weights, gradient: Tensor, alive: Tensor, learning_rate: Tensor, steps: int
) -> Tensor:
    """Clip each candidate's gradient `(K, P)` to norm 1 and take Adam's step (Kingma & Ba 2015).

    `learning_rate`: `(K,)`; `steps`: this one and those before. Returns who goes on, `(K,)`: of
    those in `alive (K,)` the ones whose gradient is finite. The others' weights stay as they are.
    """
    alive = torch.isfinite(gradient.sum(dim=1)) & alive
    scale = (1.0 / (gradient.norm(p=2, dim=1) + 1e-6)).clamp(max=1.0)
    gradient = torch.where(alive[:, None], gradient * scale[:, None], 0.0)
    fix1, fix2 = 1.0 - 0.9**steps, 1.0 - 0.999**steps
    rate = torch.where(alive, learning_rate, 0.0) * (-(fix2**0.5) / fix1)
    weights.first.lerp_(gradient, 0.1)
    weights.second.mul_(0.999).addcmul_(gradient, gradient, value=0.001)
    # sqrt(v / f) is sqrt(v) / sqrt(f): the second moment's correction beside the rate saves two
    # passes.
    weights.value.addcdiv_(
        rate[:, None] * weights.first, weights.second.sqrt().add_(1e-8 * fix2**0.5)
    )
    return alive
