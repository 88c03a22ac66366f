"""What a trainer declares decides what a job passes to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from eureka_agent.config import Race, TrainingBudget
from eureka_agent.errors import RewardRuntimeError, UsageError
from eureka_agent.records import Rung
from eureka_agent.rewards.runner import RewardRunner
from eureka_agent.tasks.task import Task
from eureka_agent.training import (
    JobReward,
    Policy,
    PopulationTrainer,
    Progress,
    Trainer,
    TrainerSettings,
    TrainingJob,
    TrainResult,
    run_job,
)
from eureka_agent.training.initial_policy import policy_to_text

JOB = TrainingJob(
    "cartpole", (JobReward("sparse reward", None),), TrainingBudget(8, 8 * 16), seed=3, threads=1
)


class SimpleTrainer:
    """Supports nothing, trains nothing, and keeps the settings that it was given."""

    name = "simple"
    supports_racing = False
    supports_checkpoints = False
    supports_initial_policies = False
    supports_draws = False
    supports_gpu = False
    trains_together = False

    def __init__(self) -> None:
        self.given: list[TrainerSettings] = []

    def train(
        self,
        task: Task,
        rewards: Sequence[RewardRunner],
        settings: TrainerSettings,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> list[TrainResult]:
        self.given.append(settings)
        return [TrainResult(None, None, RewardRuntimeError("it does not train")) for _ in rewards]


class RacingTrainer(SimpleTrainer):
    supports_racing = True
    supports_checkpoints = True


def run_with(trainer: Trainer, job: TrainingJob, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eureka_agent.training.job.make_trainer", lambda name, **options: trainer)
    (result,) = run_job(job)
    assert result.failure is not None
    assert result.failure.message == "it does not train"


def test_race_with_a_trainer_that_does_not_support_racing_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trainer = SimpleTrainer()
    with pytest.raises(UsageError, match="The trainer simple does not support racing: leave it"):
        run_with(trainer, replace(JOB, race=Race()), monkeypatch)
    assert trainer.given == []


def test_checkpoint_is_not_passed_to_a_trainer_that_does_not_support_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    trainer = SimpleTrainer()
    run_with(trainer, replace(JOB, checkpoint=str(tmp_path / "x.safetensors")), monkeypatch)
    assert trainer.given == [TrainerSettings(JOB.budget, seed=3, threads=1)]


def test_trainer_that_supports_racing_and_checkpoints_gets_both(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    trainer = RacingTrainer()
    champion = (Rung(8, 1.0, 0.5, 1.5),)
    job = replace(JOB, race=Race(), champion=champion, checkpoint=str(tmp_path / "x.safetensors"))
    run_with(trainer, job, monkeypatch)
    (settings,) = trainer.given
    assert (settings.race, settings.champion) == (Race(), champion)
    assert settings.checkpoint is not None


def test_population_supports_everything() -> None:
    trainer = PopulationTrainer()
    assert trainer.supports_racing
    assert trainer.supports_checkpoints
    assert trainer.supports_initial_policies
    assert trainer.supports_gpu
    assert trainer.trains_together


def test_policy_with_a_trainer_that_does_not_start_from_policies_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trainer = SimpleTrainer()
    text = policy_to_text(Policy((4, 64, 64, 1)).to_bytes())
    job = replace(JOB, rewards=(JobReward("sparse reward", None, text),))
    with pytest.raises(UsageError, match="simple does not support initial policies: leave it"):
        run_with(trainer, job, monkeypatch)
    assert trainer.given == []
