"""A pack returns what was put in, and refuses what is damaged."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from eureka_agent.utils.pack import PackWriter, unpack


def test_a_pack_returns_its_header_and_arrays() -> None:
    writer = PackWriter()
    odd = writer.add("i16", np.array([1, -2, 3]))
    numbers = writer.add("f32", np.array([[0.5, 1.5]]))
    pack = unpack(writer.pack({"odd": odd, "numbers": numbers, "text": "µ"}))
    assert pack.header["text"] == "µ"
    assert numbers["o"] == 8  # the first array has 6 bytes
    assert pack.array(pack.header["odd"]).tolist() == [1, -2, 3]
    assert pack.array(pack.header["numbers"]).tolist() == [0.5, 1.5]


def test_the_same_content_gives_the_same_bytes() -> None:
    def packed() -> bytes:
        writer = PackWriter()
        return writer.pack({"a": writer.add("u32", np.arange(100))})

    assert packed() == packed()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not a block",
        gzip.compress(b""),
        gzip.compress(b"\xff\xff\xff\xff{}"),
        gzip.compress(b"\x02\x00\x00\x00[]"),
        gzip.compress(b"\x09\x00\x00\x00" + b'{"a":NaN}'),
        gzip.compress(b"\x02\x00\x00\x00{}")[:-6],
        gzip.compress(b"\x00\x40\x00\x00" + b"[" * 0x4000),
    ],
    ids=["empty", "no gzip", "nothing", "too short", "a list", "NaN", "cut off", "nested"],
)
def test_a_damaged_block_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="block"):
        unpack(data)


@pytest.mark.parametrize(
    "entry",
    [
        None,
        {},
        {"t": "f64", "o": 0, "n": 1},
        {"t": "f32", "o": 4, "n": 10},
        {"t": "f32", "o": -4, "n": 1},
        {"t": "f32", "o": "0", "n": 1},
        {"t": "f32", "o": 0, "n": 10**12},
    ],
)
def test_an_array_that_the_block_does_not_hold_is_refused(entry: object) -> None:
    writer = PackWriter()
    writer.add("f32", np.zeros(2))
    with pytest.raises(ValueError, match="does not hold"):
        unpack(writer.pack({})).array(entry)
