"""Files that hold a reward function."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from eureka_agent.errors import CandidateError, RewardFileError
from eureka_agent.extract.reading import reward_in
from eureka_agent.records import RewardSource
from eureka_agent.tasks.task import Task
from eureka_agent.utils.paths import user_path

_MAX_FILE_BYTES = 4_000_000


def load_reward_file(
    path: Path | str, task: Task, *, read: Callable[[str], str] = str
) -> RewardSource:
    """Read a reward file in the same way as a model's answer, and check it against the task.

    Args:
        path: A file in any form that `extract` reads: Python, Markdown, JSON and others.
        task: The task whose state the reward may read.
        read: Changes the file's text before it is read.

    Returns:
        The checked reward.

    Raises:
        RewardFileError: The file cannot be read or is not a valid reward function; the message says
            what to change.
    """
    text = _read(path)
    try:
        return reward_in(read(text), task.reward_inputs, of="file")
    except CandidateError as error:
        raise RewardFileError(
            f"{path} is not a valid reward function for {task.name}: {error}"
        ) from error


def _read(path: Path | str) -> str:
    """Return the text of a reward file. Raises RewardFileError."""
    try:
        with user_path(path).open("rb") as file:
            data = file.read(_MAX_FILE_BYTES + 1)
        if len(data) > _MAX_FILE_BYTES:
            raise RewardFileError(
                f"The reward file {path} is too large: it has more than {_MAX_FILE_BYTES} bytes."
            )
        return data.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise RewardFileError(f"Cannot read the reward file {path}: {reason}.") from error
