"""Inline SVG that keeps its text size at every width.

Coordinates are percentages of the plot, so that a chart fills its place on a phone and on a
screen; labels outside the plot lie in the padding of `.plot` (`assets/style.css`). Lines with many
points are drawn in a nested picture that is stretched while its strokes keep their width.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from markupsafe import Markup

from eureka_agent.report.formatting import number, one_line

SERIES = 8
"""Number of colours for series; further series use them again."""
_LONGEST_TEXT = 48
"""Characters of a text in a picture, which cannot wrap."""
_WIDEST = 1e200
"""Numbers beyond it are drawn there: a run from elsewhere may hold any."""
_ALIKE = 1e-9
"""Differences below this share of the numbers are rounding errors."""


@dataclass(frozen=True)
class LegendEntry:
    """One line of a chart's legend."""

    name: str
    series: int
    """Number of its colour, from 1."""
    shape: Literal["line", "point", "cross"] = "line"


@dataclass(frozen=True)
class Chart:
    """A chart as the macro `chart_figure` shows it."""

    svg: Markup
    legend: tuple[LegendEntry, ...] = ()
    title: str = ""
    bare: bool = False
    """Whether it has no labels at its left."""


@dataclass(frozen=True)
class Scale:
    """Where a number lies between the lowest and the highest one, as a percentage."""

    low: float
    high: float

    @classmethod
    def over(cls, values: Sequence[float], *, zero: bool = False) -> Scale:
        """Return a scale that holds all finite values, with a margin.

        Args:
            values: The numbers.
            zero: Whether the scale has to hold 0, too.
        """
        known = [min(max(v, -_WIDEST), _WIDEST) for v in values if math.isfinite(v)]
        known += [0.0] if zero or not known else []
        low, high = min(known), max(known)
        size = max(abs(low), abs(high))
        alike = high - low <= _ALIKE * max(size, 1.0 / _WIDEST)
        margin = (0.5 * size or 1.0) if alike else 0.05 * (high - low)
        start = 0.0 if zero and low == 0.0 else low - margin
        return cls(start, high + margin)

    def at(self, value: float) -> float:
        """Return the place of a value; a value outside the scale lies at its end."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return 100.0 * share

    def ticks(self, most: int = 5) -> list[float]:
        """Return round numbers on the scale, at most about `most`."""
        rough = (self.high - self.low) / most
        power = 10.0 ** math.floor(math.log10(rough))
        steps = (m * power for m in (1.0, 2.0, 5.0) if m * power >= rough * 0.999)
        step = next(steps, 10.0 * power)
        first = math.ceil(self.low / step)
        last = math.floor(self.high / step)
        return [index * step for index in range(first, last + 1)]


def picture(name: str, title: str, description: str, height: int) -> Element:
    """Return an empty picture that a screen reader announces.

    Args:
        name: Unique in the page; letters, digits and hyphens.
        title: What it shows.
        description: What is to be seen in it, in words.
        height: In CSS pixels.
    """
    labels = f"{name}-title {name}-text"
    attributes = {"role": "img", "aria-labelledby": labels, "height": f"{height}"}
    root = Element("svg", attributes)
    SubElement(root, "title", {"id": f"{name}-title"}).text = one_line(title)
    SubElement(root, "desc", {"id": f"{name}-text"}).text = one_line(description)
    return root


def markup(root: Element) -> Markup:
    """Return a picture as markup; ElementTree escapes its texts and attributes."""
    return Markup(ElementTree.tostring(root, encoding="unicode"))


def line(root: Element, start: tuple[float, float], end: tuple[float, float], classes: str) -> None:
    """Draw a line from `start` to `end` (x, y in percent from the upper left)."""
    places = {"x1": start[0], "y1": start[1], "x2": end[0], "y2": end[1]}
    drawn = {key: percent(value) for key, value in places.items()}
    SubElement(root, "line", {**drawn, "class": classes})


def dot(
    root: Element, place: tuple[float, float], classes: str, *, radius: float = 4.5, tip: str = ""
) -> None:
    """Draw a dot of `radius` pixels; `tip` is shown when the pointer rests on it."""
    attributes = {"cx": percent(place[0]), "cy": percent(place[1]), "r": f"{radius:g}"}
    drawn = SubElement(root, "circle", {**attributes, "class": classes})
    if tip:
        SubElement(drawn, "title").text = one_line(tip)


def link(root: Element, target: str) -> Element:
    """Return a group that leads to an element of the page by a click.

    The keyboard passes it by: the table of candidates has the same links.
    """
    return SubElement(root, "a", {"href": f"#{target}", "tabindex": "-1"})


def words(
    root: Element,
    place: tuple[float, float],
    text: str,
    *,
    classes: str = "",
    anchor: Literal["start", "middle", "end"] = "start",
    shift: tuple[float, float] = (0.0, 0.0),
) -> None:
    """Write a text; `shift` moves it by pixels to the right and down."""
    attributes = {
        "x": percent(place[0]),
        "y": percent(place[1]),
        "dx": f"{shift[0]:g}",
        "dy": f"{shift[1]:g}",
        "text-anchor": anchor,
    }
    drawn = SubElement(root, "text", attributes | ({"class": classes} if classes else {}))
    drawn.text = one_line(text, _LONGEST_TEXT)


def path(
    root: Element, points: Sequence[tuple[float, float]], classes: str, *, width: float = 2.0
) -> None:
    """Draw a line through points (percent), which keeps its width when it is stretched."""
    attributes = {"viewBox": "0 0 100 100", "preserveAspectRatio": "none"}
    inner = SubElement(root, "svg", {**attributes, "width": "100%", "height": "100%"})
    places = " ".join(f"{x:.4g},{y:.4g}" for x, y in points)
    drawn = {"points": places, "class": classes, "stroke-width": f"{width:g}"}
    SubElement(inner, "polyline", {**drawn, "vector-effect": "non-scaling-stroke"})


def vertical_axis(root: Element, scale: Scale, most: int = 8) -> None:
    """Draw the lines and numbers of the vertical axis."""
    ticks = scale.ticks(most)
    for tick in ticks:
        y = 100.0 - scale.at(tick)
        line(root, (0, y), (100, y), "grid")
        words(root, (0, y), short(tick, ticks), anchor="end", shift=(-7, 4))


def short(value: float, values: Sequence[float]) -> str:
    """Return a tick's number, as precise as its neighbours need."""
    steps = [after - before for before, after in pairwise(values)]
    step = min(steps, default=abs(value)) or 1.0
    largest = max(abs(each) for each in values)
    if largest >= 1e6 or step < 1e-4:
        return f"{value:.3g}"
    return number(value + 0.0, max(0, -math.floor(math.log10(step) + 1e-9)))


def percent(value: float) -> str:
    """Return a place as SVG writes it."""
    return f"{value:.4g}%"
