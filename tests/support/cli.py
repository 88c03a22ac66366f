"""Running `eureka-agent` in the test's own process."""

from __future__ import annotations

from pathlib import Path

import pytest

from eureka_agent.cli.main import main

HUMAN = Path(__file__).parents[2] / "envs" / "cartpole" / "human_reward.py"


def fails(capsys: pytest.CaptureFixture[str], *args: str) -> str:
    """Run `eureka-agent`, expect exit code 2, and return the one sentence."""
    assert main(args) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert "Traceback" not in captured.err
    return captured.err
