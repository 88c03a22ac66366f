"""When memory runs out: who says so in how many ways, and one sentence on what to lower."""

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
"""Parts of what torch, NumPy, MuJoCo, CUDA, the C++ library and the kernel say."""


def speaks_of_memory(text: str) -> bool:
    """Return whether an error's words say that there was not enough memory."""
    words = text.casefold()
    return any(part in words for part in _WORDS)


@contextmanager
def memory_advice(advice: str) -> Iterator[None]:
    """Turn what says that memory ran out inside into an OutOfMemoryError with `advice`, what to do
    about it."""
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
