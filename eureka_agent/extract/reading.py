"""From an answer to a checked reward. Whatever the answer holds, it may not end a run."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from eureka_agent.checks import check_source
from eureka_agent.errors import (
    CandidateError,
    EurekaError,
    ExtractionError,
    InternalError,
    StoreError,
)
from eureka_agent.extract import extract
from eureka_agent.extract.single_environment import translated
from eureka_agent.records import Completion, RewardSource
from eureka_agent.text import escape_control, one_line
from eureka_agent.utils.redaction import redacted

if TYPE_CHECKING:  # task.py needs the physics engine
    from eureka_agent.tasks.task import StateSpec

_MAX_TRACE = 20_000
_MAX_REASON = 200


def read_answer(completion: Completion, spec: StateSpec) -> RewardSource:
    """Extract the reward from an answer and check it.

    Args:
        completion: The answer of a proposer.
        spec: The state and constants that the task offers to rewards.

    Returns:
        The checked reward.

    Raises:
        CandidateError: The answer holds no reward, or one that does not pass the checks.
        InternalError: Extraction or checks failed on it, which is a bug of eureka_agent.
    """
    if completion.error:
        raise ExtractionError(completion.error)
    with faults_as_ours("reading the answer"):
        return reward_in(completion.text, spec)


def reward_in(
    text: str, spec: StateSpec, *, of: Literal["answer", "file"] = "answer"
) -> RewardSource:
    """Extract the reward from a text, rewrite it if it is of one environment, and check it.

    Args:
        text: A model's completion, or the text of a file.
        spec: The state and constants that the task offers to rewards.
        of: What error messages call the text.

    Returns:
        The checked reward.

    Raises:
        CandidateError: The text holds no reward, or one that does not pass the checks.
    """
    return check_source(translated(extract(text, of=of), spec), spec)


def code_in(completion: Completion) -> str:
    """Return the code of an answer without checking it. Raises as `read_answer` does."""
    if completion.error:
        raise ExtractionError(completion.error)
    with faults_as_ours("reading the answer"):
        return extract(completion.text)


def checked_again(reward: RewardSource, spec: StateSpec) -> RewardSource:
    """Check a reward from a run's database again and return it. Raises StoreError if it fails.

    The database may come from somebody else, and only checked code may be written or run.
    """
    try:
        with faults_as_ours("checking the stored code"):
            return check_source(reward.code, spec)
    except (CandidateError, InternalError) as error:
        raise StoreError(
            "The run holds a reward that does not pass the checks, so it is neither run nor"
            f" written: {error} Start a new run."
        ) from error


@contextmanager
def faults_as_ours(doing: str) -> Iterator[None]:
    """Turn every exception that is not an EurekaError into InternalError; `doing`: what failed."""
    try:
        yield
    except EurekaError:
        raise
    except Exception as error:
        reason = one_line(redacted(f"{type(error).__name__}: {error}"), _MAX_REASON)
        raise InternalError(
            f"eureka_agent failed while {doing} ({reason}). This is a fault of eureka_agent, not of"
            " the idea of the reward: the same idea in simpler code may work."
        ) from error


def trace_of(error: BaseException) -> str:
    """Return an error's traceback as text that is safe to keep and to show."""
    lines = escape_control(redacted("".join(traceback.format_exception(error))))
    return lines[-_MAX_TRACE:]  # the end says what broke
