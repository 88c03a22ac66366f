"""The report is written while a run works, and by the commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from eureka_agent.cli.main import main
from eureka_agent.errors import UsageError
from eureka_agent.records import Generation
from eureka_agent.report.html import writer
from eureka_agent.report.html.writer import ReportWriter, write_comparison
from eureka_agent.runs.directory import RunDir
from eureka_agent.runs.store import Store
from eureka_agent.search.events import GenerationFinished, GenerationStarted
from tests.support.cli import fails
from tests.support.html_page import Page
from tests.support.stored_run import stored_run


def test_a_run_leaves_its_report(run_path: Path) -> None:
    page = Page((run_path / "report.html").read_text("utf-8"))
    assert page.all("span", class_="good")[0].text == "finished"


def test_the_report_is_written_after_each_generation(tmp_path: Path) -> None:
    run = stored_run(tmp_path / "run", finished=False)
    with Store.open(run.database) as store:
        write = ReportWriter(run, store)
        write(GenerationStarted(1))
        assert not run.report.exists()
        write(GenerationFinished(Generation(0, (), None)))
    assert "not finished: 1 of 2 generations" in run.report.read_text("utf-8")


def test_a_fault_in_a_page_costs_the_page_and_not_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> str:
        raise KeyError("a fault of ours")

    monkeypatch.setattr(writer, "report_page", broken)
    run = stored_run(tmp_path / "run")
    with Store.open(run.database) as store:
        ReportWriter(run, store)(GenerationFinished(Generation(0, (), None)))
    assert not run.report.exists()
    assert "a fault of ours" in run.fault("report").read_text("utf-8")


def test_the_command_writes_into_the_runs_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = stored_run(tmp_path / "run")
    assert main(["report", "run", "--runs-dir", str(tmp_path)]) == 0
    assert str(run.report) in capsys.readouterr().out
    assert Page(run.report.read_text("utf-8")).unbalanced == []


def test_the_command_writes_elsewhere_and_leaves_the_folder_alone(tmp_path: Path) -> None:
    run = stored_run(tmp_path / "run")
    out = tmp_path / "page.html"
    assert main(["report", str(run.path), "--out", str(out)]) == 0
    assert out.read_text("utf-8").startswith("<!doctype html>")
    assert not run.report.exists()


def test_a_link_in_a_foreign_folder_is_refused_and_not_followed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = stored_run(tmp_path / "run")
    precious = tmp_path / "precious"
    precious.write_text("mine")
    run.report.symlink_to(precious)
    assert "a symbolic link" in fails(capsys, "report", str(run.path))
    assert precious.read_text() == "mine"


def test_a_page_that_cannot_be_written_is_a_usage_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = stored_run(tmp_path / "run")
    folder = tmp_path / "folder"
    folder.mkdir()
    error = fails(capsys, "report", str(run.path), "--out", str(folder))
    assert "choose another --out" in error


def test_a_comparison_of_two_runs_is_written(tmp_path: Path) -> None:
    first, second = stored_run(tmp_path / "one"), stored_run(tmp_path / "two", finished=False)
    out = tmp_path / "compare.html"
    arguments = ["compare", "one", "two", "--runs-dir", str(tmp_path), "--out", str(out)]
    assert main(arguments) == 0
    page = Page(out.read_text("utf-8"))
    assert {first.name, second.name} <= {each.text for each in page.all("td")}


def test_a_comparison_needs_two_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = stored_run(tmp_path / "one")
    with pytest.raises(UsageError, match="at least two runs"):
        write_comparison([RunDir(run.path)], tmp_path / "out.html")
    assert "at least two" in fails(capsys, "compare", str(run.path))


@pytest.mark.slow
def test_the_last_lines_of_a_run_name_the_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--task", "cartpole", "--quick", "--environment-steps", "512"]
    arguments += ["--num-envs", "8", "--generations", "1", "--samples", "1", "--seeds", "1"]
    assert main(["synthesize", *arguments, "--runs-dir", str(tmp_path)]) == 0
    last = capsys.readouterr().out.splitlines()[-8:]
    assert any(line.startswith("report.html") for line in last)


def test_a_page_is_opened_in_the_browser_only_if_that_is_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    run = stored_run(tmp_path / "run")
    assert main(["report", str(run.path)]) == 0
    assert opened == []
    assert main(["report", str(run.path), "--open"]) == 0
    assert opened == [run.report.resolve().as_uri()]
