"""Model errors show before anything trains, and a resume with other settings continues the run."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest

import eureka_agent as ea
from eureka_agent import errors
from eureka_agent.api.preparation import longest_first_prompt
from eureka_agent.jail import Sandbox
from eureka_agent.proposers import chat
from eureka_agent.proposers.retries import Retries
from eureka_agent.proposers.spending import Usage
from eureka_agent.report.announcements import proposer_line
from eureka_agent.runs.directory import RunDir
from eureka_agent.runs.store import Store
from eureka_agent.search.events import (
    BaselinesMeasured,
    Event,
    GenerationStarted,
    RequestRetried,
    RequestsAdapted,
    RunStarted,
    TrainingStarted,
)
from eureka_agent.tasks.registry import load_task
from eureka_agent.utils.serialization import from_json
from tests.support.openai_server import ChatServer, Reply, completion, error
from tests.support.rewards import upright
from tests.support.runs import StoppedError

USAGE = {"prompt_tokens": 600, "completion_tokens": 400, "total_tokens": 1000}
UNKNOWN = error(404, "no", code="model_not_found")


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.setattr(chat, "Retries", partial(Retries, base_s=0.01))


def config(tmp_path: Path, server: ChatServer, **changes: Any) -> ea.SynthesisConfig:
    settings: dict[str, Any] = {
        "task": "cartpole",
        "budget": "quick",
        "model": "gtp-5",
        "base_url": server.base_url,
        "generations": 1,
        "samples": 2,
        "seeds": 1,
        "num_envs": 8,
        "environment_steps": 512,
        "repairs": 0,
        "runs_dir": tmp_path,
        "run_name": "run",
    }
    return ea.SynthesisConfig.of(**(settings | changes))


def knows(server: ChatServer, *names: str) -> None:
    """Give the server these models; every answer is another valid reward of 600 + 400 tokens."""

    def answer(request: dict[str, Any]) -> Reply:
        known = request["model"] in names
        return completion(upright(0.01 * len(server.requests)), usage=USAGE) if known else UNKNOWN

    server.default = answer


def trained(events: list[Event]) -> list[tuple[str, ...]]:
    return [event.names for event in events if isinstance(event, TrainingStarted)]


def spent(path: Path) -> Usage:
    with Store.open(RunDir(path).database, writable=False) as store:
        return from_json(Usage, store.metadata("spending") or "")


# ---------------------------------------------------------------- before anything trains
def test_a_mistyped_model_fails_before_the_baselines_and_resume_takes_another(
    tmp_path: Path, chat_server: ChatServer, sandbox: Sandbox
) -> None:
    knows(chat_server, "gpt-5")
    events: list[Event] = []
    with pytest.raises(errors.UnknownModelError, match="no model 'gtp-5'"):
        ea.synthesize(config(tmp_path, chat_server), listener=events.append, sandbox=sandbox)
    assert trained(events) == []
    assert spent(tmp_path / "run") == Usage()

    asked = len(chat_server.requests)
    result = ea.resume(
        tmp_path / "run",
        changes=ea.Changes(model=("gpt-5",)),
        listener=events.append,
        sandbox=sandbox,
    )
    assert result.best is not None
    assert {baseline.name for baseline in result.baselines} == {"human", "sparse", "random"}
    assert [request["model"] for request in chat_server.requests[asked:]] == ["gpt-5"] * 2
    assert trained(events) == [("human reward", "sparse reward"), ("g0c0", "g0c1")]
    assert spent(tmp_path / "run") == Usage(2000)
    started = [event for event in events if isinstance(event, RunStarted)][-1]
    assert started.config.models.model == ("gpt-5",)
    announced = proposer_line(started.proposer, started.changes)
    assert "Changed since the start: --model from gtp-5 to gpt-5 on " in announced
    with Store.open(RunDir(tmp_path / "run").database, writable=False) as store:
        assert [(c.name, c.before, c.after) for c in store.changes] == [
            ("model", '["gtp-5"]', '["gpt-5"]')
        ]


def test_the_first_generation_is_asked_for_once_and_before_the_baselines(
    tmp_path: Path, chat_server: ChatServer, sandbox: Sandbox
) -> None:
    """Also in a run that is stopped while the baselines train."""
    knows(chat_server, "gpt-5")
    events: list[Event] = []

    def stop(event: Event) -> None:
        events.append(event)
        if isinstance(event, TrainingStarted):
            raise StoppedError

    with pytest.raises(StoppedError):
        ea.synthesize(config(tmp_path, chat_server, model="gpt-5"), listener=stop, sandbox=sandbox)
    assert len(chat_server.requests) == 2
    assert sum(isinstance(event, GenerationStarted) for event in events) == 1
    result = ea.resume(tmp_path / "run", listener=events.append, sandbox=sandbox)
    assert len(chat_server.requests) == 2
    assert len(result.outcomes) == 2
    assert all(outcome.evaluation for outcome in result.outcomes)
    assert sum(isinstance(event, BaselinesMeasured) for event in events) == 1


@pytest.mark.parametrize("reply", [UNKNOWN, error(401, "bad key"), error(503, "no server")])
def test_the_model_is_tested_before_the_initial_reward_trains(
    tmp_path: Path, chat_server: ChatServer, sandbox: Sandbox, reply: Reply
) -> None:
    chat_server.default = reply
    events: list[Event] = []
    settings = config(tmp_path, chat_server, initial_reward="human", samples=1)
    with pytest.raises(errors.ProposerError):
        ea.synthesize(settings, listener=events.append, sandbox=sandbox)
    assert trained(events) == []
    assert spent(tmp_path / "run") == Usage()

    knows(chat_server, "gtp-5")
    before = len(chat_server.requests)
    ea.resume(tmp_path / "run", sandbox=sandbox)
    short, whole = chat_server.requests[before:]
    assert (short["max_tokens"], short["messages"]) == (
        16,
        [{"role": "user", "content": "Say yes."}],
    )
    assert len(whole["messages"][-1]["content"]) > 1000
    assert spent(tmp_path / "run") == Usage(2000)  # both answers count
    ea.resume(tmp_path / "run", sandbox=sandbox)
    assert len(chat_server.requests) == before + 2


def test_a_model_without_first_samples_is_tested_too(
    tmp_path: Path, chat_server: ChatServer, sandbox: Sandbox
) -> None:
    knows(chat_server, "gpt-5")
    events: list[Event] = []
    settings = config(tmp_path, chat_server, model=("gpt-5=1", "typo=0.000001"), generations=2)
    with pytest.raises(errors.UnknownModelError, match="no model 'typo'"):
        ea.synthesize(settings, listener=events.append, sandbox=sandbox)
    assert trained(events) == []
    assert spent(tmp_path / "run") == Usage(2000)
    result = ea.resume(tmp_path / "run", changes=ea.Changes(model=("gpt-5",)), sandbox=sandbox)
    assert len(result.outcomes) == 4
    assert [request["model"] for request in chat_server.requests] == [
        "gpt-5",
        "gpt-5",
        "typo",
        "gpt-5",
        "gpt-5",
    ]


def test_retries_are_events_of_the_run(
    tmp_path: Path, chat_server: ChatServer, sandbox: Sandbox
) -> None:
    knows(chat_server, "gpt-5")
    chat_server.order([error(503, "overloaded")])
    events: list[Event] = []
    settings = config(tmp_path, chat_server, model="gpt-5", baselines=False, concurrency=1)
    ea.synthesize(settings, listener=events.append, sandbox=sandbox)
    (told,) = [event for event in events if isinstance(event, RequestRetried)]
    assert (told.sample, told.attempt, told.of) == ("g0c0", 2, 7)
    assert "overloaded" in told.reason


# ---------------------------------------------------------------- what a resume changes
def finished(tmp_path: Path, server: ChatServer, sandbox: Sandbox, **changes: Any) -> Path:
    knows(server, "gpt-5")
    settings = config(tmp_path, server, **({"model": "gpt-5", "baselines": False} | changes))
    return ea.synthesize(settings, sandbox=sandbox).path


def test_a_finished_run_continues_with_more_generations(
    tmp_path: Path, chat_server: ChatServer, sandbox: Sandbox
) -> None:
    run = finished(tmp_path, chat_server, sandbox)

    def stop(event: Event) -> None:
        if isinstance(event, TrainingStarted):
            raise StoppedError

    with pytest.raises(StoppedError):
        ea.resume(run, changes=ea.Changes(generations=3), listener=stop, sandbox=sandbox)
    with Store.open(RunDir(run).database, writable=False) as store:
        assert not store.finished
    result = ea.resume(run, sandbox=sandbox)  # the change is part of the run
    assert [outcome.candidate.name for outcome in result.outcomes] == [
        "g0c0",
        "g0c1",
        "g1c0",
        "g1c1",
        "g2c0",
        "g2c1",
    ]
    assert len(chat_server.requests) == 6
    with Store.open(RunDir(run).database, writable=False) as store:
        assert store.finished


def test_a_limit_that_ended_a_run_can_be_raised(
    tmp_path: Path, chat_server: ChatServer, sandbox: Sandbox
) -> None:
    first = longest_first_prompt(config(tmp_path, chat_server), load_task("cartpole"))
    worst = sum(len(message.content.encode()) + 16 for message in first.messages) + 16 + 1000
    # The second generation's prompts are longer, and 2,000 tokens were spent before.
    run = finished(
        tmp_path, chat_server, sandbox, generations=2, answer_tokens=1000, max_tokens=2000 + worst
    )
    asked = len(chat_server.requests)
    with Store.open(RunDir(run).database, writable=False) as store:
        assert "leaves no room" in (store.stopped or "")
    result = ea.resume(run, changes=ea.Changes(max_tokens=1_000_000), sandbox=sandbox)
    assert asked == 2
    assert len(chat_server.requests) == 4
    assert len(result.outcomes) == 4
    assert spent(run) == Usage(4000)
    with Store.open(RunDir(run).database, writable=False) as store:
        assert store.stopped is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"generations": 1}, "--generations 1 is less than the 2 that the run has started"),
        ({"concurrency": 0}, "--concurrency must be at least 1"),
        ({"request_timeout_s": -1.0}, "--request-timeout-s must be above 0"),
        ({"answer_tokens": 0}, "--answer-tokens must be at least 1"),
        ({"max_cost_usd": 5.0}, "give it with --price"),
        ({"base_url": "localhost"}, "--base-url must start with http"),
        ({"extra_body": "x"}, "--extra-body must be a JSON object"),
    ],
)
def test_invalid_changes_change_nothing(
    tmp_path: Path, chat_server: ChatServer, sandbox: Sandbox, changes: dict[str, Any], message: str
) -> None:
    run = finished(tmp_path, chat_server, sandbox, generations=2)
    with pytest.raises(errors.UsageError, match=message):
        ea.resume(run, changes=ea.Changes(**changes), sandbox=sandbox)
    with Store.open(RunDir(run).database, writable=False) as store:
        assert store.changes == ()
        assert store.finished


def test_generations_cannot_be_raised_after_the_final_trainings(
    tmp_path: Path, chat_server: ChatServer, sandbox: Sandbox
) -> None:
    run = finished(tmp_path, chat_server, sandbox, final_seeds=1, samples=1)
    with pytest.raises(errors.UsageError, match="already trained with the final seeds"):
        ea.resume(run, changes=ea.Changes(generations=2), sandbox=sandbox)


def test_the_server_profile_is_kept_when_the_run_is_resumed(
    tmp_path: Path, chat_server: ChatServer, sandbox: Sandbox
) -> None:
    """No system message, and a context of 8k: two requests are refused before one is answered, and
    none after that."""

    def picky(request: dict[str, Any]) -> Reply:
        if any(message["role"] == "system" for message in request["messages"]):
            return error(400, "System role not supported")
        if request["max_tokens"] > 6192:
            return error(
                400, "maximum context length is 8192 tokens, and your request has 2000 input tokens"
            )
        return completion(upright(0.01 * len(chat_server.requests)), usage=USAGE)

    def stop(event: Event) -> None:
        events.append(event)
        if isinstance(event, TrainingStarted):
            raise StoppedError

    chat_server.default = picky
    events: list[Event] = []
    settings = config(
        tmp_path, chat_server, model="gpt-5", generations=2, max_tokens=1_000_000, concurrency=1
    )
    with pytest.raises(StoppedError):
        ea.synthesize(settings, listener=stop, sandbox=sandbox)
    assert len(chat_server.requests) == 2 + 2
    system, limit = [each.what for each in events if isinstance(each, RequestsAdapted)]
    assert "takes no system message" in system
    assert "has no room for answers of 16,384 tokens: the limit is 6,160 tokens" in limit
    ea.resume(tmp_path / "run", sandbox=sandbox)
    assert len(chat_server.requests) == 4 + 2
    assert spent(tmp_path / "run") == Usage(4000)


# ---------------------------------------------------------------- the address is part of the run
def test_the_address_of_the_environment_becomes_the_runs(
    tmp_path: Path, chat_server: ChatServer, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    knows(chat_server, "gpt-5")
    events: list[Event] = []
    monkeypatch.setenv("OPENAI_BASE_URL", chat_server.base_url)
    settings = config(tmp_path, chat_server, model="gpt-5", base_url=None, baselines=False)
    ea.synthesize(settings, listener=events.append, sandbox=sandbox)
    (started,) = [event for event in events if isinstance(event, RunStarted)]
    assert [model.server for model in started.proposer.models] == [chat_server.base_url]
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    ea.resume(tmp_path / "run", changes=ea.Changes(generations=2), sandbox=sandbox)
    assert len(chat_server.requests) == 4


def test_a_run_that_named_no_address_is_not_sent_to_the_environments(
    tmp_path: Path, chat_server: ChatServer, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = RunDir.create(tmp_path, "cartpole", "run")
    settings = config(tmp_path, chat_server, model="gpt-5", base_url=None, baselines=False)
    with Store.create(folder.database, settings):
        pass
    knows(chat_server, "gpt-5")
    monkeypatch.setenv("OPENAI_BASE_URL", chat_server.base_url)
    with pytest.raises(
        errors.UsageError,
        match=r"started without a server's address, but OPENAI_BASE_URL names one",
    ):
        ea.resume(folder.path, sandbox=sandbox)
    assert not chat_server.requests
    ea.resume(folder.path, changes=ea.Changes(base_url=chat_server.base_url), sandbox=sandbox)
    assert len(chat_server.requests) == 2
    with Store.open(folder.database, writable=False) as store:
        assert store.task.name == "cartpole"  # it was not stored before
