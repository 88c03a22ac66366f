"""Curves and results in Weights & Biases (the extra `wandb`).

A search is a group of runs: one for each training, and one of the type `search` with the result.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import wandb

from eureka_agent.errors import UsageError
from eureka_agent.report.tracking.tracker import SearchInfo, SearchResult

_STEPS = "environment_steps"
_PROJECT = "eureka_agent"


class WandbTracker:
    """Writes runs to `wandb/` next to the run's folder; with WANDB_MODE=online it sends them, too.

    They are not in the run's folder, because Weights & Biases makes symbolic links, which are
    refused there.

    The variables of Weights & Biases hold: WANDB_PROJECT, WANDB_ENTITY, WANDB_API_KEY and others.
    """

    def __init__(self) -> None:
        """Check the mode. Raises UsageError if runs shall be sent and there is no key."""
        self._mode: Any = os.environ.get("WANDB_MODE", "offline")  # wandb checks it
        self._search: SearchInfo | None = None
        self._search_run: Any = None
        self._runs: dict[str, Any] = {}
        if self._mode != "online":
            return
        wandb.setup(wandb.Settings(silent=True))  # the display has the terminal
        if wandb.run is None and not wandb.login(prompt=False, verify=False):
            raise UsageError(
                "--log wandb with WANDB_MODE=online needs a key: run `wandb login` once, or leave"
                " WANDB_MODE out and send the run later with `wandb sync`."
            )

    def open_search(self, search: SearchInfo) -> None:
        """See `Tracker.open_search`."""
        self._search = search
        self._search_run = self._init(search.name, "search", {})

    def open_training(self, name: str) -> None:
        """See `Tracker.open_training`; a training that starts over has a second run."""
        run = self._init(name, "training", {"training": name})
        run.define_metric(_STEPS, hidden=True)
        run.define_metric("*", step_metric=_STEPS)
        self._runs[name] = run

    def log(self, name: str, numbers: Mapping[str, float], environment_steps: int) -> None:
        """See `Tracker.log`."""
        self._runs[name].log({**numbers, _STEPS: environment_steps})

    def close_training(self, name: str, results: Mapping[str, float] | None) -> None:
        """See `Tracker.close_training`; a run without results is marked as failed."""
        run = self._runs.pop(name)
        run.summary.update(dict(results or {}))
        run.finish(exit_code=int(results is None))

    def close_search(self, result: SearchResult | None) -> None:
        """See `Tracker.close_search`; the best reward's code becomes an artifact."""
        run = self._search_run
        if result is not None:
            run.summary.update({**result.numbers, "best": result.best, "report": result.report})
            if result.best_reward is not None:
                run.log_artifact(_artifact(f"best-reward-{run.group}", result.best_reward))
        run.finish(exit_code=int(result is None))

    def _init(self, name: str, kind: str, more: Mapping[str, str]) -> Any:
        """Begin a run; several are open at once."""
        assert self._search is not None  # it is opened first
        return wandb.init(
            project=os.environ.get("WANDB_PROJECT", _PROJECT),
            group=self._search.name,
            job_type=kind,
            name=name,
            config={**self._search.settings, **more},
            dir=self._search.folder.parent,
            mode=self._mode,
            reinit="create_new",
            settings=_settings(),
        )


def _settings() -> wandb.Settings:
    """Return settings that keep a run to what is passed to it: no output, machine or code."""
    return wandb.Settings(
        silent=True,
        console="off",
        disable_git=True,
        save_code=False,
        x_disable_stats=True,
        x_disable_meta=True,
        x_save_requirements=False,
    )


def _artifact(name: str, file: Path) -> wandb.Artifact:
    artifact = wandb.Artifact(re.sub(r"[^A-Za-z0-9_.-]+", "-", name), type="reward")
    artifact.add_file(str(file))
    return artifact
