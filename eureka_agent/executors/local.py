"""Running jobs in this process."""

from __future__ import annotations

from eureka_agent.executors.base import OnProgress
from eureka_agent.jail import Sandbox
from eureka_agent.tasks.task import Task
from eureka_agent.training.job import TrainedReward, TrainingJob, run_job


class LocalExecutor:
    """Runs a job in the thread that asks for its result."""

    def __init__(self, *, task: Task | None = None, sandbox: Sandbox | None = None) -> None:
        """Make an executor.

        Args:
            task: The task of all its jobs; by default each job's is found.
            sandbox: An open sandbox for all its jobs; by default each job opens one.
        """
        self._task = task
        self._sandbox = sandbox

    def submit(self, job: TrainingJob, on_progress: OnProgress | None = None) -> LocalJob:
        """See `Executor.submit`."""
        return LocalJob(job, on_progress, self._task, self._sandbox)


class LocalJob:
    """A job that runs when its result is asked for; see `RunningJob`."""

    def __init__(
        self,
        job: TrainingJob,
        on_progress: OnProgress | None,
        task: Task | None,
        sandbox: Sandbox | None,
    ) -> None:
        self._job = job
        self._on_progress = on_progress
        self._task = task
        self._sandbox = sandbox
        self._result: list[TrainedReward] | None = None

    def result(self) -> list[TrainedReward]:
        """See `RunningJob.result`."""
        if self._result is None:
            self._result = run_job(
                self._job, self._on_progress, task=self._task, sandbox=self._sandbox
            )
        return self._result

    def cancel(self) -> None:
        """See `RunningJob.cancel`; a local job runs in `result` alone."""
