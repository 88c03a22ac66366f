"""Curves over a training: its components, its reward, its fitness."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from eureka_agent.records import Curve
from eureka_agent.report.formatting import one_line, quantity
from eureka_agent.report.html.charts.svg import (
    SERIES,
    Chart,
    LegendEntry,
    Scale,
    line,
    markup,
    path,
    picture,
    vertical_axis,
    words,
)

_HEIGHT = 150
_LONGEST_NAME = 40
_MOST_POINTS = 200
"""A training records about ten; a run from elsewhere may hold any number."""


def curves_chart(
    name: str, curves: Sequence[Curve], environment_steps: int, *, title: str, first_series: int = 1
) -> Chart | None:
    """Draw curves over the environment steps of a training.

    Args:
        name: Unique in the page.
        curves: The curves; at most eight are drawn, those with the largest values.
        environment_steps: The length of the training.
        title: What the chart shows.
        first_series: The first curve's colour.

    Returns:
        The chart; None if no curve has two finite values.
    """
    curves = [replace(curve, values=curve.values[:_MOST_POINTS]) for curve in curves]
    known = [curve for curve in curves if sum(map(math.isfinite, curve.values)) > 1]
    if not known:
        return None
    drawn = sorted(known, key=lambda curve: -_size(curve))[:SERIES]
    values = [value for curve in drawn for value in curve.values if math.isfinite(value)]
    scale = Scale.over(values, zero=min(values) >= 0.0)
    described = "; ".join(_described(curve) for curve in drawn)
    root = picture(
        name, title, f"Over {environment_steps} environment steps. {described}.", _HEIGHT
    )
    vertical_axis(root, scale, most=4)
    line(root, (0, 100), (100, 100), "axis")
    words(root, (0, 100), "0", anchor="start", shift=(0, 17))
    length = f"{quantity(environment_steps)} environment steps"
    words(root, (100, 100), length, anchor="end", shift=(0, 17))
    legend = []
    for index, curve in enumerate(drawn):
        series = (first_series - 1 + index) % SERIES + 1
        for points in _pieces(curve, scale):
            path(root, points, f"line-{series}")
        legend.append(LegendEntry(one_line(curve.name, _LONGEST_NAME), series))
    return Chart(markup(root), tuple(legend) if len(legend) > 1 else (), title)


def _pieces(curve: Curve, scale: Scale) -> list[list[tuple[float, float]]]:
    """Return the curve as lines without the points that are not finite."""
    last = max(1, len(curve.values) - 1)
    numbered = groupby(enumerate(curve.values), key=lambda entry: math.isfinite(entry[1]))
    return [
        [(100.0 * index / last, 100.0 - scale.at(value)) for index, value in group]
        for finite, group in numbered
        if finite
    ]


def _described(curve: Curve) -> str:
    known = [value for value in curve.values if math.isfinite(value)]
    return f"{one_line(curve.name, _LONGEST_NAME)} from {known[0]:.3g} to {known[-1]:.3g}"


def _size(curve: Curve) -> float:
    return max(abs(value) for value in curve.values if math.isfinite(value))
