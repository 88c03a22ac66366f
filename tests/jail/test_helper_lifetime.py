"""Helper processes end with their owner, whenever it is interrupted, killed or forked."""

from __future__ import annotations

import ctypes
import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import eureka_agent as ea
from eureka_agent.jail import Sandbox
from eureka_agent.jail import helper_process as helper
from eureka_agent.jail.spawn import SpawnedProcess

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks processes up in /proc")

DEADLINE_S = 60.0
PR_SET_CHILD_SUBREAPER = 36
"""See prctl(2)."""


def helpers_of(pid: int) -> list[int]:
    """Return the helper processes that `pid` started, without zombies."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            words = Path(f"/proc/{child}/cmdline").read_bytes()
            if b"eureka_agent.sandbox" in words:
                found.append(int(child))
    return found


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def ends_within(pid: int, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while is_running(pid) and time.monotonic() < end:
        time.sleep(0.005)
    return not is_running(pid)


@contextmanager
def interrupted_at(line: int) -> Iterator[list[int]]:
    """Raise KeyboardInterrupt before the `line`-th line of `helper_process.py` that this thread runs.

    Yields the count of lines.
    """
    count = [0]

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        if frame.f_code.co_filename != helper.__file__ or finalizes(frame):
            return None
        if event == "line":
            count[0] += 1
            if count[0] == line:
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield count
    finally:
        sys.settrace(before)


def finalizes(frame: FrameType | None) -> bool:
    """Return whether a finalizer runs: Python suppresses exceptions in it."""
    while frame is not None:
        if frame.f_code.co_name == "__del__":
            return True
        frame = frame.f_back
    return False


def start_one() -> None:
    SpawnedProcess().close()


def test_an_interrupt_at_any_line_of_the_start_leaves_no_process() -> None:
    before = set(helpers_of(os.getpid()))
    with interrupted_at(0) as count:
        start_one()
    lines = count[0]
    assert lines > 30
    gc.freeze()  # the collections below then visit only new objects
    for line in range(1, lines + 1):
        with pytest.raises(KeyboardInterrupt) as interrupt, interrupted_at(line):
            start_one()
        del interrupt
        gc.collect()
        assert set(helpers_of(os.getpid())) == before, (
            f"after an interrupt before line {line} of {lines}"
        )
    gc.unfreeze()


@pytest.mark.slow
@pytest.mark.parametrize("after_s", [0.01, 0.1, 0.6, 1.2])
def test_an_interrupt_while_a_sandbox_starts_leaves_no_process(after_s: float) -> None:
    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = set(helpers_of(os.getpid()))
    handler = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, after_s)
    kept = None
    try:
        with Sandbox():
            time.sleep(10.0)
    except KeyboardInterrupt as error:
        kept = error  # as a notebook keeps the last traceback, with every object in it
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, handler)
    assert kept is not None
    assert set(helpers_of(os.getpid())) == before


@contextmanager
def adopting_orphans() -> Iterator[None]:
    """Become the parent of the processes whose parent ends, so that `waitpid` says how they end."""
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    assert prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
    try:
        yield
    finally:
        prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def signal_that_ended(pid: int) -> int:
    """Wait for a child process; return the signal that ended it, 0 if it ended by itself."""
    end = time.monotonic() + DEADLINE_S
    while time.monotonic() < end:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        time.sleep(0.005)
    raise TimeoutError(f"process {pid} still runs after {DEADLINE_S:.0f} s")


def test_a_helper_that_still_loads_torch_ends_with_a_killed_parent() -> None:
    """It is stopped while it loads torch, so it cannot read its channel before the parent ends: only
    the kernel's signal ends it, however busy the machine is."""
    code = (
        "import os, signal; from eureka_agent.jail.spawn import SpawnedProcess; s = SpawnedProcess();"
        " os.kill(s.pid, signal.SIGSTOP); print(s.pid, flush=True); input()"
    )
    with adopting_orphans():
        parent = subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert is_running(pid)
        parent.kill()
        parent.wait()
        os.kill(pid, signal.SIGCONT)
        assert signal_that_ended(pid) == signal.SIGIO


def run_in_fork(work: str, answers: Any) -> None:
    try:
        if work == "synthesize":
            ea.synthesize(ea.SynthesisConfig.of(task="cartpole", runs_dir=Path("never")))
        else:
            KEPT[0](dof_pos=0, dof_vel=0)
        answers.put("it went on")
    except ea.EurekaError as error:
        answers.put(f"{type(error).__name__}: {error}")


KEPT: list[Any] = []


@pytest.mark.slow
@pytest.mark.parametrize("work", ["synthesize", "reward"])
def test_a_fork_after_work_is_refused_and_leaves_the_parents_helper_alone(work: str) -> None:
    (reward,) = ea.RewardGenerator("cartpole").generate(1)
    KEPT[:] = [reward]
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    with Sandbox() as sandbox:
        process = context.Process(target=run_in_fork, args=(work, answers))
        process.start()
        assert (
            "UsageError: This process was forked from one in which eureka_agent had"
            in answers.get(timeout=20.0)
        )
        process.join(10.0)
        assert process.exitcode == 0
        assert is_running(sandbox.helper_pid)


def test_a_fork_does_not_keep_the_helper_of_a_parent_that_ended() -> None:
    code = (
        "import os, time; from eureka_agent.jail.spawn import SpawnedProcess; s = SpawnedProcess(); print(s.pid,"
        " flush=True)\nif os.fork() == 0:\n    time.sleep(5)\n   "
        " os._exit(0)\nos.kill(os.getpid(), 9)"
    )
    done = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert done.stdout is not None
    pid = int(done.stdout.readline())
    done.wait()
    assert ends_within(pid, 1.0)


def test_a_helper_without_references_ends() -> None:
    single = SpawnedProcess()
    pid = single.pid
    del single
    gc.collect()
    assert not is_running(pid)


def test_a_helper_is_started_from_a_thread_that_ends_first() -> None:
    singles: list[SpawnedProcess] = []
    thread = threading.Thread(target=lambda: singles.append(SpawnedProcess()))
    thread.start()
    thread.join()
    singles[0].wait_until_warm()
    assert singles[0].alive
    singles[0].close()
