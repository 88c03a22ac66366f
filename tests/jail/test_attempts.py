"""Every attempt to escape from the sandbox, with the static checks on and with only the layers.

After each attempt the tests check everything that was planted, the trusted process's own state,
another candidate and the fitness. The table of all attempts: `docs/sandbox_attempts.md`.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from eureka_agent.checks import check_source
from eureka_agent.errors import CheckError, RewardRuntimeError
from eureka_agent.jail import Sandbox, SandboxedReward
from eureka_agent.records import RewardSource
from tests.support.attempts import ATTEMPTS, LOOT, Attempt
from tests.support.attempts.table import table
from tests.support.canaries import Canaries
from tests.support.sandboxed import SECRET, SECRET_NAME, SPEC, children, honest, state
from tests.support.unprivileged import run_unprivileged

_REPOSITORY = Path(__file__).parents[2]
_each = pytest.mark.parametrize("attempt", ATTEMPTS, ids=[f"{a.kind}: {a.name}" for a in ATTEMPTS])


@pytest.fixture(scope="module")
def strict_sandbox() -> Iterator[Sandbox]:
    """A sandbox with short time limits, started by a process with a key in its environment."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(SECRET_NAME, SECRET)
        with Sandbox(first_call_s=0.5, call_s=0.3, memory_mib=512) as sandbox:
            yield sandbox


@pytest.fixture(scope="module")
def bystander(strict_sandbox: Sandbox) -> Iterator[SandboxedReward]:
    """Another candidate, which no attempt may affect."""
    reward = honest(
        strict_sandbox,
        "import torch\ndef compute_reward(height): return torch.exp(-height), {'h': height}",
    )
    yield reward
    reward.close()


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Canaries]:
    with Canaries(tmp_path_factory.mktemp("planted") / "folder") as planted:
        yield planted


@_each
def test_with_the_checks(
    attempt: Attempt, strict_sandbox: Sandbox, bystander: SandboxedReward, planted: Canaries
) -> None:
    code = attempt.source(planted.names)
    try:
        source = check_source(code, SPEC)
    except CheckError as error:
        refusal = str(error)
    else:
        refusal = ""
        _try(strict_sandbox.open(source, SPEC, max_rows=8), attempt.calls)
    assert SECRET not in refusal
    _demand_all_intact(strict_sandbox, bystander, planted)


@_each
def test_with_the_layers_alone(
    attempt: Attempt, strict_sandbox: Sandbox, bystander: SandboxedReward, planted: Canaries
) -> None:
    if attempt.machine not in ("", platform.machine()):
        pytest.skip(f"its system call numbers are those of {attempt.machine}")
    source = RewardSource(attempt.source(planted.names), ("height",))
    _try(strict_sandbox.open(source, SPEC, max_rows=8, _checked=False), attempt.calls)
    _demand_all_intact(strict_sandbox, bystander, planted)


def _try(reward: SandboxedReward, calls: int) -> None:
    """Call the reward; it may fail or answer, but must not have obtained anything."""
    given, kept, message = state(), state(), "-"
    try:
        for _ in range(calls):
            batch = reward(given)
            assert not (batch.reward == LOOT).any(), "it got hold of something"
            assert all(
                torch.isfinite(values).all()
                for values in (batch.reward, *batch.components.values())
            )
            assert batch.reward.shape == (8,)
    except RewardRuntimeError as error:
        message = str(error)
    finally:
        reward.close()
    assert SECRET not in message
    assert message.isprintable()
    assert len(message) < 1000
    assert all(torch.equal(given[name], kept[name]) for name in kept)


def _demand_all_intact(sandbox: Sandbox, bystander: SandboxedReward, planted: Canaries) -> None:
    planted.demand_intact()
    assert children(sandbox.helper_pid) == [bystander.pid]
    rows = state()
    torch.testing.assert_close(bystander(rows).reward, torch.exp(-rows["height"]))
    assert _fitness() == pytest.approx(2.0)


def _fitness() -> float:
    """Replace a task's fitness, computed here: the mean of 1, 2 and 3."""
    return float(torch.tensor([1.0, 2.0, 3.0]).mean())


def test_there_are_enough_attempts_and_no_name_twice() -> None:
    names = [(attempt.kind, attempt.name) for attempt in ATTEMPTS]
    assert len(set(names)) == len(names) >= 80


def test_table_in_the_docs_is_current() -> None:
    written = (_REPOSITORY / "docs" / "sandbox_attempts.md").read_text(encoding="utf-8")
    assert written == table(), "write it again: python -m tests.support.attempts.table"


_WHO = (
    "import os; print(os.getuid(), [x for x in open('/proc/self/status') if"
    " x.startswith('CapEff')][0].split()[1])"
)


@pytest.mark.slow
@pytest.mark.skipif(os.getuid() != 0, reason="the tests above ran as an unprivileged user already")
def test_all_of_it_as_an_unprivileged_user() -> None:
    who = run_unprivileged(["-c", _WHO], _REPOSITORY)
    if who.skip:
        pytest.skip(who.skip)
    assert who.output.split() == ["65534", "0" * 16]
    arguments = ["-m", "pytest", "-q", "-p", "no:cacheprovider", __file__, "-k", "with_the_layers"]
    outcome = run_unprivileged(arguments, _REPOSITORY)
    assert outcome.code == 0, outcome.output[-4000:]
    assert " passed" in outcome.output
