"""The loop with a real HTTP server of chat completions that fails once."""

from __future__ import annotations

import itertools
import json
import random
import textwrap
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import eureka_agent as ea
from eureka_agent.api.preparation import longest_first_prompt
from eureka_agent.errors import AuthenticationError, FilteredError, UsageError
from eureka_agent.jail import Sandbox
from eureka_agent.proposers import chat
from eureka_agent.proposers.prices import Price
from eureka_agent.proposers.retries import Retries
from eureka_agent.proposers.spending import Usage
from eureka_agent.report.announcements import proposer_line
from eureka_agent.report.messages import stopped_early
from eureka_agent.runs.directory import RunDir
from eureka_agent.runs.store import Store
from eureka_agent.search.events import CompletionReceived, Event, RunFinished, RunStarted
from eureka_agent.tasks.registry import load_task
from eureka_agent.utils.serialization import from_json
from tests.support.billing_server import BillingServer
from tests.support.openai_server import ChatServer, Reply, completion, error
from tests.support.rewards import TRACEBACK, upright
from tests.support.runs import StoppedError

USAGE = {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150}


def code(weight: float) -> str:
    """Return the source of a valid reward."""
    return upright(weight).split("```python\n")[1].split("```")[0]


def test_two_generations_over_http(
    tmp_path: Path, chat_server: ChatServer, sandbox: Sandbox
) -> None:
    """Six code fences of the usual forms, one error that is retried, one failure that the next
    generation fixes."""
    forms = [
        f"Here it is:\n```python\n{code(0.1)}```\nDone.",
        f"```\n{code(0.2)}\n```",
        f"~~~py\n{code(0.3)}~~~",
        code(0.4),
        f"Cut short:\n```python\n{code(0.5)}",
        f"1. First the idea.\n\n{textwrap.indent(f'```python{chr(10)}{code(0.6)}```', '   ')}",
        f"```python\nprint('an example')\n```\nand now the function\n```Python\r\n{code(0.7)}```".replace(
            "\n", "\r\n"
        ),
        TRACEBACK,
    ]
    chat_server.order([error(500), *(completion(form, usage=USAGE, delay_s=0.3) for form in forms)])

    def repaired(request: dict[str, Any]) -> Reply:
        prompt = request["messages"][-1]["content"]
        assert "IndexError" in prompt, "the traceback of the candidate that failed is in the prompt"
        return completion(upright(0.01 * len(chat_server.requests)), usage=USAGE)

    chat_server.default = repaired
    events: list[Event] = []
    config = ea.SynthesisConfig.of(
        task="cartpole",
        budget="quick",
        model="test-model",
        base_url=chat_server.base_url,
        generations=2,
        samples=8,
        repairs=0,
        num_envs=8,
        environment_steps=512,
        baselines=False,
        runs_dir=tmp_path,
    )
    result = ea.synthesize(config, listener=events.append, sandbox=sandbox)

    assert chat_server.max_in_flight >= 7  # the one that is retried may come after the others
    assert len(chat_server.requests) == 8 + 1 + 8  # one was answered with 500 and sent again
    first, second = result.outcomes[:8], result.outcomes[8:]
    failed = [outcome for outcome in first if outcome.failure]
    assert len(failed) == 1
    assert failed[0].failure is not None
    assert "IndexError" in failed[0].failure.message
    assert "line 6" in failed[0].failure.message
    assert all(outcome.evaluation for outcome in second)
    assert all(o.candidate.completion.prompt_tokens == 100 for o in result.outcomes)
    assert all(
        o.candidate.completion.cost_usd is None for o in result.outcomes
    )  # unknown is not free
    started = next(event for event in events if isinstance(event, RunStarted))
    assert [model.name for model in started.proposer.models] == ["test-model"]
    assert chat_server.requests[0]["messages"][0]["role"] == "system"


