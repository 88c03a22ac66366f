"""Random kills of sealed processes and of the helper process: right answers, no zombies, no leaks.

`EUREKA_KILLS` sets the number of kills; the default is 40.
"""

from __future__ import annotations

import gc
import os
import random
import signal
from contextlib import suppress
from pathlib import Path

import pytest
import torch

from eureka_agent.errors import RewardRuntimeError
from eureka_agent.jail import Sandbox, SandboxedReward
from tests.support.sandboxed import children, descriptors, honest, state

_KILLS = int(os.environ.get("EUREKA_KILLS", "40"))
_CANDIDATES = 3
_HELPER_SHARE = 0.05
"""Share of kills that hit the helper process, which takes seconds to start again."""


@pytest.mark.slow
@pytest.mark.timeout(60 + 10 * _KILLS)
def test_random_kills_cost_no_answer_and_leak_nothing() -> None:
    draw = random.Random(0)
    rows = state()
    with Sandbox(memory_mib=512) as sandbox:
        _cycle([_open(sandbox, k) for k in range(_CANDIDATES)], rows)
        gc.collect()
        descriptors_before, memory_before = descriptors(), _memory_kib()
        rewards = [_open(sandbox, k) for k in range(_CANDIDATES)]
        for _ in range(_KILLS):
            victim = draw.randrange(_CANDIDATES)
            helper = draw.random() < _HELPER_SHARE
            pid = sandbox.helper_pid if helper else rewards[victim].pid
            assert pid is not None
            before = draw.random() < 0.5
            if before:
                _kill(pid)
            for reward in rewards:
                reward.submit(rows)
            if not before:
                _kill(pid)
            for k, reward in enumerate(rewards):
                _collect(reward, k, rows["height"], may_fail=not helper and k == victim)
            rewards = [r if r.pid is not None else _open(sandbox, k) for k, r in enumerate(rewards)]
            assert set(children(sandbox.helper_pid)) <= {reward.pid for reward in rewards}
        for reward in rewards:
            reward.close()
        assert children(sandbox.helper_pid) == []
        del rewards, reward
        gc.collect()
        assert descriptors() == descriptors_before
        assert _memory_kib() - memory_before < 8 * 1024
        assert "memfd:reward" not in Path("/proc/self/maps").read_text()
    assert _zombies() == []


def _kill(pid: int) -> None:
    # The process may have ended with the helper process before its reward noticed.
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _open(sandbox: Sandbox, k: int) -> SandboxedReward:
    return honest(sandbox, f"def compute_reward(height): return height * {k}, {{'h': height}}")


def _cycle(rewards: list[SandboxedReward], rows: dict[str, torch.Tensor]) -> None:
    for reward in rewards:
        reward.submit(rows)
    for k, reward in enumerate(rewards):
        _collect(reward, k, rows["height"], may_fail=False)
        reward.close()


def _collect(reward: SandboxedReward, k: int, height: torch.Tensor, *, may_fail: bool) -> None:
    """A killed process fails with a reason unless it had already answered; answers are right."""
    try:
        batch = reward.collect()
    except RewardRuntimeError as error:
        if may_fail and "its process was killed" in str(error):
            return
        raise
    assert torch.equal(batch.reward, height * k)
    assert torch.equal(batch.components["h"], height)
    if may_fail:
        # The process may have answered before it was killed; then the next call fails.
        with suppress(RewardRuntimeError):
            reward(state())


def _memory_kib() -> int:
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def _zombies() -> list[int]:
    """Return this process's children that ended and were not reaped."""
    found = []
    for child in children(os.getpid()):
        with suppress(FileNotFoundError):
            if Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                found.append(child)
    return found
