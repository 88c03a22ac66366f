"""Running jobs in a fresh interpreter, which may be another Python with other packages."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from eureka_agent import errors
from eureka_agent.errors import EurekaError, ExecutorError, UsageError
from eureka_agent.executors.base import OnProgress
from eureka_agent.executors.files import Message, read_message, read_results, write_job
from eureka_agent.training.job import TrainedReward, TrainingJob

_WORKER = "eureka_agent.executors.worker"
_LAST_CHARACTERS = 2_000


class PythonExecutor:
    """Runs each job in a process of its own with the interpreter `python`.

    The interpreter needs eureka_agent (`pip install --no-deps eureka-agent lazy-loader`), torch,
    numpy, safetensors, the simulator of the job's task, and scipy for a job with a race.
    """

    def __init__(self, python: Path | str = sys.executable) -> None:
        """Make an executor.

        Args:
            python: Path of the interpreter, by default this one.

        Raises:
            UsageError: There is no such file.
        """
        self._python = str(python)
        if not os.path.isfile(self._python):
            raise UsageError(f"There is no interpreter {self._python}: give the path of a python.")

    def submit(self, job: TrainingJob, on_progress: OnProgress | None = None) -> PythonJob:
        """See `Executor.submit`."""
        return PythonJob(self._python, job, on_progress)


class PythonJob:
    """A job in a process of its own; see `RunningJob`."""

    def __init__(self, python: str, job: TrainingJob, on_progress: OnProgress | None) -> None:
        self._on_progress = on_progress
        self._result: list[TrainedReward] | None = None
        self._folder = tempfile.TemporaryDirectory(prefix="eureka-job-")
        self._log_path = Path(self._folder.name) / "log.txt"
        path = write_job(Path(self._folder.name), job)
        with self._log_path.open("wb") as log:
            self._process = subprocess.Popen(
                [python, "-m", _WORKER, str(path)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                encoding="utf-8",
            )

    def result(self) -> list[TrainedReward]:
        """See `RunningJob.result`."""
        if self._result is None:
            try:
                self._result = self._wait()
            finally:
                self.cancel()
        return self._result

    def cancel(self) -> None:
        """See `RunningJob.cancel`."""
        with suppress(ProcessLookupError):
            self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._folder.cleanup()

    def _wait(self) -> list[TrainedReward]:
        """Pass progress on until the process ends; return the results, or raise its error."""
        failed: Message | None = None
        assert self._process.stdout is not None
        for line in self._process.stdout:
            message = read_message(line)
            if message is None:
                continue  # the simulator printed it
            if message.progress is not None and self._on_progress is not None:
                self._on_progress(message.progress)
            failed = message if message.error is not None else failed
        code = self._process.wait()
        if failed is not None:
            raise _error(failed)
        if code != 0:
            raise ExecutorError(
                f"The training process ended with code {code}. {self._end_of_log()}"
            )
        try:
            return read_results(Path(self._folder.name))
        except (OSError, ValueError) as error:
            raise ExecutorError(f"The training process left no results: {error}.") from error

    def _end_of_log(self) -> str:
        """Return the end of what the process wrote to its standard error."""
        return self._log_path.read_text("utf-8", "replace")[-_LAST_CHARACTERS:].strip()


def _error(message: Message) -> EurekaError:
    """Return the error that ended the job, of its own class where it is one of ours."""
    kind = getattr(errors, message.error or "", None)
    if isinstance(kind, type) and issubclass(kind, EurekaError):
        return kind(message.message)
    return ExecutorError(f"The training failed: {message.message}")