def test_a_failing_server_stops_the_run_and_resume_continues(
    tmp_path: Path, chat_server: ChatServer, sandbox: Sandbox
) -> None:
    chat_server.order([completion(upright(0.1))])
    chat_server.default = error(401, "bad key")
    config = ea.SynthesisConfig.of(
        task="cartpole",
        model="test-model",
        base_url=chat_server.base_url,
        generations=1,
        samples=2,
        num_envs=8,
        environment_steps=512,
        baselines=False,
        runs_dir=tmp_path,
        run_name="run",
    )
    with pytest.raises(AuthenticationError, match="key") as refused:
        ea.synthesize(config, sandbox=sandbox)
    assert refused.value.exit_code == 2
    asked = len(chat_server.requests)
    chat_server.default = completion(upright(0.2))
    result = ea.resume(tmp_path / "run", sandbox=sandbox)
    assert len(chat_server.requests) == asked + 1
    assert all(outcome.evaluation for outcome in result.outcomes)


def test_a_refused_prompt_costs_one_sample(
    tmp_path: Path, chat_server: ChatServer, sandbox: Sandbox
) -> None:
    """The first request is refused: as the only one left of its generation, after a stop, and among
    others."""

    def refusing(request: dict[str, Any]) -> Reply:
        if len(chat_server.requests) in (1, 3):
            return error(400, "no", code="content_filter")
        return completion(upright(0.01 * len(chat_server.requests)))

    def stop(event: Event) -> None:
        if isinstance(event, CompletionReceived):
            raise StoppedError

    chat_server.default = refusing
    config = limited(tmp_path, chat_server, generations=1, concurrency=1, repairs=1)
    with pytest.raises(StoppedError):
        ea.synthesize(config, listener=stop, sandbox=sandbox)
    # Refused, answered, stopped before the refusal was stored; asked once more, and then never
    # again.
    result = ea.resume(tmp_path / "run", sandbox=sandbox)
    assert len(chat_server.requests) == 3
    failure = result.outcomes[0].failure
    assert failure is not None
    assert (
        failure.message
        == f"The content filter of 'test-model' at {chat_server.base_url} refused the prompt (no)."
    )
    assert result.outcomes[1].evaluation is not None
    ea.resume(tmp_path / "run", sandbox=sandbox)
    assert len(chat_server.requests) == 3


def test_a_run_ends_if_all_prompts_are_refused(
    tmp_path: Path, chat_server: ChatServer, sandbox: Sandbox
) -> None:
    chat_server.default = error(400, "no", code="content_filter")
    with pytest.raises(FilteredError):
        ea.synthesize(limited(tmp_path, chat_server), sandbox=sandbox)
    answering(chat_server)
    assert ea.resume(tmp_path / "run", sandbox=sandbox).best is not None


@pytest.mark.parametrize(("repairs", "attempts"), [(1, 1), (0, 2)])
def test_a_model_is_told_that_its_answer_was_cut_off(
    tmp_path: Path, chat_server: ChatServer, sandbox: Sandbox, repairs: int, attempts: int
) -> None:
    """In the repair prompt, and if all fail in the prompt of the next attempt."""
    cut = completion("```python\n" + code(0.1)[:-20], finish_reason="length")
    chat_server.order([cut, cut])
    chat_server.default = completion(upright(0.1))
    ea.synthesize(
        limited(tmp_path, chat_server, generations=1, repairs=repairs, attempts=attempts),
        sandbox=sandbox,
    )
    told = chat_server.requests[-1]["messages"][-1]["content"]
    assert (
        ": The answer was cut off at the token limit and has to be shorter, thoughts included. The"
        " code " in told
    )
    assert "cut off" not in chat_server.requests[0]["messages"][-1]["content"]


# ---------------------------------------------------------------- limits
def limited(tmp_path: Path, server: ChatServer, **changes: Any) -> ea.SynthesisConfig:
    settings: dict[str, Any] = {
        "task": "cartpole",
        "budget": "quick",
        "model": "test-model",
        "base_url": server.base_url,
        "generations": 3,
        "samples": 2,
        "num_envs": 8,
        "environment_steps": 512,
        "baselines": False,
        "answer_tokens": 1000,
        "repairs": 0,
        "runs_dir": tmp_path,
        "run_name": "run",
    }
    return ea.SynthesisConfig.of(**(settings | changes))


