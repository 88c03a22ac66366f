"""A run asks a person on the page: answers reach the next prompt, nothing is lost, time-outs."""

from __future__ import annotations

import io
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from rich.console import Console

import eureka_agent as ea
from eureka_agent.errors import UsageError
from eureka_agent.jail import Sandbox
from eureka_agent.judges.web import WebJudge
from eureka_agent.proposers.scripted import ScriptedProposer
from eureka_agent.records import Feedback
from eureka_agent.report.terminal.plain import PlainLog
from eureka_agent.runs.directory import RunDir
from eureka_agent.runs.drafts import Draft, read_draft, save_draft
from eureka_agent.runs.store import Store
from eureka_agent.search.events import Event, FeedbackRequested, RunStarted
from eureka_agent.search.feedback import FeedbackRequest
from tests.support import run_events as runs
from tests.support.page import form_of, text_of, visitor
from tests.support.rewards import NO_CODE, upright
from tests.support.runs import config
from tests.support.terminal import Terminal

ROOT = Path(__file__).parents[2]
SCRIPT = [[upright(0.1), NO_CODE, upright(0.2)], [upright(0.3), upright(0.4), upright(0.5)]]
EDIT = (
    "def compute_reward(dof_pos, dof_vel):\n    still = -dof_vel.abs().sum(dim=1)\n"
    '    return still, {"still": still}\n'
)
OUTCOMES = (
    runs.outcome(0, runs.completion(0), runs.evaluation(1.0)),
    runs.outcome(0, runs.completion(1), runs.evaluation(2.0)),
)


class Person:
    """Answers every generation on the page, in a thread of its own."""

    def __init__(self, answer: Callable[[httpx.Client, str], None]) -> None:
        self._answer = answer
        self._threads: list[threading.Thread] = []
        self._page = ""
        self.failures: list[Exception] = []

    def __call__(self, event: Event) -> None:
        """Listen to the run, and start to answer when it asks."""
        if isinstance(event, RunStarted):
            assert event.page is not None
            self._page = event.page
        elif isinstance(event, FeedbackRequested):
            work = threading.Thread(target=self._work, args=(event.generation,))
            self._threads.append(work)
            work.start()

    def finish(self) -> None:
        for thread in self._threads:
            thread.join(30.0)
        assert self.failures == []

    def _work(self, generation: int) -> None:
        try:
            with visitor(self._page) as client:
                run = httpx.URL(self._page).path
                address = f"{run}/generations/{generation}"
                wait_for(lambda: "token" in form_of(client.get(address)))
                self._answer(client, address)
        except Exception as error:  # noqa: BLE001  a thread's failure fails the test
            self.failures.append(error)


