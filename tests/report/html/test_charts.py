"""Charts stay correct and readable for every number that a run can hold."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree

import pytest

from eureka_agent.records import Curve
from eureka_agent.report.html.charts.curves import curves_chart
from eureka_agent.report.html.charts.generations import (
    Column,
    Point,
    Reference,
    Track,
    generations_chart,
    tracks_chart,
)
from eureka_agent.report.html.charts.intervals import IntervalRow, interval_chart
from eureka_agent.report.html.charts.svg import Chart, Scale

NAN, INFINITE = math.nan, math.inf
ODD = [NAN, INFINITE, -INFINITE, 0.0, 1e308, -1e308, 5e-324]


def drawn(chart: Chart | None) -> ElementTree.Element:
    assert chart is not None
    assert "nan" not in chart.svg.lower()
    assert "inf%" not in chart.svg
    return ElementTree.fromstring(chart.svg)


def heights(root: ElementTree.Element) -> list[list[float]]:
    """Return the heights of the points of each line, in percent from above."""
    lines = [line.attrib["points"].split() for line in root.iter("polyline")]
    return [[float(point.split(",")[1]) for point in line] for line in lines]


def rows(*values: float) -> list[IntervalRow]:
    return [
        IntervalRow(f"row {index}", "text", value, value - 1, value + 1, (value, value), 1)
        for index, value in enumerate(values)
    ]


@pytest.mark.parametrize(
    ("values", "inside"), [((0.0, 500.0), (0.0, 500.0)), ((-3.0, 4e9), (-3.0, 4e9)), ((7.0,), ())]
)
def test_a_scale_holds_all_values_and_has_round_ticks(
    values: tuple[float, ...], inside: tuple[float, ...]
) -> None:
    scale = Scale.over(values)
    assert all(0.0 < scale.at(value) < 100.0 for value in values)
    ticks = scale.ticks()
    assert 2 <= len(ticks) <= 12
    assert all(scale.low <= tick <= scale.high for tick in ticks)
    assert all(ticks[0] <= each + 1e10 for each in inside)


@pytest.mark.parametrize("first", ODD)
@pytest.mark.parametrize("second", ODD)
def test_a_scale_of_odd_numbers_has_a_few_finite_ticks(first: float, second: float) -> None:
    scale = Scale.over([first, second])
    assert math.isfinite(scale.low)
    assert math.isfinite(scale.high)
    assert scale.low < scale.high
    assert 1 <= len(scale.ticks()) <= 20


def test_an_interval_is_drawn_where_its_numbers_are() -> None:
    chart = interval_chart("name", rows(10.0, 90.0), title="t", unit="m/s", solved=50.0)
    root = drawn(chart)
    dots = [each for each in root.iter("circle") if "dot" in each.attrib["class"]]
    low, high = (float(each.attrib["cx"].rstrip("%")) for each in dots)
    assert low < 50.0 < high
    spans = [each for each in root.iter("line") if "span" in each.attrib["class"]]
    assert float(spans[0].attrib["x1"].rstrip("%")) < low
    assert float(spans[0].attrib["x2"].rstrip("%")) > low
    assert "50 counts as solved" in (root.findtext("desc") or "")


def test_without_a_known_solved_value_no_line_marks_it() -> None:
    intervals = interval_chart("n", rows(10.0, 90.0), title="t", unit="m/s", solved=NAN)
    columns = [Column("g0", (Point("g0c0", 5.0),), 5.0)]
    generations = generations_chart("n", columns, [], title="t", unit="m/s", solved=NAN)
    for root in (drawn(intervals), drawn(generations)):
        assert [each for each in root.iter("line") if each.attrib["class"] == "solved"] == []
        assert "solved" not in "".join(root.itertext())


def test_a_very_wide_interval_does_not_squash_the_results() -> None:
    wide = IntervalRow("wide", "text", 11.0, -1e6, 1e6, (10.0, 12.0), 1)
    chart = interval_chart("name", [*rows(10.0), wide], title="t", unit="s", solved=12.0)
    dots = [each for each in drawn(chart).iter("circle") if "dot" in each.attrib["class"]]
    first, second = (float(each.attrib["cx"].rstrip("%")) for each in dots)
    assert second - first > 10.0


def test_intervals_of_odd_numbers_are_drawn_without_failing() -> None:
    for value in ODD[3:]:
        odd = IntervalRow("odd", "text", value, NAN, INFINITE, (value, NAN, INFINITE), 1)
        drawn(interval_chart("name", [odd], title="t", unit="", solved=1.0))


def test_every_candidate_is_a_dot_and_failures_are_crosses() -> None:
    points = (Point("g0c0", 5.0), Point("g0c1", NAN), Point("g0c2", 9.0, is_best=True))
    columns = [Column("g0", points, 9.0), Column("g1", (Point("g1c0", 2.0),), 9.0)]
    human = Reference("human reward", 7.0, 6.0, 8.0, 2)
    chart = generations_chart("n", columns, [human], title="t", unit="m/s", solved=10.0)
    root = drawn(chart)
    dots = [each for each in root.iter("circle") if "dot" in each.attrib["class"]]
    assert [each.findtext("title") for each in dots] == [
        "human reward: 7",
        "g0c0: 5",
        "g0c2: 9",
        "g1c0: 2",
    ]
    lower, higher = (float(each.attrib["cy"].rstrip("%")) for each in dots[1:3])
    assert lower > higher  # percent from above
    assert [each.text for each in root.iter("text")].count("×") == 1
    (span,) = [each for each in root.iter("line") if "span" in each.attrib["class"]]
    assert span.attrib["x1"] == span.attrib["x2"]  # upright, in a column of its own
    assert float(span.attrib["x1"].rstrip("%")) > 66.7
    assert [each.attrib["href"] for each in root.iter("a")] == [
        "#g0c0",
        "#g0c1",
        "#g0c2",
        "#g1c0",
    ]
    assert [entry.name for entry in chart.legend] == [
        "a candidate",
        "a candidate that failed",
        "best so far",
        "human reward",
    ]


def test_the_best_so_far_rises_where_a_generation_is_better() -> None:
    columns = [Column("g0", (), NAN), Column("g1", (), 3.0), Column("g2", (), 8.0)]
    chart = generations_chart("n", columns, [], title="t", unit="", solved=10.0)
    (line,) = heights(drawn(chart))
    assert line[0] == line[1] > line[2] == line[3]


def test_several_runs_have_a_line_and_a_colour_each() -> None:
    tracks = [
        Track("run 1", (Column("g0", (), 1.0), Column("g1", (), 2.0)), 1),
        Track("run 2", (Column("g0", (), 2.0),), 2),
    ]
    chart = tracks_chart("n", tracks, title="t", unit="", solved=3.0)
    lines = list(drawn(chart).iter("polyline"))
    assert [each.attrib["class"] for each in lines] == ["line-1", "line-2"]
    assert lines[1].attrib["points"].split()[-1].startswith("50,")  # one of two generations
    assert [entry.name for entry in chart.legend] == ["run 1", "run 2"]


def curve(name: str, *values: float) -> Curve:
    return Curve(name, values, max(values), sum(values) / len(values), min(values))


def test_curves_end_and_begin_where_numbers_are_missing() -> None:
    chart = curves_chart("n", [curve("x", 0.0, 1.0, NAN, 2.0, 3.0)], 1000, title="t")
    lines = heights(drawn(chart))
    assert [len(line) for line in lines] == [2, 2]
    assert lines[0][0] > lines[1][-1]


def test_a_chart_of_many_components_shows_the_largest() -> None:
    curves = [curve(f"c{index}", 0.0, float(index)) for index in range(20)]
    chart = curves_chart("n", curves, 1000, title="t")
    assert chart is not None
    assert [entry.name for entry in chart.legend] == [f"c{index}" for index in range(19, 11, -1)]


def test_curves_without_two_numbers_have_no_chart() -> None:
    assert curves_chart("n", [curve("x", 1.0), curve("y", NAN, NAN)], 10, title="t") is None
    assert curves_chart("n", [], 10, title="t") is None


def test_a_hostile_curve_is_text_and_short() -> None:
    attack = "</text></svg><script>alert(1)</script>\u202e" * 50
    curves = [curve(attack, *[1.0, 2.0] * 100_000), curve("other", 1.0, 1e308)]
    chart = curves_chart("n", curves, 10, title=attack)
    root = drawn(chart)
    assert list(root.iter("script")) == []
    assert chart is not None
    assert len(chart.svg) < 20_000
    assert not re.search("[\u202e\x00]", chart.svg)
