"""Completions that fail the checks are sent back: prompts, records, limits and kills."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import eureka_agent as ea
from eureka_agent.errors import UsageError
from eureka_agent.jail import Sandbox
from eureka_agent.proposers.scripted import ScriptedProposer
from eureka_agent.records import Completion, Prompt
from eureka_agent.runs.directory import RunDir
from eureka_agent.runs.store import Store
from eureka_agent.search.events import Event, RepairRequested, RunFinished
from tests.support.openai_server import ChatServer, completion, error
from tests.support.rewards import EMPTY, NO_CODE, TRACEBACK, UNKNOWN_NAME, WRONG_SHAPE, upright
from tests.support.runs import StoppedError, comparable, config

ANSWERS = {
    0: [[upright(0.1)], [TRACEBACK, upright(0.2)], [UNKNOWN_NAME, NO_CODE, upright(0.3)]],
    1: [[WRONG_SHAPE, WRONG_SHAPE, EMPTY, upright(0.4)], [upright(0.5)], [TRACEBACK, upright(0.5)]],
}
"""By generation and sample: the first answer, and the answers after it is sent back."""


def scripted() -> ScriptedProposer:
    return ScriptedProposer(lambda prompt, index: ANSWERS[prompt.generation][index][prompt.repair])


def opened(path: Path) -> Store:
    return Store.open(RunDir(path).database, writable=False)


def test_an_answer_that_fails_is_sent_back_with_the_reason(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    proposer, events = scripted(), list[Event]()
    result = ea.synthesize(
        config(tmp_path, repairs=2), proposer=proposer, listener=events.append, sandbox=sandbox
    )

    fates = {
        o.candidate.name: (o.candidate.completion.repair, bool(o.failure), o.duplicate_of)
        for o in result.outcomes
    }
    assert fates == {
        "g0c0": (0, False, None),
        "g0c1": (1, False, None),
        "g0c2": (2, False, None),
        "g1c0": (2, True, None),  # two repairs, and no third
        "g1c1": (0, False, None),
        "g1c2": (1, False, "g1c1"),  # a repaired answer can be a duplicate, too
    }
    second = next(
        prompt for prompt in proposer.prompts if (prompt.generation, prompt.repair) == (0, 2)
    )
    assert [message.role for message in second.messages] == ["system", "user", "assistant", "user"]
    assert second.messages[:2] == proposer.prompts[0].messages
    assert second.messages[2].content == NO_CODE
    assert "no code was found: The answer holds no Python function" in second.messages[3].content
    last = next(
        prompt for prompt in proposer.prompts if (prompt.generation, prompt.repair) == (1, 1)
    )
    assert "Your answer failed: broke its contract on sample states:" in last.messages[-1].content
    sent = [event.outcome.candidate.name for event in events if isinstance(event, RepairRequested)]
    assert sent == ["g0c1", "g0c2", "g0c2", "g1c0", "g1c2", "g1c0"]

    with opened(result.path) as store:
        assert [answer.text for answer in store.replaced(0)] == [TRACEBACK, UNKNOWN_NAME, NO_CODE]
        assert store.completions(0)[2].text == upright(0.3)
        sent_back = [asked for asked in store.prompts() if asked.repair]
    assert [(a.generation, a.samples, a.repair) for a in sent_back] == [
        (0, (1,), 1), (0, (2,), 1), (0, (2,), 2), (1, (0,), 1), (1, (2,), 1), (1, (0,), 2),
    ]  # fmt: skip
    assert sent_back[2].messages == second.messages
    assert sent_back[3].parents == sent_back[4].parents != ()
    assert second.messages[3].content in (result.path / "prompts" / "g0c2_repair_2.md").read_text()
    assert (result.path / "completions" / "g0c2.md").read_text() == upright(0.3)


def test_without_repairs_the_first_answer_counts(tmp_path: Path, sandbox: Sandbox) -> None:
    proposer = scripted()
    result = ea.synthesize(config(tmp_path, generations=1), proposer=proposer, sandbox=sandbox)
    assert [bool(outcome.failure) for outcome in result.outcomes] == [False, True, True]
    assert len(proposer.asked) == 3


CUTS = [
    ("RepairRequested", 2),
    ("RepairRequested", 5),
    ("CompletionReceived", 4),
    ("CompletionReceived", 6),
    ("CandidateSkipped", 1),
    ("TrainingStarted", 2),
]


@pytest.mark.parametrize(("moment", "count"), CUTS)
def test_a_run_stopped_amid_repairs_ends_the_same(
    tmp_path: Path, sandbox: Sandbox, whole: Path, moment: str, count: int
) -> None:
    def stop(event: Event) -> None:
        nonlocal count
        count -= type(event).__name__ == moment
        if count == 0:
            raise StoppedError

    first, second = scripted(), scripted()
    cut = config(tmp_path, repairs=2, run_name="cut")
    with pytest.raises(StoppedError):
        ea.synthesize(cut, proposer=first, listener=stop, sandbox=sandbox)
    ea.resume(tmp_path / "cut", proposer=second, sandbox=sandbox)
    assert (
        len(first.asked) + len(second.asked) == 3 + 3 + 3 + 3
    )  # nothing is asked twice: six answers, six repairs
    with opened(tmp_path / "cut") as a, opened(whole) as b:
        assert comparable(tuple(a.outcomes())) == comparable(tuple(b.outcomes()))
        assert a.prompts() == b.prompts()
        assert by_text(a.replaced()) == by_text(b.replaced())


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, sandbox: Sandbox) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    return ea.synthesize(config(folder, repairs=2), proposer=scripted(), sandbox=sandbox).path


def by_text(answers: list[Completion]) -> list[tuple[int, int, str]]:
    return sorted((answer.index, answer.repair, answer.text) for answer in answers)


def test_an_empty_last_repair_does_not_count_as_a_silent_model(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    """If all answers of a generation are empty the run stops and asks again; after a repair it does
    not."""

    def answer(prompt: Prompt, index: int) -> str:
        return EMPTY if prompt.repair else TRACEBACK

    def stop(event: Event) -> None:
        if type(event).__name__ == "CandidateSkipped":
            raise StoppedError

    proposer, again = ScriptedProposer(answer), ScriptedProposer(answer)
    only = config(tmp_path, generations=1, samples=1, attempts=1, repairs=1)
    with pytest.raises(StoppedError):
        ea.synthesize(only, proposer=proposer, listener=stop, sandbox=sandbox)
    result = ea.resume(tmp_path / "run", proposer=again, sandbox=sandbox)
    assert (len(proposer.asked), again.asked) == (2, [])
    assert [o.failure.stage if o.failure else "" for o in result.outcomes] == ["extract"]


# ---------------------------------------------------------------- with a server
USAGE = {"prompt_tokens": 600, "completion_tokens": 400, "total_tokens": 1000}


def asking(tmp_path: Path, server: ChatServer, **changes: Any) -> ea.SynthesisConfig:
    settings: dict[str, Any] = {
        "model": "test-model",
        "base_url": server.base_url,
        "answer_tokens": 1000,
        "generations": 1,
        "samples": 2,
        "repairs": 3,
        "attempts": 1,
    }
    return config(tmp_path, **(settings | changes))


def answering(server: ChatServer, reply: Callable[[list[dict[str, str]]], str]) -> None:
    server.default = lambda request: completion(reply(request["messages"]), usage=USAGE)


def is_repair(messages: list[dict[str, str]]) -> bool:
    return messages[-1]["content"].startswith("Your answer failed")


def test_repairs_are_counted_and_priced(
    tmp_path: Path, chat_server: ChatServer, sandbox: Sandbox
) -> None:
    answering(
        chat_server,
        lambda messages: (
            upright(0.1 * len(chat_server.requests)) if is_repair(messages) else TRACEBACK
        ),
    )
    events = list[Event]()
    priced = asking(tmp_path, chat_server, price=(1.0, 10.0))
    result = ea.synthesize(priced, listener=events.append, sandbox=sandbox)
    assert len(chat_server.requests) == 4
    assert all(outcome.evaluation for outcome in result.outcomes)
    roles = [message["role"] for message in chat_server.requests[-1]["messages"]]
    assert roles == ["system", "user", "assistant", "user"]
    # 600 tokens at 1 USD and 400 at 10 USD per million are 0.0046 USD
    assert json.loads((result.path / "summary.json").read_text())["cost_usd"] == pytest.approx(
        4 * 0.0046
    )
    finished = events[-1]
    assert isinstance(finished, RunFinished)
    assert len(finished.replaced) == 2


def test_a_limit_ends_the_repairs_and_the_run(
    tmp_path: Path, chat_server: ChatServer, sandbox: Sandbox
) -> None:
    """Two answers and some repairs fit into the limit; the candidates keep their last failures."""
    answering(chat_server, lambda messages: TRACEBACK)
    result = ea.synthesize(
        asking(tmp_path, chat_server, repairs=50, max_tokens=40_000), sandbox=sandbox
    )
    assert 2 < len(chat_server.requests) < 40
    assert [outcome.failure is None for outcome in result.outcomes] == [False, False]
    assert "--max-tokens" in json.loads((result.path / "summary.json").read_text())["stopped"]
    asked = len(chat_server.requests)
    ea.resume(result.path, sandbox=sandbox)
    assert len(chat_server.requests) == asked


def test_a_repair_that_exceeds_the_context_is_skipped(
    tmp_path: Path, chat_server: ChatServer, sandbox: Sandbox
) -> None:
    def reply(request: dict[str, Any]) -> Any:
        if is_repair(request["messages"]):
            return error(400, "too long", code="context_length_exceeded")
        return completion(TRACEBACK if len(chat_server.requests) == 1 else upright(0.1))

    chat_server.default = reply
    result = ea.synthesize(asking(tmp_path, chat_server), sandbox=sandbox)
    assert sorted(bool(outcome.failure) for outcome in result.outcomes) == [False, True]
    assert len(chat_server.requests) == 3


# ---------------------------------------------------------------- attempts
@pytest.mark.parametrize("attempts", [1, 2])
def test_a_failing_generation_is_asked_for_attempts_times(
    tmp_path: Path, sandbox: Sandbox, attempts: int
) -> None:
    proposer = ScriptedProposer(lambda prompt, index: UNKNOWN_NAME)
    result = ea.synthesize(
        config(tmp_path, generations=1, attempts=attempts), proposer=proposer, sandbox=sandbox
    )
    assert len(result.outcomes) == len(proposer.asked) == 3 * attempts


def test_negative_repairs_and_zero_attempts_are_refused() -> None:
    with pytest.raises(UsageError, match="attempts must be at least 1, got 0"):
        ea.SynthesisConfig.of(task="cartpole", attempts=0)
    with pytest.raises(UsageError, match=r"--repairs must be 0 .* or more, got -1"):
        ea.SynthesisConfig.of(task="cartpole", repairs=-1)
