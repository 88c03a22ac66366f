"""A run that waits for an answer on the page, and a browser without JavaScript."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import httpx

from eureka_agent.config import SynthesisConfig
from eureka_agent.records import (
    Candidate,
    Completion,
    Curve,
    Message,
    Outcome,
    PromptRecord,
    RewardSource,
)
from eureka_agent.runs.directory import RunDir
from eureka_agent.runs.drafts import Question, save_question
from eureka_agent.runs.store import Store
from eureka_agent.runs.stored_task import stored_task
from eureka_agent.server import PageServer
from eureka_agent.tasks.registry import find_task
from eureka_agent.training.budgets import training_budget
from eureka_agent.utils.serialization import to_json
from tests.support import run_events as runs
from tests.support import stored_run

ASKED = "2026-01-31T12:00:00+00:00"


def reward(weight: float) -> str:
    """Return the code of a valid reward; `weight` distinguishes it from others."""
    return f"def compute_reward(dof_pos):\n    x = {weight} * dof_pos[:, 1]\n    return x, {{'x': x}}\n"


def waiting_run(
    folder: Path,
    *,
    measured: bool = True,
    candidates: int = 3,
    words: str = "",
    scene: bytes | None = None,
    replay: bytes | None = None,
) -> RunDir:
    """Write a run that waits for an answer about its first generation.

    All candidates but the last are trained, with a fitness of 1, 2, …. `measured`: whether
    fitness measures the instruction. `words`: the model's, before its code. `replay`: of each trained candidate.
    """
    folder.mkdir(parents=True)
    run = RunDir(folder)
    with Store.create(run.database, _config(folder, candidates, measured=measured)) as store:
        task = find_task("cartpole")
        store.save_task(stored_task(task, training_budget(store.config, task)))
        store.save_metadata("sandbox", to_json(runs.LAYERS))
        answers = [_answer(index, words) for index in range(candidates)]
        messages = (Message("user", "write"),)
        store.save_prompt(PromptRecord(0, 0, 0, tuple(range(candidates)), messages, ()))
        for answer in answers:
            store.save_completion(0, answer)
        trained = [_trained(answer.index, words) for answer in answers[:-1]]
        failed = Outcome(Candidate(0, answers[-1], None), failure=runs.REFUSED)
        outcomes = [*((one, stored_run.POLICY) for one in trained), (failed, None)]
        replays = {one.candidate.name: replay for one in trained}
        store.save_outcomes(outcomes, replays=replays)
        if scene is not None:
            store.save_scene(scene)
    save_question(run, Question(0, (), ASKED))
    return run


@contextmanager
def at_work(run: RunDir) -> Iterator[Store]:
    """Work on a run for the time of a `with` block, as its process does."""
    with Store.open(run.database) as store:
        yield store


@contextmanager
def visited(folder: Path) -> Iterator[httpx.Client]:
    """Serve a folder's runs and yield a browser that has opened the address."""
    with PageServer(folder, 0) as server, visitor(server.url()) as client:
        yield client


@contextmanager
def visitor(address: str) -> Iterator[httpx.Client]:
    """Open the address that the terminal shows; yield the browser, which has the cookie then."""
    site = str(httpx.URL(address).copy_with(raw_path=b"/"))
    with httpx.Client(base_url=site, timeout=30.0) as client:
        assert client.get(address).status_code == 200
        client.headers["Origin"] = site.rstrip("/")
        yield client


def text_of(page: httpx.Response) -> str:
    """Return the words of a page without its tags, on one line."""
    reader = _Reader()
    reader.feed(page.text)
    return " ".join(" ".join(reader.words).split())


def form_of(page: httpx.Response) -> dict[str, str]:
    """Return the fields of a page's form as a browser would send them, without the buttons."""
    reader = _Reader()
    reader.feed(page.text)
    return reader.fields


class _Reader(HTMLParser):
    """Collects the words of a page and the fields of its form."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.fields: dict[str, str] = {}
        self._field: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name, value = given.get("name") or "", given.get("value") or ""
        if tag == "input" and (given.get("type") != "radio" or "checked" in given):
            self.fields[name] = value
        elif tag in ("textarea", "select"):
            self._field = name
            self.fields[name] = ""
        elif tag == "option" and "selected" in given and self._field is not None:
            self.fields[self._field] = value

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._field is not None:
            self.fields[self._field] = self.fields[self._field].removeprefix("\n")
        if tag in ("textarea", "select"):
            self._field = None

    def handle_data(self, data: str) -> None:
        if self._field is None:
            self.words.append(data)
        elif self._field.startswith(("words.", "edit.")):
            self.fields[self._field] += data


def _config(folder: Path, samples: int, *, measured: bool) -> SynthesisConfig:
    settings: dict[str, object] = {"task": "cartpole"}
    if not measured:
        settings = {"task": "spin the pole", "env": "cartpole"}
    return SynthesisConfig.of(
        **settings,  # type: ignore[arg-type]
        budget="quick",
        generations=2,
        samples=samples,
        seeds=1,
        baselines=False,
        feedback="web",
        runs_dir=folder.parent,
    )


def _answer(index: int, words: str) -> Completion:
    answer = stored_run.answer(index, reward(index + 1.0))
    return replace(answer, text=f"{words}\n\n{answer.text}")


def _trained(index: int, words: str) -> Outcome:
    code = reward(index + 1.0)
    outcome = stored_run.trained(0, _answer(index, words), code, index + 1.0)
    curves = (Curve("x", (0.5, 1.5), 1.5, 1.0, 0.5), Curve("calm", (0.0, -2.0), 0.0, -1.0, -2.0))
    training = replace(runs.training(), components=curves)
    candidate = replace(outcome.candidate, reward=RewardSource(code, ("dof_pos",)))
    return replace(outcome, training=training, candidate=candidate)
