"""Adam on stacked weights, each candidate with its own learning rate; written for TorchScript."""

from typing import NamedTuple

import torch
from torch import Tensor


class Weights(NamedTuple):
    """All weights of K networks and Adam's moments of them: `(K, P)` each, changed in place."""

    value: Tensor
    first: Tensor
    """Moving average of the gradient, m."""
    second: Tensor
    """Moving average of the squared gradient, v."""


def adam_step(
    weights: Weights, gradient: Tensor, alive: Tensor, learning_rate: Tensor, steps: int
) -> Tensor:
    """Clip each candidate's gradient `(K, P)` to norm 1 and take Adam's step (Kingma & Ba 2015).

    `learning_rate`: `(K,)`; `steps`: the number of this step, from 1. Returns `(K,)` bool: the
    candidates of `alive (K,)` whose gradient is finite. The weights of the others do not change.
    """
    alive = torch.isfinite(gradient.sum(dim=1)) & alive
    # g <- g min(1, 1 / |g|)
    scale = (1.0 / (gradient.norm(p=2, dim=1) + 1e-6)).clamp(max=1.0)
    gradient = torch.where(alive[:, None], gradient * scale[:, None], 0.0)
    # m <- 0.9 m + 0.1 g,  v <- 0.999 v + 0.001 g^2
    weights.first.lerp_(gradient, 0.1)
    weights.second.mul_(0.999).addcmul_(gradient, gradient, value=0.001)
    # w <- w - rate (m / c1) / (sqrt(v / c2) + 1e-8),  c1 = 1 - 0.9^t,  c2 = 1 - 0.999^t.
    # Here both sides of the fraction are multiplied by sqrt(c2), which saves two passes.
    c1, c2 = 1.0 - 0.9**steps, 1.0 - 0.999**steps
    rate = torch.where(alive, learning_rate, 0.0) * (-(c2**0.5) / c1)
    weights.value.addcdiv_(
        rate[:, None] * weights.first, weights.second.sqrt().add_(1e-8 * c2**0.5)
    )
    return alive
