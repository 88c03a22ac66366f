"""When environments are stepped by worker processes, and which ids name code."""

from __future__ import annotations

import subprocess
import sys

import pytest

from eureka_agent.simulation.gymnasium import names_code
from eureka_agent.simulation.gymnasium.workers import workers_for


def test_processes_are_used_where_a_step_of_all_environments_takes_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("eureka_agent.simulation.gymnasium.workers.cpu_count", lambda: 8)
    assert workers_for(16, 10e-6, None) == 0
    assert workers_for(64, 1e-3, None) == 8
    assert workers_for(64, 1e-3, 3) == 3
    assert workers_for(4, 1.0, None) == 4
    assert workers_for(64, 1e-3, 1) == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("gym:CartPole-v1", False),
        ('gym:CartPole-v1 {"fitness": "info:x:last", "kwargs": {"a": [1, true]}}', False),
        ("gym:module:Env-v0", True),
        ("gym:no_such_namespace/Env-v0", True),
        ('gym:CartPole-v1 {"fitness": "/tmp/file.py:function"}', True),
        ('gym:CartPole-v1 {"fitness": "info:/tmp/file.py:function"}', True),
        ('gym:CartPole-v1 {"fitness": 3}', True),
        ('gym:Ant-v5 {"kwargs": {"xml_file": "robot.xml"}}', True),
        ('gym:Ant-v5 {"kwargs": {"nested": [{"path": "/tmp/robot"}]}}', True),
    ],
)
def test_ids_that_name_modules_or_files_name_code(text: str, expected: bool) -> None:
    assert names_code(text) == expected


def test_a_worker_loads_no_torch() -> None:
    code = "import sys, eureka_agent.simulation.gymnasium.worker; print('torch' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "False"
