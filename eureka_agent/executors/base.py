"""The contract of an executor: where a training job runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from eureka_agent.training.job import TrainedReward, TrainingJob
from eureka_agent.training.results import Progress

OnProgress = Callable[[Progress], None]


class RunningJob(Protocol):
    """A job that was submitted."""

    def result(self) -> list[TrainedReward]:
        """Wait for the job.

        Returns:
            One record for each of the job's rewards, in order.

        Raises:
            EurekaError: Whatever `run_job` raised where the job ran.
            ExecutorError: The job ended without a result.
        """
        ...

    def cancel(self) -> None:
        """Stop the job; a job that is finished stays as it is."""
        ...


class Executor(Protocol):
    """Runs training jobs somewhere: in this process, in another Python, on other machines."""

    def submit(self, job: TrainingJob, on_progress: OnProgress | None = None) -> RunningJob:
        """Start a job.

        Args:
            job: The job.
            on_progress: Called in this process after every iteration of the training, while
                `result` waits.

        Returns:
            The job, on its way.
        """
        ...
