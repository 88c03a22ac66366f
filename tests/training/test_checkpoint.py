"""A training that is interrupted resumes from its file with the same results, bit for bit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from eureka_agent.config import Race, TrainingBudget
from eureka_agent.errors import RewardRuntimeError, StoreError
from eureka_agent.records import Rung
from eureka_agent.report import messages as sentences
from eureka_agent.rewards.runner import SparseReward
from eureka_agent.search.events import TrainingStarted
from eureka_agent.tasks.registry import load_task
from eureka_agent.training import (
    Checkpoint,
    PopulationTrainer,
    Progress,
    TrainerSettings,
    TrainResult,
    checkpoint,
)
from tests.support.in_process import InProcess, upright

BUDGET = TrainingBudget(num_envs=8, environment_steps=8 * 16 * 8, horizon=16, hidden=(16,))
RACE = Race((0.25,), (0.5,))
AHEAD = (Rung(8 * 16 * 2, 1e9, 1e9, 1e9),)
"""A champion far ahead of all: every candidate except the best stops at the rung."""


class CutError(Exception):
    pass


def rewards(task: str) -> list[InProcess | SparseReward]:
    """The first fails once an episode is longer than a rollout; cartpole's second is plausible."""
    longest = 16.5 * load_task(task).dt

    def breaks(episode_time: torch.Tensor) -> torch.Tensor:
        if bool((episode_time > longest).any()):
            raise RewardRuntimeError("it broke")
        return episode_time

    second = (
        InProcess(upright, "dof_pos")
        if task == "cartpole"
        else InProcess(lambda action: action[:, 0], "action")
    )
    return [
        InProcess(breaks, "episode_time"),
        second,
        SparseReward(),
        InProcess(lambda action: -action[:, 0], "action"),
    ]


def run(
    task: str, checkpoint: Checkpoint | None, cut_after: int | None = None, race: Race = RACE
) -> list[TrainResult]:
    steps = []

    def on_progress(progress: Progress) -> None:
        steps.append(progress.environment_steps)
        if cut_after is not None and len(steps) > cut_after:
            raise CutError

    return PopulationTrainer().train(
        load_task(task),
        rewards(task),
        TrainerSettings(BUDGET, seed=2, race=race, champion=AHEAD, checkpoint=checkpoint),
        on_progress=on_progress,
    )


def outcome(result: TrainResult) -> object:
    policy = result.policy.to_bytes() if result.policy else None
    record = result.record
    numbers = record and (
        record.environment_steps,
        record.reward,
        record.fitness,
        record.rungs,
        record.stopped,
    )
    return policy, repr(numbers), str(result.error)


@pytest.mark.parametrize("task", ["cartpole", "hopper_forward"])
@pytest.mark.parametrize("cut_after", [1, 2, 5])
def test_resumed_training_ends_like_an_uninterrupted_one(
    tmp_path: Path, task: str, cut_after: int
) -> None:
    """Interrupted before any candidate is done, after one failed, and after the race stopped two."""
    path = tmp_path / "training.safetensors"
    with pytest.raises(CutError):
        run(task, Checkpoint(path, "mine", every_s=0.0), cut_after)
    checkpoint = Checkpoint(path, "mine")
    saved = checkpoint.load()
    assert saved is not None
    assert saved[0].done == cut_after
    resumed = run(task, checkpoint)
    whole = run(task, None)
    assert [outcome(result) for result in resumed] == [outcome(result) for result in whole]
    assert str(whole[0].error) == "it broke"
    assert [bool(result.record and result.record.stopped) for result in whole].count(True) == 2


def test_training_in_which_all_candidates_fail_ends(tmp_path: Path) -> None:
    """One fails in the first rollout, the other in the second, when it has all environments."""

    def lasting(rollouts: int) -> InProcess:
        calls: list[int] = []

        def breaks(action: torch.Tensor) -> torch.Tensor:
            calls.append(1)
            if len(calls) == rollouts:
                raise RewardRuntimeError("it broke")
            return action[:, 0]

        return InProcess(breaks, "action")

    def errors(first: int, second: int) -> list[str]:
        rewards, checkpoint = (
            [lasting(first), lasting(second)],
            Checkpoint(tmp_path / "training", "mine", every_s=0.0),
        )
        results = PopulationTrainer().train(
            load_task("cartpole"), rewards, TrainerSettings(BUDGET, seed=2, checkpoint=checkpoint)
        )
        return [str(result.error) for result in results]

    assert errors(1, 2) == ["it broke", "it broke"]
    # Resumes after the first rollout, as if killed before the results were stored.
    assert errors(1, 1) == ["it broke", "it broke"]


