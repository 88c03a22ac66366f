"""The processor time of sealed processes, forged answers, and inspection of the trusted process."""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from eureka_agent.errors import RewardRuntimeError
from eureka_agent.jail import Sandbox
from eureka_agent.jail.deadlines import ProcessorClock
from tests.support.sandboxed import honest, hostile, state

HEIGHT = "def compute_reward(height): return height, {}"
_PR_GET_DUMPABLE = 3


def _dumpable() -> int:
    return int(ctypes.CDLL(None).prctl(_PR_GET_DUMPABLE, 0, 0, 0, 0))


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({"names": [], "nonce": "0" * 16}, "an answer that belongs to no request"),
        ({"names": []}, "an answer that belongs to no request"),
        ({"names": [], "failed": "x"}, r"its process failed \(x\)"),
    ],
    ids=["another number", "no number", "with a failure"],
)
def test_answer_in_advance_is_refused(
    sandbox: Sandbox, answer: dict[str, object], says: str
) -> None:
    """Without the static checks a reward can write to its channel, but not guess the next nonce."""
    body = f"""
import os, json, struct
if height[0] > 0:
    data = json.dumps({answer!r}).encode()
    os.write(3, struct.pack(">I", len(data)) + data)
"""
    reward = hostile(sandbox, body)
    assert reward({"height": torch.zeros(2)}).reward.tolist() == [0.0, 0.0]
    with pytest.raises(RewardRuntimeError, match=says):
        reward({"height": torch.ones(2)})


def test_answer_to_an_earlier_request_is_refused(sandbox: Sandbox) -> None:
    """A second answer to one request would be read as the answer to the next request."""
    body = """
import os, json, struct, sys
frame = sys._getframe()
while frame is not None and "request" not in frame.f_locals:
    frame = frame.f_back
data = json.dumps({"names": [], "nonce": frame.f_locals["request"]["nonce"]}).encode()
os.write(3, struct.pack(">I", len(data)) + data)
"""
    reward = hostile(sandbox, body)
    reward({"height": torch.zeros(2)})
    with pytest.raises(RewardRuntimeError, match="an answer that belongs to no request"):
        reward({"height": torch.ones(2)})


def test_processor_time_between_two_calls_is_charged_to_the_next(sandbox: Sandbox) -> None:
    """A reward sends its answer itself and keeps computing; the limit here is 1 s per call."""
    body = """
import os, json, struct, sys, time
frame = sys._getframe()
while frame is not None and "request" not in frame.f_locals:
    frame = frame.f_back
if frame.f_locals["request"]["rows"] == 3:
    data = json.dumps({"names": [], "nonce": frame.f_locals["request"]["nonce"]}).encode()
    os.write(3, struct.pack(">I", len(data)) + data)
    while True: pass
"""
    reward = hostile(sandbox, body)
    reward({"height": torch.zeros(2)})
    reward({"height": torch.zeros(3)})
    clock = ProcessorClock(reward.pid or 0)
    while clock.used_s < 1.2:  # it computes between the calls
        time.sleep(0.02)
        clock.charge()
    began = clock.used_s
    reward.submit({"height": torch.zeros(2)})
    with pytest.raises(RewardRuntimeError, match="more than 1 s of processor time"):
        reward.collect()
    assert began < 2.0


def test_processor_time_of_all_calls_is_known(sandbox: Sandbox) -> None:
    reward = honest(sandbox, HEIGHT)
    reward(state())
    first = reward.processor_s
    for _ in range(20):
        reward(state())
    assert 0.0 < first < reward.processor_s < 1.0
    reward.close()


# ------------------------------------------------------------------ below the full level
@pytest.fixture
def reduced() -> Iterator[Sandbox]:
    with Sandbox(required="reduced") as sandbox:
        yield sandbox


def test_trusted_process_and_helper_cannot_be_inspected_below_the_full_level(
    reduced: Sandbox,
) -> None:
    assert _dumpable() == 0
    with Sandbox(required="reduced"):
        pass
    assert _dumpable() == 0  # the other sandbox is still open
    # The kernel makes root the owner of the files of a process that may not be inspected.
    assert Path(f"/proc/{reduced.helper_pid}/environ").stat().st_uid == 0
    reduced.close()
    assert _dumpable() == 1


def test_trusted_process_can_be_inspected_at_the_full_level(sandbox: Sandbox) -> None:
    assert sandbox.level == "full"
    assert _dumpable() == 1


def test_reward_below_the_full_level_cannot_read_the_trusted_process(reduced: Sandbox) -> None:
    body = f"""
import os
try:
    os.open("/proc/{os.getpid()}/mem", os.O_RDONLY)
except OSError as error:
    raise ValueError(f"refused: {{error.errno}}")
"""
    reward = hostile(reduced, body)
    with pytest.raises(RewardRuntimeError, match=r"refused: (1|13)\b"):
        reward({"height": torch.zeros(2)})


def test_description_says_not_sealed_at_every_level_without_seccomp(reduced: Sandbox) -> None:
    layers = type(reduced.layers)(
        "reduced", ("no_new_privs", "rlimits"), {"seccomp": "missing"}, ("read a file",)
    )
    reduced.layers = layers
    assert reduced.describe().startswith(
        "NOT SEALED: code that gets past the static checks can read a file. Layers that hold: "
    )
    assert "sealed processes" not in reduced.describe()
