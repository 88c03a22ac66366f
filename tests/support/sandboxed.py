"""Helpers for tests of the sandbox: a small state, short rewards, child processes, descriptors."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from torch import Tensor

from eureka_agent.checks import check_source
from eureka_agent.errors import CheckError
from eureka_agent.jail import Sandbox, SandboxedReward
from eureka_agent.records import RewardSource
from eureka_agent.tasks.task import StateSpec, StateVariable

SECRET_NAME, SECRET = "PLANTED_API_KEY", "sk-planted-9f2c61"

SPEC = StateSpec(
    variables=(
        StateVariable("velocity", (3,), "m/s", "world", "how fast it moves", "linear_velocity"),
        StateVariable("height", (), "m", "world", "how high it is", "distance"),
        StateVariable("rotation", (4,), "-", "world", "how it is turned", "quaternion_wxyz"),
        StateVariable("action", (2,), "-", "-", "the last action", "action"),
    ),
    constants={"target_speed": 2.0},
)


def state(rows: int = 8) -> dict[str, Tensor]:
    """Return reproducible rows of every variable."""
    random = torch.Generator().manual_seed(0)
    return {
        name: torch.rand(rows, *shape, generator=random) + 0.1
        for name, shape in SPEC.shapes.items()
    }


def refusal(code: str) -> str:
    """Return the message with which the static checks refuse `code`."""
    with pytest.raises(CheckError) as caught:
        check_source(code, SPEC)
    message = str(caught.value)
    assert "\n" not in message
    return message


def honest(sandbox: Sandbox, code: str, *, max_rows: int = 64) -> SandboxedReward:
    """Open a reward that passed the checks."""
    return sandbox.open(check_source(code, SPEC), SPEC, max_rows=max_rows)


def hostile(sandbox: Sandbox, body: str, *, max_rows: int = 8) -> SandboxedReward:
    """Open a reward with this body and the static checks off; `height` is its input."""
    lines = "\n".join(f"    {line}" for line in body.strip().splitlines())
    code = f"import torch\ndef compute_reward(height):\n{lines}\n    return height, {{}}\n"
    return sandbox.open(RewardSource(code, ("height",)), SPEC, max_rows=max_rows, _checked=False)


def children(pid: int) -> list[int]:
    """Return the child processes of a single-threaded process."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def descriptors() -> int:
    """Return how many descriptors this process has open."""
    return len(os.listdir("/proc/self/fd"))
