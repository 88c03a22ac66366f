"""Attempts to escape from the sandbox, by kind; `tests/jail/test_attempts.py` tries them all."""

from tests.support.attempts import (
    answers,
    exhaustion,
    files,
    network,
    processes,
    python,
    state,
    torch_doors,
)
from tests.support.attempts.attempt import LOOT, Attempt

ATTEMPTS: tuple[Attempt, ...] = (
    *files.ATTEMPTS,
    *processes.ATTEMPTS,
    *network.ATTEMPTS,
    *exhaustion.ATTEMPTS,
    *python.ATTEMPTS,
    *torch_doors.ATTEMPTS,
    *state.ATTEMPTS,
    *answers.ATTEMPTS,
)

__all__ = ["ATTEMPTS", "LOOT", "Attempt"]
