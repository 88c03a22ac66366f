"""Rewards in the forms in which people publish and save them, written by us, are accepted and run."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from eureka_agent.api.evaluate_reward import check_file
from eureka_agent.api.reward_function import RewardFunction
from eureka_agent.extract import extract
from eureka_agent.jail import Sandbox
from eureka_agent.tasks.registry import find_task

_FOLDER = Path(__file__).parents[1] / "support" / "published"
FILES = sorted(_FOLDER.glob("*/*"))
_each = pytest.mark.parametrize(
    "path", FILES, ids=[f"{path.parent.name}/{path.name}" for path in FILES]
)


@pytest.fixture(scope="module")
def shared_wall() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


def test_there_are_twenty() -> None:
    assert len(FILES) == 20
    assert {path.parent.name for path in FILES} == {
        "ant_forward",
        "ball_balance",
        "cartpole",
        "pen_spinning",
    }


@_each
def test_a_published_reward_passes_the_checks_as_saved(path: Path) -> None:
    reward = RewardFunction.load(path, find_task(path.parent.name))
    assert extract(reward.source) == reward.source
    assert extract(f"```python\n{reward.source}```") == reward.source


@_each
def test_a_published_reward_runs_in_the_sandbox_as_saved(path: Path, shared_wall: Sandbox) -> None:
    names = check_file(path, find_task(path.parent.name), shared_wall)
    assert len(names) >= 2 or path.stem == "a_tensor_alone"


def test_importing_or_running_a_written_reward_only_defines_functions(
    tmp_path: Path,
) -> None:
    for number, path in enumerate(FILES):
        RewardFunction.load(path, find_task(path.parent.name)).save(
            tmp_path / f"reward_{number}.py"
        )
    program = (
        "import pathlib, runpy, sys\n"
        "for path in pathlib.Path(sys.argv[1]).glob('*.py'):\n"
        "    for name in ('reward', '__main__'):\n"
        "        assert callable(runpy.run_path(str(path), run_name=name)['compute_reward'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", program, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
