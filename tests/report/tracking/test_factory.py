from __future__ import annotations

import sys
from pathlib import Path

import pytest

from eureka_agent.cli.main import main, synthesize_main
from eureka_agent.config import SynthesisConfig, TrackerName
from eureka_agent.errors import ConfigError, UsageError
from eureka_agent.report.tracking.factory import make_trackers, tracked
from eureka_agent.search.events import Event, TrackingFailed
from tests.support import run_events as runs
from tests.support.recording_tracker import RecordingTracker


def hide(package: str, module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Do what Python does for `import` of a package that is not there."""
    monkeypatch.delitem(sys.modules, module, raising=False)
    for name in [name for name in sys.modules if name.split(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)


@pytest.mark.parametrize("name", ["wandb", "mlflow"])
def test_missing_package_is_named_before_anything_starts(
    name: TrackerName,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    hide(name, f"eureka_agent.report.tracking.{name}", monkeypatch)
    with pytest.raises(UsageError, match=rf'needs {name}.*: pip install "eureka-agent\[{name}\]"'):
        make_trackers([name])
    arguments = ["--task", "cartpole", "--log", name, "--runs-dir", str(tmp_path)]
    assert synthesize_main(arguments) == 2
    assert "pip install" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_without_log_there_is_tensorboard_alone(tmp_path: Path) -> None:
    assert make_trackers(()) == {}
    with tracked({}, tmp_path, None) as track:
        for event in runs.baseline_training():
            track(event)
    assert {path.name for path in tmp_path.iterdir()} == {"human_reward", "sparse_reward"}


def test_failed_tracker_is_shown_and_the_others_go_on(tmp_path: Path) -> None:
    class Broken(RecordingTracker):
        def open_training(self, name: str) -> None:
            raise ValueError("no")

    other = RecordingTracker()
    shown: list[Event] = []
    with tracked({"wandb": Broken(), "mlflow": other}, tmp_path, shown.append) as track:
        for event in runs.baseline_training():
            track(event)
    assert shown == [TrackingFailed("wandb", "no")]
    assert len(other.curves["human reward"]) == 3


@pytest.mark.parametrize("wrong", [("tensorboard",), ("wandb", 1)])
def test_unknown_tracker_is_refused(wrong: tuple[object, ...]) -> None:
    with pytest.raises(ConfigError, match="each entry 'wandb' or 'mlflow'"):
        SynthesisConfig.of("cartpole", log=wrong)


def test_resume_takes_trackers(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["resume", "--help"]) == 0
    assert "--log" in capsys.readouterr().out
