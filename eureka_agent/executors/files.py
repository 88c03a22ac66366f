"""A job and its results as files, and progress as lines: what passes between two processes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from eureka_agent.records import RewardResult
from eureka_agent.training.job import TrainedReward, TrainingJob
from eureka_agent.training.results import Progress
from eureka_agent.utils.plain_json import decode, encode

JOB = "job.json"
_RESULTS = "results.json"


@dataclass(frozen=True)
class _Result(RewardResult):
    """A `TrainedReward` without its policy and its replay, which are in files of their own."""

    name: str
    has_policy: bool
    has_replay: bool


@dataclass(frozen=True)
class _Results:
    rewards: tuple[_Result, ...]


@dataclass(frozen=True)
class Message:
    """One line that a worker prints: progress, or the error that ended the job."""

    progress: Progress | None = None
    error: str | None = None
    """The name of the class in `eureka_agent.errors`."""
    message: str = ""


def write_job(folder: Path, job: TrainingJob) -> Path:
    """Write a job into a folder; return the path of the file."""
    path = folder / JOB
    path.write_text(encode(job), encoding="utf-8")
    return path


def read_job(path: Path) -> TrainingJob:
    """Return the job in a file. Raises OSError, or ValueError when it is not a job."""
    return decode(TrainingJob, path.read_text(encoding="utf-8"))


def write_results(folder: Path, rewards: Sequence[TrainedReward]) -> None:
    """Write the results of a job, the policies and replays first: what is read is complete."""
    for index, reward in enumerate(rewards):
        if reward.policy is not None:
            _policy_path(folder, index).write_bytes(reward.policy)
        if reward.replay is not None:
            _replay_path(folder, index).write_bytes(reward.replay)
    results = [
        _Result.of(
            each,
            name=each.name,
            has_policy=each.policy is not None,
            has_replay=each.replay is not None,
        )
        for each in rewards
    ]
    new = folder / f"{_RESULTS}.new"
    new.write_text(encode(_Results(tuple(results))), encoding="utf-8")
    new.replace(folder / _RESULTS)


def read_results(folder: Path) -> list[TrainedReward]:
    """Return the results in a folder. Raises OSError, or ValueError when they are damaged."""
    results = decode(_Results, (folder / _RESULTS).read_text(encoding="utf-8"))
    rewards = []
    for index, result in enumerate(results.rewards):
        policy = _policy_path(folder, index).read_bytes() if result.has_policy else None
        replay = _replay_path(folder, index).read_bytes() if result.has_replay else None
        rewards.append(TrainedReward.of(result, name=result.name, policy=policy, replay=replay))
    return rewards


def message_line(message: Message) -> str:
    """Return a message as one line."""
    return encode(message)


def read_message(line: str) -> Message | None:
    """Return the message in a line of a worker's output; None where the line is something else."""
    try:
        return decode(Message, line)
    except ValueError:
        return None


def _policy_path(folder: Path, index: int) -> Path:
    return folder / f"policy_{index}.safetensors"


def _replay_path(folder: Path, index: int) -> Path:
    return folder / f"replay_{index}.pack"
