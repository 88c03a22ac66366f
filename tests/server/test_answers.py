"""A person's answer, with a browser without JavaScript: save, check, submit, compare."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from eureka_agent.runs.directory import RunDir
from eureka_agent.runs.drafts import Draft, read_draft, save_draft
from tests.support.page import form_of, reward, text_of, visited, waiting_run

PAGE = "/runs/run/generations/0"
NONE_YET = {"best": "", "worst": "", "mark.g0c0.0": "", "mark.g0c0.1": ""}


def send(client: httpx.Client, action: str, **changes: str) -> httpx.Response:
    """Fill in the form that the page shows, and press a button."""
    fields = form_of(client.get(PAGE))
    changes = {name.replace("__", "."): value for name, value in changes.items()}
    assert set(changes) <= set(fields)
    return client.post(PAGE, data=fields | changes | {"action": action})


def draft_of(folder: Path) -> Draft:
    return read_draft(RunDir(folder / "run"), 0)


def test_a_saved_answer_is_shown_again_and_not_submitted(tmp_path: Path) -> None:
    waiting_run(tmp_path / "run")
    words = "it  leans\n\n<b>back</b> & größer"
    with visited(tmp_path) as client:
        assert form_of(client.get(PAGE)).items() >= NONE_YET.items()
        entered = {"best": "g0c1", "worst": "g0c0", "words__g0c2": words, "mark__g0c0__1": "drop"}
        answer = send(client, "save", **entered)
        assert answer.status_code == 303
        page = client.get(answer.headers["location"])
    shown = form_of(page)
    assert {name: shown[name.replace("__", ".")] for name in entered} == entered
    draft = draft_of(tmp_path)
    assert draft.words == {"g0c2": words}
    assert draft.marks == {"g0c0": {"calm": "drop"}}
    assert not draft.submitted
    assert f"Saved {draft.saved[11:19]}." in text_of(page)


def test_submit_ends_the_question_and_may_be_changed_until_the_run_takes_it(
    tmp_path: Path,
) -> None:
    waiting_run(tmp_path / "run")
    with visited(tmp_path) as client:
        answer = send(client, "submit", best="g0c0")
        assert answer.headers["location"] == "/runs/run"
        assert "is submitted" in text_of(client.get("/runs/run"))
        assert draft_of(tmp_path).submitted
        send(client, "submit", best="g0c1")
        assert draft_of(tmp_path).best == "g0c1"
        send(client, "save")
        assert not draft_of(tmp_path).submitted


def test_an_autosave_that_was_late_does_not_take_the_answer_back(tmp_path: Path) -> None:
    waiting_run(tmp_path / "run")
    with visited(tmp_path) as client:
        assert send(client, "autosave", best="g0c0").json()["saved"] == draft_of(tmp_path).saved
        send(client, "submit", best="g0c1")
        assert send(client, "autosave", best="g0c0").status_code == 409
    draft = draft_of(tmp_path)
    assert (draft.best, draft.submitted) == ("g0c1", True)


def test_stop_is_part_of_the_answer(tmp_path: Path) -> None:
    waiting_run(tmp_path / "run")
    with visited(tmp_path) as client:
        send(client, "stop")
    assert draft_of(tmp_path).stop
    assert draft_of(tmp_path).submitted


def test_an_edit_that_fails_the_checks_is_explained_at_once(tmp_path: Path) -> None:
    waiting_run(tmp_path / "run")
    bad = reward(2.0).replace("dof_pos", "pole_angel")
    with visited(tmp_path) as client:
        page = send(client, "submit", edit__g0c0=bad, words__g0c0="look")
        assert page.status_code == 422
        assert "takes 'pole_angel', which this task does not have" in text_of(page)
        assert form_of(page)["edit.g0c0"] == bad
        assert form_of(page)["words.g0c0"] == "look"
        assert not draft_of(tmp_path).submitted
        send(client, "save", edit__g0c0=reward(7.0))
        assert "Your edit passes the static checks." in text_of(client.get(PAGE))
        send(client, "submit")
    assert draft_of(tmp_path).edited == {"g0c0": reward(7.0)}
    assert draft_of(tmp_path).submitted


@pytest.mark.parametrize("code", ["", "  \n", reward(1.0), reward(1.0).replace("\n", "\r\n")])
def test_an_empty_or_unchanged_code_is_no_edit(tmp_path: Path, code: str) -> None:
    run = waiting_run(tmp_path / "run")
    save_draft(run, Draft(0, edited={"g0c0": reward(5.0)}))
    with visited(tmp_path) as client:
        send(client, "save", edit__g0c0=code)
        assert form_of(client.get(PAGE))["edit.g0c0"] == reward(1.0)
    assert draft_of(tmp_path).edited == {}


def test_a_choice_that_contradicts_itself_is_explained(tmp_path: Path) -> None:
    waiting_run(tmp_path / "run")
    with visited(tmp_path) as client:
        page = send(client, "submit", best="g0c0", worst="g0c0")
    assert page.status_code == 422
    assert "both the best and the worst" in text_of(page)
    assert not draft_of(tmp_path).submitted


def test_what_nothing_measures_needs_a_best_and_shows_no_number(tmp_path: Path) -> None:
    waiting_run(tmp_path / "run", measured=False)
    with visited(tmp_path) as client:
        page = send(client, "submit", worst="g0c0")
        assert page.status_code == 422
        assert "choose the best candidate" in text_of(page)
        assert "spin the pole" in text_of(page)
        assert "fitness" not in text_of(page).casefold()
        assert send(client, "submit", best="g0c1", worst="g0c0").status_code == 303


def test_comparisons_lead_to_a_ranking(tmp_path: Path) -> None:
    waiting_run(tmp_path / "run", candidates=4)  # the last failed; a higher number is preferred
    with visited(tmp_path) as client:
        for _ in range(3):
            fields = form_of(client.get(f"{PAGE}/pairs"))
            action = "right" if fields["right"] > fields["left"] else "left"
            answer = client.post(f"{PAGE}/pairs", data=fields | {"action": action})
            assert answer.headers["location"] == f"{PAGE}/pairs"
        done = client.get(f"{PAGE}/pairs")
        assert "Your ranking is complete" in text_of(done)
        assert "g0c2 > g0c1 > g0c0" in text_of(done)
        assert "g0c2 > g0c1 > g0c0" in text_of(client.get(PAGE))
        client.post(f"{PAGE}/pairs", data=form_of(done) | {"action": "undo"})
        assert "Which one is better?" in text_of(client.get(f"{PAGE}/pairs"))
        send(client, "save", words__g0c0="kept")
    assert len(draft_of(tmp_path).pairs) == 2  # the form keeps the comparisons


@pytest.mark.parametrize(
    "fields",
    [
        {"left": "g0c0", "right": "g0c0", "action": "left"},
        {"left": "g0c0", "right": "g0c2", "action": "left"},  # failed
        {"left": "g0c0", "right": "g0c1", "action": "better"},
        {"action": "left"},
    ],
)
def test_a_comparison_of_something_else_is_refused(tmp_path: Path, fields: dict[str, str]) -> None:
    waiting_run(tmp_path / "run")
    with visited(tmp_path) as client:
        token = {"token": form_of(client.get(PAGE))["token"]}
        assert client.post(f"{PAGE}/pairs", data=token | fields).status_code == 400
    assert draft_of(tmp_path).is_empty


def test_an_answer_to_a_question_that_is_over_is_refused(tmp_path: Path) -> None:
    run = waiting_run(tmp_path / "run")
    with visited(tmp_path) as client:
        fields = form_of(client.get(PAGE)) | {"best": "g0c0", "action": "submit"}
        run.question(0).unlink()
        page = client.post(PAGE, data=fields)
    assert page.status_code == 409
    assert "does not ask about this generation" in text_of(page)
