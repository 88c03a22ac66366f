"""Dataclasses as JSON with the standard library: they come back as they were, or not at all."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import pytest

from eureka_agent.utils.plain_json import decode, encode


@dataclass(frozen=True)
class Inner:
    x: float
    y: tuple[float, ...] = ()


@dataclass(frozen=True)
class Outer:
    inner: tuple[Inner, ...]
    numbers: Mapping[str, float]
    kind: Literal["a", "b"] = "a"
    other: Inner | None = None
    rows: list[tuple[float, float, int]] = field(default_factory=list)
    flag: bool = False


RECORD = Outer((Inner(1.0, (2.0, math.inf)),), {"z": 1.0}, "b", Inner(3.0), [(1.0, 2.0, 3)], True)


def test_nested_record_comes_back_as_it_was() -> None:
    assert decode(Outer, encode(RECORD)) == RECORD
    assert decode(Outer, '{"inner": [], "numbers": {}}') == Outer((), {})


def test_nan_comes_back() -> None:
    assert math.isnan(decode(Inner, encode(Inner(math.nan))).x)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"x": "1"}', r"Inner\.x must be a number"),
        ('{"x": true}', r"Inner\.x must be a number"),
        ('{"x": 1, "z": 2}', r"Inner\.z must be left out"),
        ("{}", "missing 1 required positional argument"),
        ("[]", "Inner must be an object"),
        ('{"x": 1, "y": [1, null]}', r"Inner\.y\[1\] must be a number"),
        ("nonsense", "Expecting value"),
        ('{"x": ' + "[" * 100_000, "nested too deeply"),
    ],
)
def test_text_that_does_not_fit_is_refused(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        decode(Inner, text)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (('"b"', '"c"'), r"Outer\.kind must be one of 'a', 'b'"),
        (("[1.0, 2.0, 3]", "[1.0, 2.0]"), r"Outer\.rows\[0\] must be a list of 3"),
        (("2.0, 3]", "2.0, 3.5]"), r"Outer\.rows\[0\]\[2\] must be int"),
        (('"flag": true', '"flag": 1'), r"Outer\.flag must be bool"),
        (('{"z": 1.0}', "7"), r"Outer\.numbers must be an object"),
    ],
)
def test_nested_value_that_does_not_fit_is_named(change: tuple[str, str], says: str) -> None:
    text = encode(RECORD)
    assert change[0] in text
    with pytest.raises(ValueError, match=says):
        decode(Outer, text.replace(*change))