def first_request_bytes(tmp_path: Path, server: ChatServer) -> int:
    """Return the largest size of a first request, which a reservation counts as tokens."""
    first = longest_first_prompt(limited(tmp_path, server), load_task("cartpole"))
    return sum(len(message.content.encode()) + 16 for message in first.messages) + 16


def answering(server: ChatServer) -> None:
    """Answer every request with another valid reward of 600 + 400 tokens."""
    usage = {"prompt_tokens": 600, "completion_tokens": 400, "total_tokens": 1000}
    server.default = lambda request: completion(upright(0.01 * len(server.requests)), usage=usage)


def test_a_limit_ends_a_run_with_its_best_and_resume_counts_what_was_spent(
    tmp_path: Path, chat_server: ChatServer, sandbox: Sandbox
) -> None:
    answering(chat_server)
    limit = first_request_bytes(tmp_path, chat_server) + 4000
    # A request takes 1000 tokens in the end, but one more may only be sent while its worst case
    # fits in.
    config = limited(tmp_path, chat_server, max_tokens=limit)
    events: list[Event] = []
    result = ea.synthesize(config, listener=events.append, sandbox=sandbox)
    finished = events[-1]
    assert isinstance(finished, RunFinished)
    assert result.best is not None
    assert (result.path / "best_reward.py").exists()
    assert finished.stopped is not None
    assert f"--max-tokens {limit} leaves no room for another request" in finished.stopped
    assert json.loads((result.path / "summary.json").read_text())["stopped"] == finished.stopped
    with Store.open(RunDir(result.path).database) as store:
        spent = from_json(Usage, store.metadata("spending") or "")
        assert store.stopped == finished.stopped
    assert spent == Usage(1000 * len(chat_server.requests))
    assert spent.tokens <= limit

    asked = len(chat_server.requests)
    again = ea.resume(result.path, sandbox=sandbox)
    assert len(chat_server.requests) == asked
    assert len(again.outcomes) == len(result.outcomes)


def test_answers_from_before_the_limit_are_still_evaluated(
    tmp_path: Path, chat_server: ChatServer, sandbox: Sandbox
) -> None:
    chat_server.default = lambda request: completion(
        upright(0.01 * len(chat_server.requests))
    )  # no usage
    worst = first_request_bytes(tmp_path, chat_server) + 1000
    result = ea.synthesize(
        limited(tmp_path, chat_server, samples=4, max_tokens=2 * worst), sandbox=sandbox
    )
    assert len(chat_server.requests) == 2
    assert [o.candidate.name for o in result.outcomes] == ["g0c0", "g0c1"]
    assert all(outcome.evaluation for outcome in result.outcomes)


def test_the_time_limit_ends_a_run_between_generations(
    tmp_path: Path, chat_server: ChatServer, sandbox: Sandbox
) -> None:
    answering(chat_server)
    events: list[Event] = []
    result = ea.synthesize(
        limited(tmp_path, chat_server, max_wall_min=1e-6), listener=events.append, sandbox=sandbox
    )
    assert len(result.outcomes) == len(chat_server.requests) == 2
    finished = events[-1]
    assert isinstance(finished, RunFinished)
    assert finished.stopped == "--max-wall-min 1e-06 is over (0 minutes)."
    log = stopped_early(finished)
    assert log == [f"Stopped early: {finished.stopped}"]


def test_a_limit_below_one_request_is_refused_before_anything_is_written(
    tmp_path: Path, chat_server: ChatServer, sandbox: Sandbox
) -> None:
    with pytest.raises(
        UsageError, match=r"--max-cost-usd 0.001 is less than the first request alone may take .*\$"
    ):
        ea.synthesize(
            limited(tmp_path, chat_server, max_cost_usd=0.001, price=(1.0, 10.0)),
            sandbox=sandbox,
        )
    assert not list(tmp_path.iterdir())
    assert not chat_server.requests