def test_file_of_another_training_or_damaged_file_is_ignored(tmp_path: Path) -> None:
    path = tmp_path / "training.safetensors"
    assert Checkpoint(path, "mine").load() is None
    with pytest.raises(CutError):
        run("cartpole", Checkpoint(path, "mine", every_s=0.0), 3)
    assert Checkpoint(path, "another").load() is None
    path.write_bytes(path.read_bytes()[:-10])
    assert Checkpoint(path, "mine").load() is None


def test_manipulated_file_is_refused_as_damaged(tmp_path: Path) -> None:
    """Its key fits, since keys are not secret, but tensors or numbers are missing or wrong."""
    path = tmp_path / "training.safetensors"
    with pytest.raises(CutError):
        run("cartpole", Checkpoint(path, "mine", every_s=0.0), 1)
    with safe_open(path, framework="pt") as file:
        metadata, names = file.metadata(), [*file.keys()]
        tensors = {name: file.get_tensor(name) for name in names}

    def refused(changed: dict[str, torch.Tensor], metadata: dict[str, str]) -> None:
        save_file(changed, path, metadata=metadata)
        with pytest.raises(
            StoreError, match="is damaged: remove the file, and the training starts from"
        ):
            run("cartpole", Checkpoint(path, "mine"))

    for name in [*names[::4], "noise"]:
        refused({**tensors, name: torch.zeros(*tensors[name].shape, 2)}, metadata)
        refused({other: tensor for other, tensor in tensors.items() if other != name}, metadata)
    state = json.loads(metadata["training"])
    stranger = {"index": 9, "record": None, "error": ""}
    changes: list[dict[str, object]] = [
        {"done": -1},
        {"done": 10**9},
        {"members": []},
    ]
    for change in (*changes, {"finished": [stranger]}):
        refused(tensors, {**metadata, "training": json.dumps(state | change)})


def test_save_does_not_follow_a_link(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / "training.new").symlink_to(victim)
    with pytest.raises(CutError):
        run("cartpole", Checkpoint(tmp_path / "training.safetensors", "mine", every_s=0.0), 1)
    assert victim.read_text() == "mine"
    assert (tmp_path / "training.safetensors").is_file()


def test_file_of_another_version_is_ignored_with_a_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "training.safetensors"
    mine = Checkpoint(path, "mine", every_s=0.0)
    missing = mine.of_another_version
    assert missing is None
    with pytest.raises(CutError):
        run("cartpole", mine, 3)
    current = mine.of_another_version
    assert current is None
    written = checkpoint.VERSION
    monkeypatch.setattr(checkpoint, "VERSION", "next")
    assert mine.load() is None
    ignored = mine.of_another_version
    assert ignored == checkpoint.IgnoredCheckpoint("training.safetensors", written, "next")
    event = TrainingStarted((), ("g0c0",), ignored_checkpoint=ignored)
    assert sentences.training_started(event) == [
        f"The training saved in training.safetensors has format {written} and this version reads"
        " next: the training starts again."
    ]
    assert len(run("cartpole", mine)) == 4
    # The oldest files have no version.
    save_file({"x": torch.zeros(1)}, path, metadata={"training": "{}"})
    oldest = mine.of_another_version
    assert oldest is not None
    assert oldest.version == "0"


def test_discard_also_removes_the_incomplete_file_of_a_killed_save(tmp_path: Path) -> None:
    path = tmp_path / "training.safetensors"
    for file in (path, path.with_suffix(".new")):
        file.write_bytes(b"x")
    checkpoint.discard(path)
    checkpoint.discard(path)
    assert not list(tmp_path.iterdir())


def test_save_into_a_missing_folder_is_a_store_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="Cannot save the training to"):
        run("cartpole", Checkpoint(tmp_path / "gone" / "training.safetensors", "mine", every_s=0.0))


def test_training_is_not_saved_before_the_interval(tmp_path: Path) -> None:
    run("cartpole", Checkpoint(tmp_path / "never.safetensors", "mine", every_s=3600.0))
    assert not (tmp_path / "never.safetensors").exists()
