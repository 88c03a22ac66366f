"""`--sandbox static-checks`, written for macOS, on Linux without Linux's own calls.

Each reward starts an interpreter with torch, so only a few of each kind are tried; `EUREKA_ALL=1`
tries all.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from eureka_agent.checks import check_source
from eureka_agent.cli.doctor import examine
from eureka_agent.errors import MissingLayerError, RewardRuntimeError, SandboxError
from eureka_agent.jail import Sandbox
from eureka_agent.jail.contract import check_contract
from eureka_agent.jail.deadlines import ProcessorClock, until
from eureka_agent.jail.spawn import SpawnedProcess
from tests.support.attempts import ATTEMPTS, LOOT, Attempt
from tests.support.attempts.table import is_refused
from tests.support.honest import REWARDS, samples, task_of
from tests.support.sandboxed import SECRET, SECRET_NAME, SPEC, children, descriptors, honest, state
from tests.support.without_linux import without_linux

_ALL = bool(os.environ.get("EUREKA_ALL"))
_README = Path(__file__).parents[2] / "sandbox" / "README.md"
_ALLOWED_PYTHON = [attempt for attempt in ATTEMPTS if not is_refused(attempt)]
_HEIGHT = "def compute_reward(height): return height, {'h': height}"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox at this level, started by a process that has a key in its environment."""
    gc.collect()
    before = descriptors(), set(children(os.getpid()))
    with without_linux(tmp_path_factory.mktemp("bin")):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(SECRET_NAME, SECRET)
            with Sandbox(required="static-checks", first_call_s=0.5, call_s=0.3) as sandbox:
                yield sandbox
        gc.collect()
    assert (descriptors(), set(children(os.getpid()))) == before


def test_held_and_missing_layers_are_reported(sandbox: Sandbox) -> None:
    root = os.getuid() == 0  # root may start processes in spite of the limit
    limits = ("processor limit", *(() if root else ("process limit",)), "descriptor limit")
    assert sandbox.layers.held == ("static checks", "own process", *limits)
    missing = {
        "seccomp",
        "landlock",
        "capabilities",
        "no_new_privs",
        "memory limit",
        *(("process limit",) * root),
    }
    assert sandbox.layers.missing.keys() == missing
    assert sandbox.describe().startswith("NOT SEALED: code that gets past the static checks can ")
    assert all(act in sandbox.describe() for act in sandbox.layers.possible)
    assert "Missing at --sandbox static-checks:" in sandbox.describe()
    possible = set(sandbox.layers.possible)
    assert {"signal its parent", "run a program"} <= possible
    assert not possible & {
        "read a file",
        "list a folder",
        "open a socket",
        "open a local socket",
        "open a pipe",
    }


@pytest.mark.parametrize("name", REWARDS if _ALL else ("human reward of cartpole",))
def test_honest_rewards_work(sandbox: Sandbox, name: str) -> None:
    task, code = REWARDS[name]
    spec, rows = task_of(task).reward_inputs, samples(task)
    reward = sandbox.open(check_source(code, spec), spec, max_rows=len(rows["action"]))
    check_contract(reward, rows)
    assert reward(rows).components
    assert sorted(os.listdir(f"/proc/{reward.pid}/fd")) == ["0", "1", "2", "3"]
    assert SECRET not in Path(f"/proc/{reward.pid}/environ").read_text()
    reward.close()
    assert reward.pid is None


def test_the_checks_refuse_as_many_attempts_as_the_docs_say() -> None:
    words = " ".join(_README.read_text(encoding="utf-8").split())
    assert f"{len(ATTEMPTS) - len(_ALLOWED_PYTHON)} of the {len(ATTEMPTS)} attempts" in words


@pytest.mark.parametrize(
    "attempt",
    [
        a
        for a in _ALLOWED_PYTHON
        if _ALL or a.name in ("huge power", "at the fourth call: gives wrong rewards")
    ],
    ids=lambda attempt: f"{attempt.kind}: {attempt.name}",
)
def test_attempts_in_allowed_python_obtain_nothing(sandbox: Sandbox, attempt: Attempt) -> None:
    given, kept, message = state(), state(), "-"
    reward = sandbox.open(check_source(attempt.source({}), SPEC), SPEC, max_rows=8)
    try:
        for _ in range(attempt.calls):
            batch = reward(given)
            assert not (batch.reward == LOOT).any()
            assert all(
                torch.isfinite(values).all()
                for values in (batch.reward, *batch.components.values())
            )
    except RewardRuntimeError as error:
        message = str(error)
    finally:
        reward.close()
    assert SECRET not in message
    assert message.isprintable()
    assert all(torch.equal(given[name], kept[name]) for name in kept)


def test_endless_loop_is_ended_by_the_kernel(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ProcessorClock, "until", lambda self, seconds: until(120.0))
    reward = honest(
        sandbox,
        "def compute_reward(height):\n    for i in range(10 ** 12):\n        x = i\n    return"
        " height, {}",
    )
    reward.submit(state())
    handle = reward._handle
    assert handle is not None
    assert isinstance(handle.helper, SpawnedProcess)
    with pytest.raises(RewardRuntimeError, match=r"more than 0.5 s of processor time in one call"):
        reward.collect()
    assert handle.helper.end(handle) == -signal.SIGXCPU


def test_killed_process_fails_its_candidate_and_the_pool_is_refilled(sandbox: Sandbox) -> None:
    reward = honest(sandbox, _HEIGHT)
    assert torch.equal(reward(state()).reward, state()["height"])
    os.kill(reward.pid or 0, signal.SIGKILL)
    with pytest.raises(
        RewardRuntimeError, match="its process was killed, most likely because the machine ran out"
    ):
        reward(state())
    for pid in set(children(os.getpid())):
        if b"sandbox.spawned" in Path(f"/proc/{pid}/cmdline").read_bytes():
            os.kill(pid, signal.SIGKILL)
    reward = honest(sandbox, _HEIGHT)
    assert torch.equal(reward(state()).reward, state()["height"])
    reward.close()


def test_helper_process_that_cannot_start_is_a_sandbox_error(tmp_path: Path) -> None:
    with without_linux(tmp_path), pytest.MonkeyPatch.context() as patch:
        for program in ("/nonexistent/python", "/bin/false"):
            patch.setattr(sys, "executable", program)
            with pytest.raises(SandboxError, match=r"could not start|did not start"):
                Sandbox(required="static-checks")


@pytest.mark.parametrize("required", ["full", "reduced"])
def test_macos_is_refused_with_the_level_that_works(
    monkeypatch: pytest.MonkeyPatch, required: str
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(
        MissingLayerError,
        match=f"--sandbox {required} needs seccomp.* macOS has none .*--sandbox static-checks",
    ) as e:
        Sandbox(required=required)  # type: ignore[arg-type]
    assert e.value.exit_code == 2


@pytest.mark.parametrize("required", ["full", "reduced", "static-checks"])
def test_windows_is_refused_at_every_level(monkeypatch: pytest.MonkeyPatch, required: str) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(MissingLayerError, match="WSL 2"):
        Sandbox(required=required)  # type: ignore[arg-type]


@pytest.mark.slow
def test_doctor_says_what_is_missing(tmp_path: Path) -> None:
    with without_linux(tmp_path):
        findings = {finding.name: finding for finding in examine()}
    assert findings["machine"].ok
    assert findings["sandbox: descriptor limit"].ok
    assert not findings["sandbox: seccomp"].ok
    assert (
        "only on Linux; --sandbox static-checks runs without it"
        in findings["sandbox: memory limit"].detail
    )
    assert "signal its parent" in findings["sandbox: self-check"].detail
