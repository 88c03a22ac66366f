"""Random numbers that have to fulfil a condition."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

_TRIES = 64
"""With a condition that holds for half of the draws, all fail once in 2^64."""


def first_accepted(draw: Callable[[], Tensor], accept: Callable[[Tensor], Tensor]) -> Tensor:
    """Draw until every environment has a draw that is accepted; rows that have one keep it.

    Args:
        draw: Returns `(n, k)`, the next draw of every environment.
        accept: Returns `(n,)` bool for a draw.

    Returns:
        `(n, k)`: the first accepted draw of each environment.
    """
    kept = draw()
    accepted = accept(kept)
    for _ in range(_TRIES):
        if accepted.all():
            break
        again = draw()
        kept = torch.where(accepted[:, None], kept, again)
        accepted = accepted | accept(again)
    return kept