def wait_for(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def submit(client: httpx.Client, address: str, action: str = "submit", **fields: str) -> None:
    changes = {name.replace("__", "."): value for name, value in fields.items()}
    form = form_of(client.get(address)) | changes
    answer = client.post(address, data=form | {"action": action})
    assert answer.status_code == 303, text_of(answer)


# ---------------------------------------------------------------------- whole runs
def test_an_answer_on_the_page_reaches_the_next_prompt(tmp_path: Path, sandbox: Sandbox) -> None:
    def answer(client: httpx.Client, address: str) -> None:
        if address.endswith("0"):
            words = {"words__g0c0": "too <shaky>", "mark__g0c2__1": "drop"}
            submit(client, address, best="g0c2", worst="g0c0", edit__g0c2=EDIT, **words)
        else:
            submit(client, address)

    proposer, person = ScriptedProposer(SCRIPT), Person(answer)
    settings = config(tmp_path, feedback="web", port=0)
    result = ea.synthesize(settings, proposer=proposer, sandbox=sandbox, listener=person)
    person.finish()

    prompt = proposer.prompts[1]
    assert prompt.parents[0].candidate.name == "g0c2"
    text = prompt.messages[-1].content
    assert "\ntoo <shaky>\n" in text
    assert "\nGive up this component: calm.\n" in text
    assert "## g0c0, liked least this time" in text
    names = [outcome.candidate.name for outcome in result.outcomes]
    assert names == ["g0c0", "g0c1", "g0c2", "g1c0", "g1c1", "g1c2", "g1c9"]
    edited = result.outcomes[-1]
    assert edited.candidate.completion.proposer == "judge"
    assert edited.evaluation is not None
    with Store.open(RunDir(result.path).database, writable=False) as store:
        assert store.feedback()[0].ranking == ("g0c2", "g0c0")
        assert store.feedback()[0].edited == {"g0c2": EDIT}
    assert not RunDir(result.path).question(0).exists()


def test_an_instruction_without_fitness_is_led_by_the_person_alone(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    def answer(client: httpx.Client, address: str) -> None:
        submit(client, address, "submit" if address.endswith("0") else "stop", best="g0c2")

    proposer, person = ScriptedProposer(SCRIPT), Person(answer)
    settings = config(
        tmp_path, task="spin the pole", env="cartpole", feedback="web", port=0, generations=3
    )
    result = ea.synthesize(settings, proposer=proposer, sandbox=sandbox, listener=person)
    person.finish()
    assert result.best is not None
    assert result.best.candidate.name == "g0c2"
    assert {prompt.generation for prompt in proposer.prompts} == {0, 1}  # `stop` ended the search
    assert "fitness" not in proposer.prompts[1].messages[-1].content.casefold()


@pytest.mark.parametrize("measured", [True, False])
def test_without_an_answer_the_search_goes_on_and_says_so(
    tmp_path: Path, sandbox: Sandbox, measured: bool
) -> None:
    paper = io.StringIO()
    log = PlainLog(Console(file=paper, width=200))
    settings = config(tmp_path, feedback="web", port=0, feedback_timeout_min=0.005)
    if not measured:
        settings = settings.replaced(task="spin the pole", env="cartpole")
    result = ea.synthesize(
        settings, proposer=ScriptedProposer(SCRIPT), sandbox=sandbox, listener=log
    )
    assert (result.best is not None) == measured
    with Store.open(RunDir(result.path).database, writable=False) as store:
        assert store.feedback() == {g: Feedback(g, unanswered=True) for g in (0, 1)}
    text = paper.getvalue()
    assert "waits for 0.005 min for your answer on this page:" in text
    assert "  http://127.0.0.1:" in text
    chosen = "the fitness chose" if measured else "the best so far stays"
    assert text.count(f"Nobody answered in time: {chosen}, and the search goes on.") == 2


# ---------------------------------------------------------------------- the judge alone
@contextmanager
def asked(judge: WebJudge, folder: Path) -> Iterator[list[Feedback]]:
    """Ask a judge in a thread; yield the list that gets its answer."""
    request = FeedbackRequest(runs.TASK, "wave", True, 0, OUTCOMES, folder=folder)
    answers: list[Feedback] = []
    thread = threading.Thread(target=lambda: answers.append(judge.ask(request)))
    thread.start()
    wait_for(RunDir(folder).question(0).exists)
    yield answers
    thread.join(30.0)
    assert not thread.is_alive()


def test_a_change_of_the_draft_starts_the_time_again(tmp_path: Path) -> None:
    run = RunDir(tmp_path)
    with asked(WebJudge(tmp_path, timeout_min=0.03), tmp_path) as answers:
        begun = time.monotonic()
        for _ in range(4):
            time.sleep(0.8)
            saved = time.strftime("%Y-%m-%dT%H:%M:%S%z")
            save_draft(run, Draft(0, best="g0c0", saved=saved))
    assert answers == [Feedback(0, unanswered=True)]  # what was not submitted does not count
    assert time.monotonic() - begun > 3.2
    assert read_draft(run, 0).best == "g0c0"


def test_an_answer_that_no_page_would_submit_is_asked_for_again(tmp_path: Path) -> None:
    run = RunDir(tmp_path)
    with asked(WebJudge(tmp_path), tmp_path) as answers:
        save_draft(run, Draft(0, best="g9c9", submitted=True))
        wait_for(lambda: not read_draft(run, 0).submitted)
        save_draft(run, Draft(0, best="g0c0", submitted=True))
    assert answers == [Feedback(0, ("g0c0",))]


def test_an_answer_from_before_a_restart_is_taken_at_once(tmp_path: Path) -> None:
    save_draft(RunDir(tmp_path), Draft(0, best="g0c1", submitted=True))
    request = FeedbackRequest(runs.TASK, "wave", True, 0, OUTCOMES, folder=tmp_path)
    assert WebJudge(tmp_path).ask(request) == Feedback(0, ("g0c1",))


def test_a_taken_port_is_an_error_before_the_run_starts(tmp_path: Path, sandbox: Sandbox) -> None:
    judge = WebJudge(tmp_path, port=0)
    judge.open()
    try:
        port = httpx.URL(judge.page(RunDir(tmp_path / "run"))).port
        settings = config(tmp_path, feedback="web", port=port)
        with pytest.raises(UsageError, match="choose another with --port"):
            ea.synthesize(settings, proposer=ScriptedProposer(SCRIPT), sandbox=sandbox)
    finally:
        judge.close()
    assert list(tmp_path.iterdir()) == []


# ---------------------------------------------------------------------- other processes
def start(folder: Path, how: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.support.web_run", str(folder), how]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def address_of(process: subprocess.Popen[str], asked: int) -> str:
    """Return the address of the page when the run asks about a generation."""
    assert process.stdout is not None
    page = ""
    for line in process.stdout:
        if line.startswith("page "):
            page = line.split()[1]
        if line.strip() == f"asked {asked}":
            return page
    raise AssertionError("the run does not ask")


@pytest.mark.slow
def test_kill_and_restart_while_it_waits_loses_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    address = "/runs/run/generations/0"
    with start(folder, "start") as process, visitor(address_of(process, 0)) as client:
        submit(client, address, "save", worst="g0c0", words__g0c2="more", edit__g0c0=EDIT)
        process.send_signal(signal.SIGKILL)
    with start(folder, "resume") as process, visitor(address_of(process, 0)) as client:
        form = form_of(client.get(address))
        assert form["worst"] == "g0c0"
        assert form["words.g0c2"] == "more"
        assert form["edit.g0c0"] == EDIT
        submit(client, address, best="g0c2")
        address_of_next = wait_for_question(client, 1)
        submit(client, address_of_next)
        out, _ = process.communicate()
    assert process.returncode == 0
    assert out.count("trained g0") == 0  # nothing was trained twice
    with Store.open(RunDir(folder).database, writable=False) as store:
        assert store.feedback()[0].ranking == ("g0c2", "g0c0")
        assert store.feedback()[0].words == {"g0c2": "more"}
        edits = [o for o in store.outcomes(1) if o.candidate.completion.proposer == "judge"]
        assert len(edits) == 1


def wait_for_question(client: httpx.Client, generation: int) -> str:
    address = f"/runs/run/generations/{generation}"
    wait_for(lambda: "token" in form_of(client.get(address)))
    return address


@pytest.mark.slow
def test_ctrl_c_stops_cleanly_while_it_waits(tmp_path: Path) -> None:
    args = ["--task", "cartpole", "--quick", "--environment-steps", "512", "--num-envs", "8"]
    args += ["--generations", "2", "--samples", "2", "--no-baselines", "--feedback", "web"]
    args += ["--port", "0", "--runs-dir", str(tmp_path), "--run-name", "run"]
    with Terminal("synthesize_main", args) as terminal:
        terminal.expect("waits for your answer")
        assert terminal.interrupt() == 130
        assert "Continue with: eureka-agent resume" in terminal.text.replace("\n", " ")
    assert not RunDir(tmp_path / "run").question(0).exists()
