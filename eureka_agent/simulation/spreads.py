"""Percentiles of the numbers of a state over episodes, and which numbers are worth showing."""

from __future__ import annotations

import torch
from torch import Tensor

from eureka_agent.records import QuantitySpread
from eureka_agent.simulation.quantities import Quantity

MOMENTS = 11
"""Moments of an episode that are looked at; an odd number, so that one is the middle."""
_SHOWN = (0, MOMENTS // 2, MOMENTS - 1)
"""Start, middle and end."""
_PERCENTILES = (0.05, 0.5, 0.95)
_LEAST_RANGE = 0.01
"""Range of a number, in its SI unit, below which it counts as constant: 1 cm, half a degree."""
_LEAST_CHANGE = 0.1
"""Change between the shown moments that is worth a line, as a share of the number's range."""
_REPEATED = 0.98
"""Correlation from which a number only repeats another one."""


def spread(quantity: Quantity, values: Tensor) -> QuantitySpread:
    """Return the percentiles of a number.

    Args:
        quantity: The number's name and unit.
        values: `(MOMENTS, episodes)` float64.
    """
    start, middle, end = (
        (float(low), float(median), float(high)) for low, median, high in _percentiles(values)
    )
    return QuantitySpread(quantity.name, quantity.unit, start, middle, end)


def most_changing(values: Tensor, most: int) -> list[int]:
    """Return which numbers change most between start, middle and end of an episode.

    A number's change is the largest difference of one of its percentiles between two of these
    moments, as a share of its range (5 % to 95 % of all its values). Numbers that hardly change are
    left out, and so are those that correlate strongly with one that changes more.

    Args:
        values: `(MOMENTS, episodes, quantities)` float64.
        most: The most numbers to return.

    Returns:
        Indices of quantities, the most changing one first.
    """
    chosen: list[int] = []
    if values.shape[2] == 0:
        return chosen
    finite = values.isfinite().all(dim=0).all(dim=0)
    rows = torch.where(finite, values, 0.0).flatten(0, 1)
    shown = _percentiles(torch.where(finite, values, 0.0))
    low, _, high = rows.quantile(torch.tensor(_PERCENTILES, dtype=rows.dtype), dim=0)
    varies = high - low >= _LEAST_RANGE
    change = (shown.amax(dim=0) - shown.amin(dim=0)).amax(dim=0) / (high - low)
    change = torch.where(varies, change, 0.0)
    likeness = _correlations(rows).abs()
    for index in change.argsort(descending=True, stable=True).tolist():
        if len(chosen) == most or change[index] < _LEAST_CHANGE:
            break
        if not bool((likeness[index, chosen] >= _REPEATED).any()):
            chosen.append(index)
    return chosen


def _percentiles(values: Tensor) -> Tensor:
    """Return `(3 moments, 3 percentiles, ...)` of values `(MOMENTS, episodes, ...)`."""
    levels = torch.tensor(_PERCENTILES, dtype=values.dtype)
    return values[list(_SHOWN)].quantile(levels, dim=1).transpose(0, 1)


def _correlations(rows: Tensor) -> Tensor:
    """Return the correlations `(n, n)` of the columns of `rows (m, n)`; 0 for constant ones."""
    centred = rows - rows.mean(dim=0)
    size = centred.norm(dim=0)
    unit = torch.where(size > 0.0, centred / size, 0.0)
    return unit.T @ unit
