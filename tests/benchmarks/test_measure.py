"""The statistics of the benchmarks."""

from __future__ import annotations

from functools import partial

from benchmarks.measure import interleaved, median_interval, ratio


def test_the_interval_of_a_median_is_the_narrowest_with_enough_coverage() -> None:
    assert median_interval([3.0, 1.0, 5.0, 2.0, 4.0]) == (1.0, 5.0, 1 - 2 / 2**5)
    assert median_interval([float(value) for value in range(10)]) == (1.0, 8.0, 1 - 2 * 11 / 2**10)
    assert median_interval([7.0]) == (7.0, 7.0, 0.0)


def test_ratios_are_taken_within_a_repeat() -> None:
    assert ratio([1.0, 20.0, 3.0], [2.0, 40.0, 6.0]) == 0.5


def test_every_repeat_begins_with_another_run() -> None:
    order: list[str] = []

    def run(name: str, seed: int) -> int:
        order.append(name)
        return seed

    results = interleaved({name: partial(run, name) for name in "ab"}, 3)
    assert order == ["a", "b", "b", "a", "a", "b"]
    assert results == {"a": [0, 1, 2], "b": [0, 1, 2]}
