"""More than 500 answers through extraction and checks: none hangs, each has the right result."""

from __future__ import annotations

import time
from itertools import groupby
from pathlib import Path
from string import ascii_uppercase
from typing import Any

import pytest
import torch
from torch import Tensor

from eureka_agent.checks import check_source
from eureka_agent.errors import CheckError, ExtractionError
from eureka_agent.extract import extract
from eureka_agent.records import RewardSource
from tests.support.bad_replies import bad_replies
from tests.support.replies import Reply, good_replies
from tests.support.sandboxed import SPEC, state

BY_HAND = Path(__file__).parents[1] / "support" / "replies_by_hand"
MOST_S = 2.0
"""Processor time for one answer, however long."""

FAMILIES = {
    family: [*replies]
    for family, replies in groupby(
        [*good_replies(), *bad_replies()], key=lambda reply: reply.family
    )
}


def outcome(text: str) -> RewardSource | ExtractionError | CheckError:
    """Return the result of an answer, and check the time that it took."""
    started = time.process_time()
    try:
        return check_source(extract(text), SPEC)
    except (ExtractionError, CheckError) as error:
        return error
    finally:
        assert time.process_time() - started < MOST_S


def one_sentence(error: ExtractionError | CheckError) -> bool:
    """Whether a message is fit for a model: at most four findings, each one sentence."""
    message = str(error)
    short = len(message) < (400 if isinstance(error, ExtractionError) else 2_000)
    return (
        short
        and message.isprintable()
        and message.startswith(("compute_reward", *ascii_uppercase))
        and message.endswith((".", "?"))
    )


def computed(source: RewardSource, code: str = "") -> Tensor:
    """Return a reward's result on sample states; only for these tests' own sources."""
    namespace: dict[str, Any] = {}
    exec((code or source.code).replace("@torch.jit.script", ""), namespace)
    function = namespace["compute_reward"]
    assert callable(function)
    rows = state()
    given = {**rows, **{f"prev_{name}": 0.5 * row for name, row in rows.items()}, **SPEC.constants}
    reward, components = function(**{name: given[name] for name in source.parameters})
    assert len(components) > 0
    assert isinstance(reward, Tensor)
    return reward


def test_there_are_enough_and_they_are_always_the_same() -> None:
    assert sum(map(len, FAMILIES.values())) >= 500
    assert [*good_replies()][::17] == [*good_replies()][::17]
    assert [*good_replies(seed=1)][::17] != [*good_replies()][::17]


@pytest.mark.parametrize(
    "family",
    [
        pytest.param(name, marks=[pytest.mark.slow] if name == "a megabyte" else [])
        for name in FAMILIES
    ],
)
def test_every_kind_of_answer(family: str) -> None:
    for number, reply in enumerate(FAMILIES[family]):
        _check(reply, number)


def _check(reply: Reply, number: int) -> None:
    found = outcome(reply.text)
    kind = {RewardSource: "reward", ExtractionError: "extract", CheckError: "check"}[type(found)]
    assert kind == reply.expected, f"{reply.family} {number}: {found}\n{reply.text[:1500]}"
    if isinstance(found, RewardSource):
        assert torch.equal(computed(found), computed(found, reply.meant)), (
            f"{reply.family} {number}\n{found.code}"
        )
    else:
        assert one_sentence(found), f"{reply.family} {number}: {found!r}"
        assert reply.says in str(found), f"{reply.family} {number}: {found}"


@pytest.mark.parametrize("path", sorted(BY_HAND.glob("*.txt")), ids=lambda path: path.stem)
def test_answers_by_hand(path: Path) -> None:
    """The file's name begins with the expected result."""
    found = outcome(path.read_bytes().decode("utf-8", "replace"))
    kind = {RewardSource: "reward", ExtractionError: "extract", CheckError: "check"}[type(found)]
    assert kind == path.stem.split("-")[0], f"{found}"
    if not isinstance(found, RewardSource):
        assert one_sentence(found)
