"""`eureka-agent replay` on a stored run."""

from __future__ import annotations

import webbrowser
from pathlib import Path

import pytest

from eureka_agent.cli.main import main
from eureka_agent.runs.directory import RunDir
from eureka_agent.runs.store import Store
from tests.support.cli import fails
from tests.support.replays import ball_replay, ball_scene
from tests.support.stored_run import stored_run


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    made = stored_run(tmp_path / "run")
    with Store.open(made.database) as store:
        store.save_scene(ball_scene())
        store.save_baselines((), replays={"g1c0": ball_replay(), "human reward": ball_replay()})
    return made


def test_a_page_is_written_into_the_runs_folder_and_named(
    run: RunDir, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", str(run.path)]) == 0
    assert str(run.replays) in capsys.readouterr().out.replace("\n", "")
    page = run.replays.read_text("utf-8")
    assert page.count('<figure class="replay"') == 2
    assert "g1c0 (best)" in page


def test_named_candidates_are_written_where_out_says(run: RunDir, tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    assert main(["replay", str(run.path), "human reward", "--out", str(out)]) == 0
    assert out.read_text("utf-8").count('<figure class="replay"') == 1
    assert not run.replays.exists()


def test_open_says_so_where_no_browser_is_found(
    run: RunDir, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opened: list[str] = []

    def refuse(address: str) -> bool:
        opened.append(address)
        return False

    monkeypatch.setattr(webbrowser, "open", refuse)
    assert main(["replay", str(run.path), "--open"]) == 0
    assert opened == [run.replays.resolve().as_uri()]
    assert "No browser was found here: open the file yourself." in capsys.readouterr().out


def test_an_unknown_candidate_is_one_sentence(
    run: RunDir, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "Did you mean 'g1c0'?" in fails(capsys, "replay", str(run.path), "g1c1")


def test_a_folder_in_place_of_a_file_is_one_sentence(
    run: RunDir, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = fails(capsys, "replay", str(run.path), "--out", str(tmp_path))
    assert "choose another --out" in said


def test_video_shows_the_named_reward(
    run: RunDir, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("imageio_ffmpeg", reason="the extra `video` is not installed")
    path = tmp_path / "ball.mp4"
    assert main(["replay", str(run.path), "human reward", "--video", str(path)]) == 0
    assert "The video of human reward is in" in capsys.readouterr().out
    assert path.read_bytes()[4:8] == b"ftyp"
    assert not run.replays.exists()


def test_video_of_two_rewards_is_refused(
    run: RunDir, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(tmp_path / "ball.mp4")
    said = fails(capsys, "replay", str(run.path), "g1c0", "human reward", "--video", path)
    assert "A video shows one reward, got 2: g1c0, human reward." in said
