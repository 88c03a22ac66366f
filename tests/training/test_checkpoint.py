"""A training that is cut goes on from its file as if nothing had happened, bit for bit."""

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
from eureka_agent.training import Checkpoint, Progress, TrainResult, checkpoint, train
from tests.support.in_process import InProcess, upright

BUDGET = TrainingBudget(num_envs=8, environment_steps=8 * 16 * 8, horizon=16, hidden=(16,))
RACE = Race((0.25,), (0.5,))
AHEAD = (Rung(8 * 16 * 2, 1e9, 1e9, 1e9),)
"""A champion that no one keeps up with: all but the best stop at the rung."""


class CutError(Exception):
    pass


def rewards(task: str) -> list[InProcess | SparseReward]:
    """The first breaks as soon as an episode is longer than a rollout; cartpole's second wants the
    pole upright."""
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

    return train(
        load_task(task),
        rewards(task),
        BUDGET,
        seed=2,
        race=race,
        champion=AHEAD,
        checkpoint=checkpoint,
        on_progress=on_progress,
    )


def told(result: TrainResult) -> object:
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
def test_a_cut_training_ends_like_a_whole_one(tmp_path: Path, task: str, cut_after: int) -> None:
    """Cut before anyone left, after one failed, and after the race stopped all but one."""
    path = tmp_path / "training.safetensors"
    with pytest.raises(CutError):
        run(task, Checkpoint(path, "mine", every_s=0.0), cut_after)
    checkpoint = Checkpoint(path, "mine")
    saved = checkpoint.load()
    assert saved is not None
    assert saved[0].done == cut_after
    resumed = run(task, checkpoint)
    whole = run(task, None)
    assert [told(result) for result in resumed] == [told(result) for result in whole]
    assert str(whole[0].error) == "it broke"
    assert [bool(result.record and result.record.stopped) for result in whole].count(True) == 2


def test_where_all_have_failed_there_is_nothing_to_go_on_with(tmp_path: Path) -> None:
    """One fails in the first rollout and the other in the second, after the first one's worlds have
    gone."""

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
        results = train(load_task("cartpole"), rewards, BUDGET, seed=2, checkpoint=checkpoint)
        return [str(result.error) for result in results]

    assert errors(1, 2) == ["it broke", "it broke"]
    assert errors(1, 1) == [
        "it broke",
        "it broke",
    ]  # killed before anyone took note; goes on in the second rollout


def test_another_training_and_damage_are_not_taken_for_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "training.safetensors"
    assert Checkpoint(path, "mine").load() is None
    with pytest.raises(CutError):
        run("cartpole", Checkpoint(path, "mine", every_s=0.0), 3)
    assert Checkpoint(path, "another").load() is None
    path.write_bytes(path.read_bytes()[:-10])
    assert Checkpoint(path, "mine").load() is None


def test_a_file_of_somebody_else_ends_in_a_sentence(tmp_path: Path) -> None:
    """Its facts fit, since the key is no secret; its tensors are others, fewer or larger, or its
    numbers are."""
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
    facts = json.loads(metadata["training"])
    stranger = {"index": 9, "record": None, "error": ""}
    changes: list[dict[str, object]] = [
        {"done": -1},
        {"done": 10**9},
        {"members": []},
    ]
    for change in (*changes, {"left": [stranger]}):
        refused(tensors, {**metadata, "training": json.dumps(facts | change)})


def test_a_save_does_not_follow_a_link(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / "training.new").symlink_to(victim)
    with pytest.raises(CutError):
        run("cartpole", Checkpoint(tmp_path / "training.safetensors", "mine", every_s=0.0), 1)
    assert victim.read_text() == "mine"
    assert (tmp_path / "training.safetensors").is_file()


def test_a_file_of_another_version_is_ignored_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "training.safetensors"
    mine = Checkpoint(path, "mine", every_s=0.0)
    assert mine.of_another_version == ""  # there is none
    with pytest.raises(CutError):
        run("cartpole", mine, 3)
    assert mine.of_another_version == ""
    written = checkpoint.VERSION
    monkeypatch.setattr(checkpoint, "VERSION", "next")
    assert mine.load() is None
    said = mine.of_another_version
    assert (
        said
        == f"The training saved in training.safetensors has format {written} and this version reads"
        " next: it starts anew."
    )
    assert said in sentences.training_started(TrainingStarted((), ("g0c0",), saved=said))
    assert len(run("cartpole", mine)) == 4
    save_file(
        {"x": torch.zeros(1)}, path, metadata={"training": "{}"}
    )  # as they were before they had a version
    assert "has format 0" in mine.of_another_version


def test_what_a_killed_save_left_goes_with_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "training.safetensors"
    for file in (path, path.with_suffix(".new")):
        file.write_bytes(b"x")
    checkpoint.discard(path)
    checkpoint.discard(path)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_gone_is_said_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="Cannot save the training to"):
        run("cartpole", Checkpoint(tmp_path / "gone" / "training.safetensors", "mine", every_s=0.0))


def test_it_is_saved_now_and_then(tmp_path: Path) -> None:
    run("cartpole", Checkpoint(tmp_path / "never.safetensors", "mine", every_s=3600.0))
    assert not (tmp_path / "never.safetensors").exists()
