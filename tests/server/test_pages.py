"""The pages of runs in every state, with a real server."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from pathlib import Path

import pytest

from eureka_agent.records import Feedback
from eureka_agent.runs.directory import RunDir
from eureka_agent.runs.drafts import Draft, read_draft, save_draft
from eureka_agent.runs.progress import MemberProgress, RunProgressRecord
from eureka_agent.runs.store import Store
from eureka_agent.utils.files import write_file
from eureka_agent.utils.serialization import to_json
from tests.support.page import at_work, form_of, text_of, visited, waiting_run
from tests.support.stored_run import stored_run

PAGE = "/runs/run/generations/0"
TRAINING = RunProgressRecord(
    task="cartpole",
    instruction="balance",
    fitness_unit="steps",
    started="2026-01-31T12:00:00+00:00",
    activity="training",
    generations=2,
    finished_generations=1,
    generation=1,
    best="g0c0",
    best_fitness=5.0,
    members=(MemberProgress("g1c0", "training", 4.5), MemberProgress("g1c1", "stopped")),
    environment_steps=5_000,
    total_steps=20_000,
)


def save_progress(run: RunDir, progress: RunProgressRecord) -> None:
    write_file(run.progress, to_json(progress))


def test_the_list_shows_every_run_with_its_state(tmp_path: Path) -> None:
    stored_run(tmp_path / "a_finished")
    stored_run(tmp_path / "b_interrupted", finished=False)
    waiting = waiting_run(tmp_path / "c_waiting")
    (tmp_path / "d_damaged").mkdir()
    (tmp_path / "d_damaged" / "run.db").write_bytes(b"no database")
    (tmp_path / "no_run").mkdir()
    progress = RunProgressRecord("cartpole", "balance", "steps", "", "waiting", 2, 0)
    save_progress(waiting, progress)
    with visited(tmp_path) as client, at_work(waiting):
        text = text_of(client.get("/"))
    names = ("d_damaged", "c_waiting", "b_interrupted", "a_finished")
    assert sorted(names, key=text.index) == list(names)  # the newest first
    assert "a_finished finished cartpole 2 of 2 generations best g1c0 7.00" in text
    assert "b_interrupted interrupted" in text
    assert "c_waiting waits for you" in text
    assert "d_damaged damaged" in text
    assert "not a database" in text
    assert "no_run" not in text


def test_a_folder_without_runs_or_not_yet_there_is_an_empty_list(tmp_path: Path) -> None:
    with visited(tmp_path / "later") as client:
        assert "There are no runs in this folder yet" in text_of(client.get("/"))
        waiting_run(tmp_path / "later" / "run")
        assert "run interrupted" in text_of(client.get("/"))


def test_a_run_at_work_shows_its_training(tmp_path: Path) -> None:
    run = stored_run(tmp_path / "run", finished=False)
    save_progress(run, TRAINING)
    with visited(tmp_path) as client, at_work(run):
        page, live = client.get("/runs/run"), client.get("/runs/run/live").json()
    text = text_of(page)
    assert "running" in text
    assert "Policies of generation g1 train: 5,000 of 20 k environment steps each." in text
    assert "g1c0 training 4.50" in text
    assert live["share"] == 0.25
    assert live["members"] == [["g1c0", "training", "4.50"], ["g1c1", "stopped", ""]]
    assert '<noscript><meta http-equiv="refresh"' in page.text  # works without scripts


def test_the_state_for_scripts_changes_when_a_page_has_to_be_loaded_again(tmp_path: Path) -> None:
    run = waiting_run(tmp_path / "run")
    states = []
    with visited(tmp_path) as client, at_work(run):
        for activity in ("asking", "training", "waiting", "finished"):
            progress = RunProgressRecord("t", "i", None, "", activity, 2, 0)
            save_progress(run, progress)
            states.append(client.get("/runs/run/live").json()["page"])
    assert states[0] == states[1]
    assert len(set(states)) == 3


def test_a_killed_run_is_not_shown_as_running(tmp_path: Path) -> None:
    save_progress(stored_run(tmp_path / "run", finished=False), TRAINING)
    with visited(tmp_path) as client:
        text, live = text_of(client.get("/runs/run")), client.get("/runs/run/live").json()
    assert "interrupted" in text
    assert "No process works on this run: it was stopped." in text
    assert live["share"] is None
    assert live["members"] == []


def test_a_finished_run_shows_its_generations_and_answers(tmp_path: Path) -> None:
    stored_run(tmp_path / "run")
    with visited(tmp_path) as client:
        run, first, second = (
            client.get(path) for path in ("/runs/run", PAGE, "/runs/run/generations/1")
        )
    assert "Generation g0 (1 of 2)" in text_of(run)
    assert "Fitness by generation" in text_of(run)
    assert "g0c1 not allowed" in text_of(first)
    assert "Changes from its parent g0c0" in text_of(second)
    assert "form" not in second.text


def test_the_page_of_a_generation_that_waits_is_a_form(tmp_path: Path) -> None:
    waiting_run(tmp_path / "run")
    with visited(tmp_path) as client:
        run, page = client.get("/runs/run"), client.get(PAGE)
    assert "Generation g0 (1 of 2) waits for your answer" in text_of(run)
    assert f'href="{PAGE}"' in run.text
    assert "eureka-agent resume" in text_of(page)  # no process works on it
    assert page.text.count('type="radio" name="best"') == 3  # two candidates, or none


def test_history_shows_what_was_answered(tmp_path: Path) -> None:
    run = waiting_run(tmp_path / "run")
    with at_work(run) as store:
        edited = {"g0c0": "def compute_reward(): ..."}
        store.save_feedback(Feedback(0, ("g0c1", "g0c0"), {"g0c0": "too shaky"}, True, edited))
    with visited(tmp_path) as client:
        run_text, text = text_of(client.get("/runs/run")), text_of(client.get(PAGE))
    for shown in (run_text, text):
        assert "Ranked, best first: g0c1 > g0c0." in shown
        assert "Comment on g0c0: too shaky" in shown
        assert "An edit of g0c0 joined the search." in shown
    assert "The edit of g0c0" in text


def test_an_unanswered_generation_says_so(tmp_path: Path) -> None:
    run = waiting_run(tmp_path / "run")
    with at_work(run) as store:
        store.save_feedback(Feedback(0, unanswered=True))
    with visited(tmp_path) as client:
        assert "Nobody answered in time; the search went on." in text_of(client.get(PAGE))


def test_packs_are_sent_as_they_are_stored(tmp_path: Path) -> None:
    waiting_run(tmp_path / "run", scene=b"\x00scene", replay=b"\x00replay")
    with visited(tmp_path) as client:
        answers = {
            name: client.get(f"/runs/run/{name}")
            for name in ("scene", "replays/g0c0", "replays/g0c2", "replays/human%20reward")
        }
        page = client.get(PAGE)
    assert [answer.status_code for answer in answers.values()] == [200, 200, 404, 404]
    assert answers["scene"].content == b"\x00scene"
    assert answers["replays/g0c0"].content == b"\x00replay"
    assert answers["replays/g0c0"].headers["content-type"] == "application/octet-stream"
    assert 'data-replay="/runs/run/replays/g0c0"' in page.text
    assert 'data-replay="/runs/run/replays/g0c2"' not in page.text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/runs/other", 404),
        ("/runs/run/generations/7", 404),
        ("/runs/run/generations/start", 404),
        ("/runs/run/generations/1/pairs", 409),
        ("/assets/other.js", 404),
        ("/other", 404),
    ],
)
def test_what_is_not_there_is_a_page_with_a_sentence(
    tmp_path: Path, path: str, status: int
) -> None:
    waiting_run(tmp_path / "run")
    with visited(tmp_path) as client:
        page = client.get(path)
    assert page.status_code == status
    assert "To the list of runs" in text_of(page)


@pytest.mark.parametrize("file", ["run.db", "feedback/g0_draft.json", "feedback/g0_question.json"])
def test_a_damaged_file_is_a_page_that_names_it(tmp_path: Path, file: str) -> None:
    run = waiting_run(tmp_path / "run")
    save_draft(run, Draft(0))
    (run.path / file).write_bytes(b'{"generation": "\xff\x00"}')
    with visited(tmp_path) as client:
        page = client.get(PAGE)
    assert page.status_code == 409
    assert Path(file).name in text_of(page)


def test_a_damaged_progress_file_is_ignored(tmp_path: Path) -> None:
    run = stored_run(tmp_path / "run")
    giant = to_json(replace(TRAINING, total_steps=10**400)).encode()
    for content in (b"\xff", b"[]", b"{" * 100_000, b'{"task": 3}', giant):
        run.progress.write_bytes(content)
        with visited(tmp_path) as client:
            assert "run finished" in text_of(client.get("/"))


def test_links_in_a_run_are_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.json"
    secret.write_text(to_json(TRAINING))
    (tmp_path / "runs").mkdir()
    run = stored_run(tmp_path / "runs" / "run")
    run.progress.symlink_to(secret)
    with visited(tmp_path / "runs") as client:
        assert "symbolic link" in text_of(client.get("/"))
        page = client.get("/runs/run")
    assert page.status_code == 404
    assert "symbolic link" in text_of(page)


def test_a_run_that_its_process_is_writing_is_read(tmp_path: Path) -> None:
    run = waiting_run(tmp_path / "run")
    with visited(tmp_path) as client, Store.open(run.database) as store:
        assert "Nobody answered" not in text_of(client.get(PAGE))
        store.save_feedback(Feedback(0, unanswered=True))
        assert "Nobody answered" in text_of(client.get(PAGE))


@pytest.mark.parametrize("name", ["ünder scöre", "a&b='\"><i>#?%2e", "{{ 7 * 7 }}"])
def test_a_run_with_a_strange_name_is_shown_and_answered(tmp_path: Path, name: str) -> None:
    run = waiting_run(tmp_path / name)
    with visited(tmp_path) as client:
        (link,) = re.findall(r'<h2><a href="([^"]+)"', client.get("/").text)
        page = client.get(f"{html.unescape(link)}/generations/0")
        fields = form_of(page) | {"action": "submit"}
        address = re.search(r'action="([^"]+)" id="answer"', page.text)
        assert address is not None
        answer = client.post(html.unescape(address[1]), data=fields)
        assert text_of(client.get(answer.headers["location"])).count("is submitted") == 1
    assert read_draft(run, 0).submitted


def test_a_run_from_elsewhere_runs_no_code(tmp_path: Path) -> None:
    marker, task = tmp_path / "it_ran", tmp_path / "task.py"
    harm = f"open({str(marker)!r}, 'w').close()\n"
    task.write_text(harm)
    run = waiting_run(tmp_path / "runs" / "run")
    with at_work(run) as store:
        store.save_config(store.config.replaced(task=str(task)))
    save_draft(run, Draft(0, edited={"g0c0": harm}))
    with visited(tmp_path / "runs") as client:
        fields = form_of(client.get(PAGE))
        pages = [client.get("/"), client.get("/runs/run"), client.get(f"{PAGE}/pairs")]
        pages.append(client.post(PAGE, data=fields | {"action": "submit", "edit.g0c1": harm}))
    assert [page.status_code for page in pages] == [200, 200, 200, 422]
    assert not marker.exists()
