"""Work on a disk that gets full and is then enlarged: `full_disk.py FOLDER`, in a mount namespace."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import torch

from eureka_agent.cli.main import main
from eureka_agent.errors import StoreError
from eureka_agent.records import Completion, Generation
from eureka_agent.report.artifacts import FileWriter
from eureka_agent.runs.directory import RunDir
from eureka_agent.runs.store import Store
from eureka_agent.search.events import CompletionReceived, GenerationFinished
from eureka_agent.tasks.registry import load_task
from eureka_agent.training import Checkpoint
from eureka_agent.training.checkpoint import TrainingState
from tests.support.stored_run import stored_run

DISK = Path(sys.argv[1])
FILL = DISK / "fill"
SPEC = load_task("cartpole").reward_inputs


def remount(size: str) -> None:
    subprocess.run(["mount", "-o", f"remount,size={size}", str(DISK)], check=True)


def fill() -> None:
    """Fill the disk to the last byte."""
    with FILL.open("wb", buffering=0) as file:
        for piece in (4096, 1):
            with suppress(OSError):
                while file.write(b"x" * piece):
                    pass


def refused(what: str) -> str:
    """Try to write too much; return the error message."""
    run = RunDir(DISK / "run")
    try:
        if what == "database":
            with Store.open(run.database) as store:
                for k in range(2, 9_999):
                    store.save_completion(0, Completion(k, "x" * 3_000, "model"))
        elif what == "completion":
            with Store.open(run.database, writable=False) as store:
                FileWriter(run, store, SPEC)(
                    CompletionReceived(0, Completion(0, "x" * 9_000, "model"))
                )
        elif what == "policy":
            with Store.open(run.database, writable=False) as store:
                best = store.outcomes()[0]
                FileWriter(run, store, SPEC)(GenerationFinished(Generation(0, (best,), best)))
        else:
            facts = TrainingState(0, 0, 0.0, [], [])
            Checkpoint(run.checkpoint, "key").save(facts, {"x": torch.zeros(99_999)})
    except StoreError as error:
        return str(error)
    raise AssertionError(f"{what} was written")


run = stored_run(DISK / "run", finished=False)
(run.path / "completions").mkdir()
message = refused("database")
assert "is full" in message, message
assert "Earlier data is intact" in message, message
with Store.open(run.database) as store:
    kept = store.completions(0)
    assert len(kept) > 5
    assert all(len(kept[k].text) == 3_000 for k in range(2, len(kept)))
fill()
for what in ("completion", "policy", "training"):
    message = refused(what)
    assert "No space left" in message or "I/O" in message, message
assert not run.checkpoint.exists()
assert not run.checkpoint.with_suffix(".new").exists()
assert main(["show", str(run.path)]) == 0
assert main(["export", str(run.path), "--out", str(DISK / "run.json")]) == 2
assert main(["synthesize", "--task", "cartpole", "--quick", "--runs-dir", str(DISK)]) in (1, 2)
FILL.unlink()
remount("8m")
with Store.open(run.database) as store:
    assert store.completions(0) == kept
    store.save_completion(1, Completion(9, "room again", "model"))
assert main(["export", str(run.path), "--out", str(DISK / "run.json")]) == 0
sys.stdout.write("all is well\n")
