"""Results with their intervals, one row each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from eureka_agent.report.formatting import fitness_line, number
from eureka_agent.report.html.charts.svg import (
    Chart,
    Scale,
    dot,
    line,
    markup,
    picture,
    short,
    words,
)

_ROW = 52
"""Height of a row in pixels: its label, and below it the interval."""
_TRACK = 30
"""Place of the interval in its row, in pixels from above."""
_BEYOND = 0.6
"""How far an interval may stretch the scale, as a share of the range of the values: that of two
trainings is often many times wider."""


@dataclass(frozen=True)
class IntervalRow:
    """One result."""

    label: str
    text: str
    """The result in words, such as `413.3 (260.9 to 565.7)`."""
    value: float
    low: float
    high: float
    seeds: tuple[float, ...]
    """The result of each training."""
    series: int


def interval_chart(
    name: str, rows: Sequence[IntervalRow], *, title: str, unit: str, solved: float
) -> Chart:
    """Draw one row for each result: its value, its interval, and each training as a small dot.

    Args:
        name: Unique in the page.
        rows: The results, from above.
        title: What the chart shows.
        unit: The unit of all values.
        solved: The value that counts as solved, marked by a dashed line; NaN if none is known.
    """
    scale = _scale(rows, solved)
    described = "; ".join(f"{row.label}: {row.text}" for row in rows)
    height = _ROW * len(rows)
    description = f"{described}. In {fitness_line(unit, solved)}."
    root = picture(name, title, description, height)
    ticks = scale.ticks()
    for tick in ticks:
        x = scale.at(tick)
        line(root, (x, 0), (x, 100), "grid")
        words(root, (x, 100), short(tick, ticks), anchor="middle", shift=(0, 16))
    if scale.low <= solved <= scale.high:
        line(root, (scale.at(solved), 0), (scale.at(solved), 100), "solved")
    words(root, (50, 100), unit, anchor="middle", shift=(0, 34))
    for index, row in enumerate(rows):
        _draw(root, row, scale, top=100.0 * index / len(rows), track=100.0 * _TRACK / height)
    return Chart(markup(root), bare=True)


def _draw(root: Element, row: IntervalRow, scale: Scale, *, top: float, track: float) -> None:
    """Draw a row whose upper edge is at `top`, with its interval `track` below it (percent)."""
    words(root, (0, top), row.label, classes="label strong", shift=(0, 15))
    words(root, (100, top), row.text, classes="label", anchor="end", shift=(0, 15))
    y = top + track
    if math.isfinite(row.low) and math.isfinite(row.high):
        ends = (scale.at(row.low), scale.at(row.high))
        line(root, (ends[0], y), (ends[1], y), f"span line-{row.series}")
    for seed in filter(math.isfinite, row.seeds if len(row.seeds) > 1 else ()):
        place, tip = (scale.at(seed), y), f"one training: {number(seed)}"
        dot(root, place, f"seed line-{row.series}", radius=3.5, tip=tip)
    place, tip = (scale.at(row.value), y), f"{row.label}: {row.text}"
    dot(root, place, f"dot fill-{row.series}", radius=7, tip=tip)


def _scale(rows: Sequence[IntervalRow], solved: float) -> Scale:
    """Return a scale for all trainings, and for the intervals unless they are very wide."""
    values = [row.value for row in rows] + [solved]
    values += [seed for row in rows for seed in row.seeds]
    values = [value for value in values if math.isfinite(value)] or [0.0]
    least, most = min(values), max(values)
    beyond = _BEYOND * (most - least)
    ends = [end for row in rows for end in (row.low, row.high) if math.isfinite(end)]
    inside = [min(max(end, least - beyond), most + beyond) for end in ends]
    return Scale.over([*values, *inside])
