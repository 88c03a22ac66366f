from __future__ import annotations

import gc
import os
import signal
import time
from pathlib import Path

import pytest
import torch

from eureka_agent.errors import RewardRuntimeError, SandboxError
from eureka_agent.jail import Sandbox
from eureka_agent.jail.helper_process import ProcessHandle
from eureka_agent.jail.process_manager import ProcessManager
from tests.support.sandboxed import SPEC, children, descriptors, honest, hostile, state

HEIGHT = "def compute_reward(height): return height, {'h': height}"


def test_all_layers_hold_and_no_forbidden_act_is_possible(sandbox: Sandbox) -> None:
    assert sandbox.layers.held == ("seccomp", "landlock", "capabilities", "no_new_privs", "rlimits")
    assert sandbox.layers.missing == {}
    assert sandbox.layers.possible == ()
    assert "seccomp" in sandbox.describe()


def test_kernel_reports_a_sealed_process_as_restricted(sandbox: Sandbox) -> None:
    reward = honest(sandbox, HEIGHT)
    reward(state())
    status = dict(
        line.split(":\t", 1) for line in Path(f"/proc/{reward.pid}/status").read_text().splitlines()
    )
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"].strip() == "2"  # 2: filtered
    assert status["Threads"] == "1"
    assert {status[f"Cap{kind}"] for kind in ("Inh", "Prm", "Eff", "Amb")} == {"0" * 16}
    assert sorted(os.listdir(f"/proc/{reward.pid}/fd")) == ["0", "1", "2", "3"]
    reward.close()


def test_opening_and_closing_leaks_nothing(sandbox: Sandbox) -> None:
    honest(sandbox, HEIGHT).close()
    gc.collect()  # garbage of other tests
    before = descriptors()
    for _ in range(5):
        good, bad, killed = (
            honest(sandbox, HEIGHT),
            hostile(sandbox, "1 / 0"),
            honest(sandbox, HEIGHT),
        )
        assert len(children(sandbox.helper_pid)) == 3
        good(state())
        os.kill(killed.pid or 0, signal.SIGSTOP)  # or it might answer before it is killed
        for broken in (bad, killed):
            broken.submit(state())
        os.kill(killed.pid or 0, signal.SIGKILL)
        for broken in (bad, killed):
            with pytest.raises(RewardRuntimeError):
                broken.collect()
        good.close()
        good.close()
    gc.collect()
    assert children(sandbox.helper_pid) == []
    assert descriptors() == before
    assert "memfd:reward" not in Path("/proc/self/maps").read_text()
    assert len(os.listdir(f"/proc/{sandbox.helper_pid}/fd")) == 4  # 0, 1, 2 and the control socket


def test_killed_process_is_reported(sandbox: Sandbox) -> None:
    reward = honest(sandbox, HEIGHT)
    os.kill(reward.pid or 0, signal.SIGKILL)
    with pytest.raises(
        RewardRuntimeError, match="its process was killed, most likely because the machine ran out"
    ):
        reward(state())


@pytest.mark.slow
def test_death_of_the_helper_process_costs_no_answer(sandbox: Sandbox) -> None:
    rewards = [honest(sandbox, HEIGHT) for _ in range(3)]
    for reward in rewards:
        reward(state())
        # Stopped, it cannot answer before the helper process dies.
        os.kill(reward.pid or 0, signal.SIGSTOP)
        reward.submit(state())
    before = sandbox.helper_pid
    pids = [reward.pid for reward in rewards]
    os.kill(before, signal.SIGKILL)
    for reward in rewards:
        assert torch.equal(reward.collect().reward, state()["height"])
    restarted = sandbox.helper_pid
    assert restarted != before
    assert {reward.pid for reward in rewards}.isdisjoint(pids)
    for pid in pids:
        assert _ends(pid or 0), "a sealed process outlived the helper process"
    rewards.append(honest(sandbox, HEIGHT))
    for reward in rewards:
        assert torch.equal(reward(state()).reward, state()["height"])
        reward.close()
    assert sandbox.helper_pid == restarted


@pytest.mark.slow
def test_closing_the_sandbox_ends_all_processes() -> None:
    gc.collect()
    before = descriptors()
    sandbox = Sandbox()
    reward = honest(sandbox, HEIGHT)
    helper, pid = sandbox.helper_pid, reward.pid or 0
    sandbox.close()
    assert _ends(helper)
    assert _ends(pid)
    reward.close()
    sandbox.close()
    del reward
    assert descriptors() == before


@pytest.mark.slow
def test_missing_layer_is_named_with_the_level_that_works(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    start_sealed = ProcessManager.start_sealed

    def start_without_landlock(
        self: ProcessManager, memory: int
    ) -> tuple[ProcessHandle, dict[str, str]]:
        handle, report = start_sealed(self, memory)
        return handle, report | {"landlock": "Function not implemented"}

    monkeypatch.setattr(ProcessManager, "start_sealed", start_without_landlock)
    with pytest.raises(
        SandboxError, match=r"'landlock' does not hold.*Function not implemented.*--sandbox reduced"
    ):
        Sandbox()
    with Sandbox(required="reduced") as reduced:
        assert reduced.layers.missing == {"landlock": "Function not implemented"}
        assert "Missing at --sandbox reduced: landlock" in reduced.describe()
        reward = honest(reduced, HEIGHT)
        assert reward(state()).reward.shape == (8,)
    with pytest.raises(SandboxError, match="'landlock' failed"):
        sandbox.open(reward.reward, SPEC, max_rows=8)


def test_helper_process_that_cannot_start_is_a_sandbox_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gc.collect()
    before = descriptors()
    monkeypatch.setattr("sys.executable", "/nonexistent/python")
    with pytest.raises(SandboxError, match="/nonexistent/python"):
        Sandbox()
    monkeypatch.setattr("sys.executable", "/bin/false")
    with pytest.raises(SandboxError, match="did not start"):
        Sandbox()
    gc.collect()
    assert descriptors() == before


def _ends(pid: int) -> bool:
    """Whether a process ends (or becomes another process's zombie) within a few seconds."""
    for _ in range(200):
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.02)
    return False
