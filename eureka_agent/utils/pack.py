"""A header and arrays in one compressed block, which a web page can read as well.

A pack is gzip(length of the header, u32 little-endian | header as JSON, padded with zeros to a
multiple of 4 | arrays). In the header an array is `{"t": type, "o": offset, "n": entries}`; the
offset in bytes counts from the first array and is a multiple of 4.
"""

from __future__ import annotations

import gzip
import io
import json
import math
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_TYPES: Mapping[str, str] = {"i16": "<i2", "u16": "<u2", "u32": "<u4", "f32": "<f4"}
_LARGEST = 256 * 2**20
"""Bytes of an unpacked block; a scene with the largest meshes needs a tenth of it."""

_STEPS = 65_000
"""Steps of their range that points are rounded to, so that they fit into 16 bits."""


class PackWriter:
    """Collects arrays and returns them with a header as one block."""

    def __init__(self) -> None:
        self._body = bytearray()

    def add(self, kind: str, values: NDArray[Any]) -> dict[str, int | str]:
        """Append an array.

        Args:
            kind: How its entries are stored: `i16`, `u16`, `u32` or `f32`.
            values: The array; its shape is not stored.

        Returns:
            What stands for the array in the header.
        """
        data = np.ascontiguousarray(values, dtype=_TYPES[kind])
        self._body += bytes(-len(self._body) % 4)
        entry: dict[str, int | str] = {"t": kind, "o": len(self._body), "n": int(data.size)}
        self._body += data.tobytes()
        return entry

    def pack(self, header: Mapping[str, Any]) -> bytes:
        """Return the block. The same content always gives the same bytes.

        Args:
            header: Plain JSON; it refers to arrays by what `add` returned.
        """
        text = json.dumps(header, separators=(",", ":"), allow_nan=False).encode()
        text += b" " * (-len(text) % 4)
        whole = struct.pack("<I", len(text)) + text + bytes(self._body)
        return gzip.compress(whole, 6, mtime=0)


@dataclass(frozen=True)
class Pack:
    """A block that was read; its content may come from somebody else."""

    header: dict[str, Any]
    _body: bytes

    def array(self, entry: Any) -> NDArray[Any]:
        """Return an array of the block.

        Args:
            entry: What stands for it in the header.

        Raises:
            ValueError: The entry does not describe an array of this block.
        """
        try:
            kind, offset, count = _TYPES[entry["t"]], entry["o"], entry["n"]
            return np.frombuffer(self._body, kind, count, offset)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError("the block refers to an array that it does not hold") from error


def unpack(data: bytes) -> Pack:
    """Read a block.

    Args:
        data: What `PackWriter.pack` returned.

    Returns:
        Its header and arrays.

    Raises:
        ValueError: It is damaged or too large.
    """
    try:
        with gzip.open(io.BytesIO(data)) as file:
            whole = file.read(_LARGEST + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError("the block is damaged") from error
    if not 4 <= len(whole) <= _LARGEST:
        raise ValueError(f"the block is empty or larger than {_LARGEST:,} bytes")
    (length,) = struct.unpack_from("<I", whole)
    if length > len(whole) - 4:
        raise ValueError("the block is shorter than its header says")
    try:
        header = json.loads(whole[4 : 4 + length], parse_constant=_refuse)
    except (UnicodeDecodeError, RecursionError, ValueError) as error:
        raise ValueError("the block's header is damaged") from error
    if not isinstance(header, dict):
        raise ValueError("the block's header is not an object")
    return Pack(header, whole[4 + length :])


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is not a number")


def finite(value: float) -> float | None:
    """Return a number that JSON can hold: None for NaN and infinity."""
    return float(value) if math.isfinite(value) else None


def to_16_bits(
    points: NDArray[Any],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int16]]:
    """Round points to 16 bits for each axis.

    Args:
        points: `(…, 3)`, finite.

    Returns:
        Scale `(3,)` and offset `(3,)` of the axes, and the rounded points: a point is
        `rounded * scale + offset`.
    """
    flat = points.reshape(-1, 3).astype(np.float64)
    low, high = flat.min(axis=0), flat.max(axis=0)
    scale = np.maximum((high - low) / _STEPS, 1e-9)
    offset = (low + high) / 2.0
    rounded = np.round((points - offset) / scale).astype(np.int16)
    return scale, offset, rounded
