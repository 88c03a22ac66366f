"""A person in a real browser: whole sessions by clicks and by keys, replays, hostile text."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from eureka_agent.jail import Sandbox
from eureka_agent.runs.directory import RunDir
from eureka_agent.runs.drafts import read_draft
from eureka_agent.runs.store import Store
from eureka_agent.server import PageServer
from tests.support.browser import DESKTOP, PHONE, OpenPage, note, ready, until
from tests.support.page import waiting_run
from tests.support.replays import ball_replay, ball_scene, recorded

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

ROOT = Path(__file__).parents[2]
GENERATION = "/runs/run/generations/0"
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>"
Visit = Callable[..., OpenPage]
"""Opens an address of a server: `visit(address, viewport=…)`."""


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    contexts = []

    def open_address(address: str, **options: Any) -> OpenPage:
        context = browser.new_context(**{"viewport": DESKTOP, **options})
        contexts.append(context)
        opened = OpenPage(context.new_page())
        page = opened.page
        page.on("pageerror", lambda error: opened.errors.append(str(error)))
        page.on("console", lambda said: note(opened, said.type, said.text))
        page.on("dialog", lambda dialog: opened.errors.append(f"dialog: {dialog.message}"))
        page.on("request", lambda request: opened.requests.append(request.url))
        page.goto(address)
        page.wait_for_url(lambda url: "secret" not in url)
        return opened

    yield open_address
    for context in contexts:
        context.close()


@pytest.fixture
def session(tmp_path: Path) -> Iterator[str]:
    """Start a search of two generations; yield the address of its page when it asks."""
    command = [sys.executable, "-m", "tests.support.web_run", str(tmp_path / "run"), "start"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        page = ""
        for line in process.stdout:
            page = line.split()[1] if line.startswith("page ") else page
            if line.startswith("asked"):
                break
        yield page
        process.kill()


def address(server: PageServer, path: str) -> str:
    """Return the address of a page with the secret."""
    base, _, secret = server.url().partition("/?")
    return f"{base}{path}?{secret}"


def arrives(page: Page, words: str) -> None:
    """Wait until words are on the page, which loads itself again meanwhile."""
    page.get_by_text(words).first.wait_for(timeout=90_000)


def choose(page: Page, name: str, value: str) -> Locator:
    return page.locator(f'input[name="{name}"][value="{value}"]')


def results(folder: Path) -> Store:
    return Store.open(RunDir(folder / "run").database, writable=False)


# ---------------------------------------------------------------------- whole sessions
@pytest.mark.slow
def test_a_whole_session_by_clicks(visit: Visit, session: str, tmp_path: Path) -> None:
    opened = visit(session)
    page = opened.page
    page.get_by_role("link", name="Look and answer").click()
    ready(page, 3)  # all candidates move
    choose(page, "best", "g0c2").click()
    choose(page, "worst", "g0c0").click()
    page.get_by_label("Your words about g0c0").fill("it shakes")
    card = page.get_by_role("article", name="g0c2")
    card.get_by_text("Components: keep or give up").click()
    card.get_by_role("combobox", name="calm").select_option("give up")
    card.get_by_text("Edit this reward").click()
    code = card.get_by_label("The reward, edited from g0c2")
    written = code.input_value()
    code.fill(written.replace("dof_vel", "speed"))
    page.get_by_role("button", name="Submit and go on").click()
    page.get_by_role("alert").first.wait_for()
    assert "this task does not have" in page.get_by_role("alert").first.inner_text()
    code.fill(written.replace("torch.cos(dof_pos[:, 1])", "2.0 * torch.cos(dof_pos[:, 1])"))
    page.get_by_role("button", name="Submit and go on").click()
    arrives(page, "Generation g1 (2 of 2) waits for your answer")
    page.get_by_role("link", name="Look and answer").click()
    ready(page, 5)  # the best before, three new ones and the edit
    assert page.get_by_role("article", name="g0c2").get_by_text("best before").is_visible()
    page.get_by_role("button", name="Submit and finish").click()
    page.wait_for_url("**/runs/run")
    with results(tmp_path) as store:
        feedback = store.feedback()[0]
        assert feedback.ranking == ("g0c2", "g0c0")
        assert feedback.words == {"g0c0": "it shakes", "g0c2": "Give up this component: calm."}
        edits = [o for o in store.outcomes(1) if o.candidate.completion.proposer == "judge"]
        assert [outcome.evaluation is not None for outcome in edits] == [True]
    refused = "Failed to load resource: the server responded with a status of 422"
    assert [error for error in opened.errors if refused not in error] == []
    assert all(url.startswith(session.partition("/runs")[0]) for url in opened.requests)


@pytest.mark.slow
def test_a_whole_session_by_keys(visit: Visit, session: str, tmp_path: Path) -> None:
    page = visit(session).page

    def tab_to(selector: str) -> None:
        """Press Tab until the element has the focus."""
        for _ in range(200):
            if page.evaluate(
                "document.activeElement.matches(arguments[0])".replace(
                    "arguments[0]", repr(selector)
                )
            ):
                return
            page.keyboard.press("Tab")
        raise AssertionError(f"Tab does not reach {selector}")

    tab_to(f'a[href$="{GENERATION}"]')
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{GENERATION}")
    tab_to('input[name="best"]:checked')
    page.keyboard.press("ArrowRight")  # from none to the first candidate
    assert choose(page, "best", "g0c0").is_checked()
    tab_to('textarea[name="words.g0c1"]')
    page.keyboard.type("higher")
    tab_to("article:first-of-type details:has(textarea.code) > summary")
    page.keyboard.press("Enter")
    tab_to('textarea[name="edit.g0c0"]')
    page.keyboard.press("Control+End")
    page.keyboard.type("# by hand\n")
    tab_to('button[value="submit"]')
    page.keyboard.press("Enter")
    arrives(page, "Generation g1 (2 of 2) waits for your answer")
    with results(tmp_path) as store:
        feedback = store.feedback()[0]
    assert feedback.ranking == ("g0c0",)
    assert feedback.words == {"g0c1": "higher"}
    assert feedback.edited["g0c0"].rstrip().endswith("# by hand")


@pytest.mark.slow
def test_the_page_says_when_its_program_has_ended(visit: Visit, session: str) -> None:
    page = visit(session).page
    page.get_by_role("link", name="Look and answer").click()
    page.get_by_role("button", name="Submit and go on").click()
    arrives(page, "Generation g1 (2 of 2) waits for your answer")
    page.get_by_role("link", name="Look and answer").click()
    page.get_by_role("button", name="Submit and finish").click()
    arrives(page, "The search is complete.")
    arrives(page, "The program has ended or cannot be reached.")
    assert page.get_by_text("The search is complete.").is_visible()


# ---------------------------------------------------------------------- single pages
@pytest.mark.slow
def test_eight_candidates_with_replays_are_ready_within_three_seconds(
    visit: Visit, sandbox: Sandbox, tmp_path: Path
) -> None:
    ant = recorded("ant_forward", sandbox=sandbox)
    waiting_run(tmp_path / "run", candidates=9, scene=ant.scene, replay=ant.replay)
    with PageServer(tmp_path, 0) as server:
        page = visit(server.url(), viewport={"width": 1280, "height": 2_000}).page
        page.add_init_script(
            """new MutationObserver(() => {
                const root = document.documentElement;
                if (root.dataset.replays === "8") root.dataset.seconds ??= performance.now() / 1000;
            }).observe(document, { attributes: true, subtree: true });"""
        )
        page.goto(f"http://127.0.0.1:{server.port}{GENERATION}")
        ready(page, 8)
        assert 0 < page.evaluate("Number(document.documentElement.dataset.seconds)") < 3.0


def test_what_is_typed_is_saved_by_itself(visit: Visit, tmp_path: Path) -> None:
    run = waiting_run(tmp_path / "run", scene=ball_scene(), replay=ball_replay())
    with PageServer(tmp_path, 0) as server:
        page = visit(address(server, GENERATION)).page
        page.get_by_label("Your words about g0c0").fill("größer")
        until(lambda: read_draft(run, 0).words == {"g0c0": "größer"}, "the autosave")
        until(lambda: "Saved " in page.locator("[data-saved]").inner_text(), "the notice")
        page.reload()
        assert page.get_by_label("Your words about g0c0").input_value() == "größer"


def test_without_javascript_an_answer_is_given_all_the_same(visit: Visit, tmp_path: Path) -> None:
    run = waiting_run(tmp_path / "run", candidates=4)
    with PageServer(tmp_path, 0) as server:
        page = visit(address(server, GENERATION), java_script_enabled=False).page
        page.get_by_role("link", name="Compare two at a time").click()
        for _ in range(3):
            if page.get_by_role("button", name="Right is better").is_visible():
                page.get_by_role("button", name="Right is better").click()
        page.get_by_role("link", name="Go on with your answer").click()
        page.get_by_label("Your words about g0c0").fill("no")
        page.get_by_role("button", name="Submit and go on").click()
        page.get_by_text("is submitted").wait_for()
    draft = read_draft(run, 0)
    assert draft.submitted
    assert draft.words == {"g0c0": "no"}
    assert len(draft.pairs) >= 2


def test_hostile_text_runs_nothing_and_sends_nothing(visit: Visit, tmp_path: Path) -> None:
    waiting_run(
        tmp_path / "run", words=HOSTILE, scene=ball_scene(), replay=ball_replay(), measured=False
    )
    with PageServer(tmp_path, 0) as server:
        opened = visit(address(server, GENERATION))
        page = opened.page
        page.get_by_label("Your words about g0c0").fill(HOSTILE)
        choose(page, "best", "g0c0").check()
        page.get_by_role("button", name="Save", exact=True).last.click()
        page.wait_for_load_state("networkidle")
        assert page.get_by_label("Your words about g0c0").input_value() == HOSTILE
        assert page.locator("script:not([src])").count() == 0
        assert page.locator("img").count() == 0
        assert opened.errors == []
        assert {url.split("/")[2] for url in opened.requests} == {f"127.0.0.1:{server.port}"}


@pytest.mark.parametrize("path", ["/", "/runs/run", GENERATION, f"{GENERATION}/pairs"])
def test_nothing_is_wider_than_a_phone(visit: Visit, tmp_path: Path, path: str) -> None:
    long = "x" * 300
    waiting_run(tmp_path / "run", words=long, scene=ball_scene(), replay=ball_replay())
    with PageServer(tmp_path, 0) as server:
        page = visit(address(server, path), viewport=PHONE).page
        for summary in page.locator("summary").all():
            summary.click()
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
