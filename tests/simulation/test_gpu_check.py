"""The GPU check, run on Warp's CPU device: it reports what passes, fails and is skipped."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("mujoco_warp")

from benchmarks import gpu_check

pytestmark = pytest.mark.timeout(900)  # compiling, on a busy machine


def test_each_part_reports_its_result(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = ("diverged envs", "graph rewards", "throughput cartpole")
    assert gpu_check.main(["--device", "cpu", *parts]) == 0
    lines = capsys.readouterr().out.splitlines()
    results = dict(re.split("  +", line)[:2] for line in lines if line.startswith(parts))
    assert results == {"diverged envs": "ok", "graph rewards": "ok", "throughput cartpole": "skip"}
    assert any(
        re.search(r"ok +\d\d rewards on cpu; 0 of [\d,]{6,} values differ", line) for line in lines
    )


def test_part_that_fails_is_reported_and_the_others_run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpu_check, "MAX_MEDIAN", -1.0)
    assert gpu_check.main(["--device", "cpu", "diverged envs", "parity cartpole"]) == 1
    results = capsys.readouterr().out
    assert re.search("parity cartpole +FAIL  AssertionError: positions differ by", results)
    assert re.search("diverged envs +ok", results)


def test_what_cannot_be_checked(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SystemExit, match="2"):
        gpu_check.main(["--device", "cpu", "everything"])
    assert "there is no part everything; the parts are resets, diverged envs" in " ".join(
        capsys.readouterr().err.split()
    )
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert gpu_check.main([]) == 2
    assert "torch finds no CUDA device" in capsys.readouterr().out
