"""Ancestors of candidates, their code differences, and the list of runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from eureka_agent.cli.main import main
from eureka_agent.report import overview, run_report
from eureka_agent.runs.store import Store
from tests.support.stored_run import stored_run

CHANGE = """\
--- g0c0
+++ g1c0
@@ -1,3 +1,3 @@
 def compute_reward(dof_pos):
     x = dof_pos[:, 1]
-    return -x.abs(), {'x': x}
+    return -2.0 * x.abs(), {'x': x}
"""


def run_cli(capsys: pytest.CaptureFixture[str], *args: str, code: int = 0) -> str:
    assert main(args) == code
    captured = capsys.readouterr()
    return captured.err if code else captured.out


def test_ancestors(tmp_path: Path) -> None:
    with Store.open(stored_run(tmp_path / "run").database, writable=False) as store:
        report = run_report(store)
    assert report.ancestors("g1c1") == ("g0c0", "g1c1")
    assert report.ancestors("g0c1") == ("g0c1",)
    assert report.lineage == ("g0c0", "g1c0")


def test_show_prints_the_lineage_of_the_best(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = run_cli(capsys, "show", str(stored_run(tmp_path / "run").path))
    assert "Lineage: g0c0 (5.00) → g1c0 (7.00)." in out
    assert "Not finished" not in out
    out = run_cli(capsys, "show", str(stored_run(tmp_path / "half", finished=False).path))
    assert "Lineage" not in out  # its best has no parent
    assert "checked, not trained yet" in out
    assert "proposed, not trained yet" in out
    assert "Not finished" in out


@pytest.mark.parametrize("finished", [True, False])
def test_code_diff_between_candidates(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], finished: bool
) -> None:
    run = str(stored_run(tmp_path / "run", finished=finished).path)
    assert run_cli(capsys, "diff", run, "g1c0") == CHANGE
    assert run_cli(capsys, "diff", run, "g0c0", "g1c0") == CHANGE
    assert "+    return -x.abs()" in run_cli(capsys, "diff", run, "g1c0", "g0c0")
    assert run_cli(capsys, "diff", run, "g1c1") == "The code is the same.\n"


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["g0c0"], "g0c0 has no parent: name the candidate to compare it with."),
        (["g0c1", "g0c0"], "g0c1 has no code: The answer holds no Python function"),
        (["g1c0", "g1c7"], "The run has no candidate 'g1c7'. Did you mean"),
        (["best"], "The run has no candidate 'best'. It has g0c0, g0c1, g1c0, g1c1."),
        (["g1"], "The run has no candidate 'g1'."),
    ],
)
def test_candidates_that_cannot_be_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], names: list[str], says: str
) -> None:
    run = str(stored_run(tmp_path / "run").path)
    assert says in run_cli(capsys, "diff", run, *names, code=2)


def test_the_list_of_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "150")
    done, half = stored_run(tmp_path / "a-done"), stored_run(tmp_path / "b-half", finished=False)
    (tmp_path / "no-run").mkdir()
    out = run_cli(capsys, "runs", str(tmp_path))
    head, first, second = out.splitlines()
    assert head.split() == ["run", "task", "state", "generations", "best", "cost", "started"]
    assert first.split()[:9] == [
        "a-done",
        "cartpole",
        "finished",
        "2",
        "of",
        "2",
        "g1c0",
        "7.00",
        "$1.00",
    ]
    assert second.split()[:9] == [
        "b-half",
        "cartpole",
        "interrupted",
        "1",
        "of",
        "2",
        "g0c0",
        "5.00",
        "$1.00",
    ]
    with Store.open(half.database):
        assert overview(half).state == "running"
        assert overview(done).state == "finished"
    done.database.write_bytes(b"diary")
    assert overview(done).state == "damaged"
    assert "file is not a database" in overview(done).damage
    (tmp_path / "empty").mkdir()
    assert "There are no runs in" in run_cli(capsys, "runs", str(tmp_path / "empty"))
