"""Fitness over the generations of one run or several."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from eureka_agent.report.html.charts.svg import (
    SERIES,
    Chart,
    LegendEntry,
    Scale,
    dot,
    line,
    link,
    markup,
    path,
    picture,
    vertical_axis,
    words,
)

_HEIGHT = 280
_SPREAD = 0.6
"""Share of a generation's width over which its candidates lie."""
_MOST_LABELS = 12
_WIDEST_LINE = 8.0


@dataclass(frozen=True)
class Point:
    """One candidate."""

    name: str
    fitness: float
    """Not finite if it has none."""
    is_best: bool = False
    """Whether it is the run's result."""


@dataclass(frozen=True)
class Column:
    """One generation."""

    label: str
    points: tuple[Point, ...]
    best: float
    """The best fitness so far; not finite if there is none."""


@dataclass(frozen=True)
class Reference:
    """A result that candidates are compared with."""

    name: str
    value: float
    low: float
    high: float
    series: int


@dataclass(frozen=True)
class Track:
    """The best fitness so far of one run, by generation."""

    name: str
    columns: tuple[Column, ...]
    series: int


def generations_chart(
    name: str,
    columns: Sequence[Column],
    references: Sequence[Reference],
    *,
    title: str,
    unit: str,
    solved: float,
) -> Chart:
    """Draw every candidate of a run as a dot, the best so far as a line, and the references.

    Args:
        name: Unique in the page.
        columns: The generations.
        references: The results for comparison.
        title: What the chart shows.
        unit: The unit of the fitness.
        solved: The fitness that counts as solved; NaN if none is known.
    """
    values = [point.fitness for column in columns for point in column.points]
    scale = Scale.over([*values, *(each.value for each in references), solved])
    described = "; ".join(_described(column) for column in columns)
    compared = "; ".join(f"{each.name}: {each.value:.4g}" for each in references)
    root = picture(name, title, f"In {unit}. {described}. {compared}.", _HEIGHT)
    labels = [column.label for column in columns] + (["references"] if references else [])
    count = len(labels)
    _draw_frame(root, labels, scale, unit, solved)
    _draw_references(root, references, len(columns), count, scale)
    _draw_track(root, Track("best so far", tuple(columns), 1), scale, count)
    for index, column in enumerate(columns):
        _draw_points(root, column, index, count, scale)
    legend = [
        LegendEntry("a candidate", 1, "point"),
        LegendEntry("best so far", 1),
        *(LegendEntry(each.name, each.series) for each in references),
    ]
    if any(not math.isfinite(value) for value in values):
        legend.insert(1, LegendEntry("a candidate that failed", 8, "cross"))
    return Chart(markup(root), tuple(legend))


def tracks_chart(
    name: str, tracks: Sequence[Track], *, title: str, unit: str, solved: float
) -> Chart:
    """Draw the best fitness so far of several runs, one line each.

    Args:
        name: Unique in the page.
        tracks: The runs.
        title: What the chart shows.
        unit: The unit of the fitness.
        solved: The fitness that counts as solved; NaN if none is known.
    """
    values = [column.best for track in tracks for column in track.columns]
    scale = Scale.over([*values, solved])
    described = "; ".join(
        f"{track.name}: {', '.join(f'{column.best:.4g}' for column in track.columns)}"
        for track in tracks
    )
    root = picture(name, title, f"In {unit}. {described}.", _HEIGHT)
    longest = max(tracks, key=lambda track: len(track.columns))
    _draw_frame(root, [column.label for column in longest.columns], scale, unit, solved)
    for index, track in enumerate(tracks):
        # Equal lines lie on each other, so the lower ones are wider.
        width = min(_WIDEST_LINE, 2.0 + 1.5 * (len(tracks) - 1 - index))
        _draw_track(root, track, scale, len(longest.columns), width)
    legend = [LegendEntry(track.name, track.series) for track in tracks]
    return Chart(markup(root), tuple(legend))


def series_of(index: int) -> int:
    """Return the colour of the run or curve with this index; there are eight."""
    return index % SERIES + 1


def _described(column: Column) -> str:
    known = [point.fitness for point in column.points if math.isfinite(point.fitness)]
    if not known:
        return f"{column.label}: all candidates failed"
    return f"{column.label}: {min(known):.4g} to {max(known):.4g}, best so far {column.best:.4g}"


def _draw_frame(
    root: Element, labels: Sequence[str], scale: Scale, unit: str, solved: float
) -> None:
    """Draw the axes, their labels, and the line of what counts as solved."""
    vertical_axis(root, scale)
    line(root, (0, 100), (100, 100), "axis")
    if math.isfinite(solved):
        y = 100.0 - scale.at(solved)
        line(root, (0, y), (100, y), "solved")
        words(root, (100, y), "solved", anchor="end", shift=(0, -5))
    words(root, (0, 0), unit, anchor="end", shift=(-7, -6))
    every = math.ceil(len(labels) / _MOST_LABELS)
    for index, label in enumerate(labels):
        if index % every == 0:
            x = _middle(index, len(labels))
            words(root, (x, 100), label, anchor="middle", shift=(0, 18))
    words(root, (50, 100), "generation", anchor="middle", shift=(0, 37))


def _draw_references(
    root: Element, references: Sequence[Reference], column: int, count: int, scale: Scale
) -> None:
    """Draw a line at each reference's value, and its interval in a column of its own."""
    for position, reference in enumerate(references):
        y = 100.0 - scale.at(reference.value)
        line(root, (0, y), (100, y), f"reference line-{reference.series}")
        x = _place(column, count, position, len(references))
        if math.isfinite(reference.low) and math.isfinite(reference.high):
            ends = (100.0 - scale.at(reference.low), 100.0 - scale.at(reference.high))
            line(root, (x, ends[0]), (x, ends[1]), f"span line-{reference.series}")
        tip = f"{reference.name}: {reference.value:.4g}"
        dot(root, (x, y), f"dot fill-{reference.series}", radius=5.5, tip=tip)


def _draw_track(root: Element, track: Track, scale: Scale, count: int, width: float = 2.0) -> None:
    """Draw the best so far as steps over `count` generations."""
    points: list[tuple[float, float]] = []
    for index, column in enumerate(track.columns):
        if math.isfinite(column.best):
            y = 100.0 - scale.at(column.best)
            points += [(100.0 * index / count, y), (100.0 * (index + 1) / count, y)]
    if points:
        path(root, points, f"line-{track.series}", width=width)


def _draw_points(root: Element, column: Column, index: int, count: int, scale: Scale) -> None:
    """Draw a generation's candidates side by side in their order."""
    for position, point in enumerate(column.points):
        x = _place(index, count, position, len(column.points))
        group = link(root, point.name)
        if not math.isfinite(point.fitness):
            words(group, (x, 100), "×", classes="cross", anchor="middle", shift=(0, -3))
            continue
        spot = (x, 100.0 - scale.at(point.fitness))
        dot(group, spot, "dot fill-1", tip=f"{point.name}: {point.fitness:.4g}")
        if point.is_best:
            dot(group, spot, "ring", radius=7.5, tip=f"{point.name}, the best reward")


def _place(index: int, count: int, position: int, of: int) -> float:
    """Return where the entry `position` of a column lies, in percent from the left."""
    offset = (position + 0.5) / of - 0.5
    return _middle(index, count) + _SPREAD * offset * 100.0 / count


def _middle(index: int, count: int) -> float:
    return 100.0 * (index + 0.5) / count
