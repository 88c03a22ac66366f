"""An executor that trains nothing: the fitness of each training is planned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from eureka_agent.executors.base import OnProgress
from eureka_agent.records import Evaluation
from eureka_agent.training.job import TrainedReward, TrainingJob
from tests.support import run_events

Planned = Callable[[str, int], float]
"""Returns the fitness of a training, given the source of its reward (empty for the sparse reward)
and its seed."""


@dataclass
class PlannedJob:
    """A job that is done at once."""

    results: list[TrainedReward]

    def result(self) -> list[TrainedReward]:
        """Return the planned results."""
        return self.results

    def cancel(self) -> None:
        """Do nothing: the job is over."""


class PlannedExecutor:
    """Gives each training its planned fitness, and keeps the jobs."""

    def __init__(self, planned: Planned) -> None:
        self._planned = planned
        self.jobs: list[TrainingJob] = []

    def submit(self, job: TrainingJob, on_progress: OnProgress | None = None) -> PlannedJob:
        """Return the planned results of a job."""
        self.jobs.append(job)
        results = []
        for reward in job.rewards:
            fitness = self._planned(reward.source.code if reward.source else "", job.seed)
            results.append(
                TrainedReward(
                    name=reward.name,
                    training=run_events.training(),
                    evaluation=Evaluation(fitness, fitness, fitness, 8, 100.0),
                    policy=f"{reward.name} {job.seed}".encode(),
                )
            )
        return PlannedJob(results)
