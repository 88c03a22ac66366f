"""`eureka-agent new-task` and `validate-task`."""

from __future__ import annotations

from pathlib import Path

import pytest

from eureka_agent.cli.main import main
from tests.support.cli import fails
from tests.support.own_task import write_task
from tests.support.robots import ARM, leg_urdf


def test_new_task_says_what_to_do_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("arm.xml").write_text(ARM, encoding="utf-8")
    assert main(["new-task", "arm", "--model", "arm.xml"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "The task is in arm."
    assert lines[-2:] == [
        "  eureka-agent validate-task ./arm",
        "  synthesize --task ./arm --quick",
    ]


def test_new_task_takes_a_folder_and_a_floating_base(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / "leg.urdf"
    model.write_text(leg_urdf(), encoding="utf-8")
    arguments = ["new-task", "leg", "--model", str(model), "--path", str(tmp_path / "my tasks")]
    assert main([*arguments, "--floating-base"]) == 0
    out = capsys.readouterr().out
    assert "The base moves freely (--floating-base)." in out
    assert f"synthesize --task '{tmp_path}/my tasks/leg' --quick" in out
    assert (tmp_path / "my tasks" / "leg" / "task.py").is_file()


def test_new_task_refuses_a_robot_without_actuators(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / "arm.xml"
    model.write_text(ARM.split("  <actuator>")[0] + "</mujoco>", encoding="utf-8")
    said = fails(capsys, "new-task", "arm", "--model", str(model), "--path", str(tmp_path))
    assert "has no actuators" in said


def test_validate_task_ends_with_exit_code_2_for_a_mistake(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    end = 'return state["block_x"].abs() > 1.9'
    folder = write_task(tmp_path / "pusher", end, 'return state["episode_time"] > 0.0')
    assert main(["validate-task", str(folder)]) == 2
    out = capsys.readouterr().out
    assert "episode length   failed" in out
    assert "pusher has mistakes: 1 of " in out
    assert "zero reward" not in out  # what ends at once is not trained


def test_validate_task_explains_a_folder_without_a_slash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_task(tmp_path / "pusher")
    assert "write ./ and the name" in fails(capsys, "validate-task", "pusher")


@pytest.mark.slow
def test_validate_task_ends_with_the_next_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_task(tmp_path / "pusher")
    assert main(["validate-task", str(folder)]) == 0
    out = capsys.readouterr().out
    assert "human reward     ok" in out
    assert out.splitlines()[-1] == f"Next: synthesize --task {folder} --quick"
