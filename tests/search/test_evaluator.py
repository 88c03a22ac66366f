"""What the evaluator asks of the trainer that it is given."""

from __future__ import annotations

from pathlib import Path

import pytest

from eureka_agent.config import TrainerName, TrainingBudget
from eureka_agent.executors import LocalExecutor
from eureka_agent.executors.base import OnProgress
from eureka_agent.executors.local import LocalJob
from eureka_agent.jail import Sandbox
from eureka_agent.search.evaluator import Evaluator
from eureka_agent.tasks.registry import load_task
from eureka_agent.training.job import JobReward, TrainingJob

BUDGET = TrainingBudget(8, 8 * 16, evaluation_episodes=2)


class RecordingExecutor(LocalExecutor):
    """Keeps the jobs that it runs."""

    def __init__(self) -> None:
        super().__init__()
        self.jobs: list[TrainingJob] = []

    def submit(self, job: TrainingJob, on_progress: OnProgress | None = None) -> LocalJob:
        self.jobs.append(job)
        return super().submit(job, on_progress)


@pytest.mark.parametrize(
    ("trainer", "package", "saves"),
    [("population", "torch", True), ("sb3", "stable_baselines3", False)],
)
def test_job_has_a_checkpoint_where_the_trainer_supports_it(
    trainer: TrainerName, package: str, saves: bool, tmp_path: Path, sandbox: Sandbox
) -> None:
    pytest.importorskip(package)
    path, executor = tmp_path / "training.safetensors", RecordingExecutor()
    evaluator = Evaluator(
        load_task("cartpole"),
        BUDGET,
        sandbox,
        seed=0,
        trainer=trainer,
        checkpoint=path,
        executor=executor,
    )
    (trained,) = evaluator.train([JobReward("sparse reward", None)])
    assert trained.policy is not None
    assert [job.checkpoint for job in executor.jobs] == [str(path) if saves else None]
    assert evaluator.trains_together == saves
