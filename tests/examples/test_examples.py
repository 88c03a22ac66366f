"""Every script in `examples/` runs to its end as written."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.py"))
SHOWS = {
    "minimal_search": "def compute_reward(",
    "own_task": "task='pendulum'",
    "own_judge": "the judge chose g0c",
    "own_proposer": "g1c2: ",
}


@pytest.mark.slow
@pytest.mark.parametrize("script", EXAMPLES, ids=lambda path: path.stem)
def test_example_runs_to_its_end(script: Path, tmp_path: Path) -> None:
    command = [sys.executable, str(script)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert SHOWS[script.stem] in done.stdout


def test_every_example_is_known() -> None:
    assert {script.stem for script in EXAMPLES} == SHOWS.keys()