def test_the_largest_cost_is_printed_before_the_run(
    tmp_path: Path, chat_server: ChatServer, sandbox: Sandbox
) -> None:
    answering(chat_server)
    events: list[Event] = []
    config = limited(tmp_path, chat_server, generations=1, price=(1.0, 10.0))
    result = ea.synthesize(config, listener=events.append, sandbox=sandbox)
    started = next(event for event in events if isinstance(event, RunStarted))
    announced = proposer_line(started.proposer)
    assert "tokens ($0." in announced
    assert "if no answer is longer than 1,000 tokens" in announced
    # 600 tokens at 1 USD and 400 at 10 USD per million are 0.0046 USD.
    assert [o.candidate.completion.cost_usd for o in result.outcomes] == [pytest.approx(0.0046)] * 2


def test_the_estimate_counts_every_parent_that_a_prompt_may_show(
    tmp_path: Path, chat_server: ChatServer, sandbox: Sandbox
) -> None:
    """The two requests of a second generation may hold three rewards of 12,000 tokens each."""
    answering(chat_server)

    def estimated(generations: int) -> int:
        events: list[Event] = []
        config = limited(
            tmp_path, chat_server, generations=generations, run_name=f"run{generations}"
        )
        ea.synthesize(config, listener=events.append, sandbox=sandbox)
        (started,) = (event for event in events if isinstance(event, RunStarted))
        assert started.proposer.largest_cost is not None
        return started.proposer.largest_cost.usage.tokens

    message = 16
    assert estimated(2) - 2 * estimated(1) == 2 * (3 * 12_000 + message)


def test_several_models_share_a_generation(
    tmp_path: Path, chat_server: ChatServer, sandbox: Sandbox
) -> None:
    answering(chat_server)
    config = limited(tmp_path, chat_server, model=("a=3", "b"), samples=8, generations=1)
    result = ea.synthesize(config, sandbox=sandbox)
    proposers = [outcome.candidate.completion.proposer for outcome in result.outcomes]
    assert 5 <= proposers.count("a") <= 7
    assert proposers.count("a") + proposers.count("b") == 8
    assert sorted(request["model"] for request in chat_server.requests) == sorted(proposers)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_a_limit_in_usd_holds_for_a_run_that_is_stopped_and_resumed(
    tmp_path: Path,
    chat_server: ChatServer,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
) -> None:
    """Resets, cut answers, missing usage, requests in flight at the stop: the server never bills more
    than the limit."""
    monkeypatch.setattr(chat, "Retries", partial(Retries, base_s=0.01))
    rng = random.Random(seed)
    weights = itertools.count(1)
    server = chat_server.default = BillingServer(
        rng, Price(2e-6, 8e-6), lambda: upright(0.01 * next(weights))
    )
    one = Price(2e-6, 8e-6).of(first_request_bytes(tmp_path, chat_server), 1000)
    limit = rng.uniform(6.0, 9.0) * one
    stop_at = rng.randint(2, 4)

    def stop(event: Event) -> None:
        nonlocal stop_at
        stop_at -= isinstance(event, CompletionReceived)
        if stop_at == 0:
            raise StoppedError

    config = limited(
        tmp_path,
        chat_server,
        generations=20,
        samples=4,
        max_cost_usd=limit,
        price=(2.0, 8.0),
    )
    with pytest.raises(StoppedError):
        ea.synthesize(config, listener=stop, sandbox=sandbox)
    assert 0.0 < server.usd <= limit
    before = len(chat_server.requests)
    result = ea.resume(tmp_path / "run", sandbox=sandbox)
    assert "--max-cost-usd" in json.loads((result.path / "summary.json").read_text())["stopped"]
    with Store.open(RunDir(result.path).database) as store:
        committed = from_json(Usage, store.metadata("spending") or "")
    assert server.usd <= committed.usd + 1e-9
    assert committed.usd <= limit
    asked = len(chat_server.requests)
    assert asked > before
    ea.resume(tmp_path / "run", sandbox=sandbox)
    assert len(chat_server.requests) == asked
