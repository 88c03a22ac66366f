"""The tutorial `docs/your-own-robot.md`, followed command by command as it is written."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "your-own-robot.md"


def blocks(language: str) -> list[str]:
    page = PAGE.read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)


def run(script: str, folder: Path) -> str:
    """Run commands in a shell, with the programs of this Python first on the path."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-e", "-c", script],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


@pytest.mark.slow
def test_tutorial_leads_from_a_robot_file_to_a_first_generation(tmp_path: Path) -> None:
    write, check, search, urdf = blocks("bash")
    assert "The task is in walker." in run(write, tmp_path)
    assert {path.name for path in (tmp_path / "walker").iterdir()} == {
        "__init__.py",
        "robot.xml",
        "task.py",
    }
    checked = run(check, tmp_path)
    assert "failed" not in checked
    assert "sparse reward  " in checked
    assert "Best reward: g0c" in run(search, tmp_path)
    (run_folder,) = (tmp_path / "runs").iterdir()
    assert (run_folder / "best_reward.py").is_file()
    (tmp_path / "arm.urdf").write_text(blocks("xml")[0], encoding="utf-8")
    assert "Each joint got a motor" in run(urdf, tmp_path)
