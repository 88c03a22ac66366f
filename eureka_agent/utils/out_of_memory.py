"""Recognise that memory ran out, whichever library reports it, and say what to lower."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from eureka_agent.errors import OutOfMemoryError

_WORDS = (
    "can't allocate memory",
    "not enough memory",
    "cannot allocate memory",
    "could not allocate memory",
    "out of memory",
    "bad_alloc",
    "memoryerror",
    "unable to allocate",
)
"""Parts of the messages of torch, NumPy, MuJoCo, CUDA, the C++ library and the kernel."""


def speaks_of_memory(text: str) -> bool:
    """Return whether an error message says that there was not enough memory."""
    words = text.casefold()
    return any(part in words for part in _WORDS)


@contextmanager
def memory_advice(advice: str) -> Iterator[None]:
    """Turn errors that mean that memory ran out into OutOfMemoryError with `advice`."""
    try:
        yield
    except Exception as error:
        if not _is_out_of_memory(error):
            raise
        raise OutOfMemoryError(
            f"This machine does not have enough memory for that: {advice}."
        ) from error


def _is_out_of_memory(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, MemoryError) or (
            isinstance(error, OSError) and error.errno == errno.ENOMEM
        ):
            return True
        if speaks_of_memory(str(error)):
            return True
        error = error.__cause__
    return False
