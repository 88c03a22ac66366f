"""The folder of a run and the paths of its files."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from eureka_agent.errors import RunDirError, StoreError
from eureka_agent.runs.sqlite import demand_locks
from eureka_agent.text import shortened
from eureka_agent.utils.did_you_mean import did_you_mean
from eureka_agent.utils.paths import user_path

_LONGEST_NAME = 100


@dataclass(frozen=True)
class RunDir:
    """Paths of one run.

    `run.db` is authoritative; the other files are written from it for people to read.

    Args:
        path: The run's folder.
    """

    path: Path

    @property
    def name(self) -> str:
        """The run's name, which is that of its folder."""
        return self.path.name

    @property
    def database(self) -> Path:
        """SQLite: config, prompts, completions, outcomes, policies."""
        return self.path / "run.db"

    @property
    def best_reward(self) -> Path:
        """Source of the best reward so far."""
        return self.path / "best_reward.py"

    @property
    def measure(self) -> Path:
        """Source of the success measure of `--judge code`."""
        return self.path / "measure.py"

    @property
    def policy(self) -> Path:
        """The policy trained with the best reward."""
        return self.path / "policy.safetensors"

    @property
    def checkpoint(self) -> Path:
        """The training in progress; a resumed run continues it."""
        return self.path / "training.safetensors"

    @property
    def summary(self) -> Path:
        """Final figures as JSON."""
        return self.path / "summary.json"

    @property
    def replays(self) -> Path:
        """Page with replays, written by `eureka-agent replay`."""
        return self.path / "replay.html"

    @property
    def report(self) -> Path:
        """All of the run as one HTML page."""
        return self.path / "report.html"

    @property
    def curves(self) -> Path:
        """TensorBoard event files, one folder per candidate."""
        return self.path / "tensorboard"

    @property
    def progress(self) -> Path:
        """What the run does at the moment, as JSON, for pages that show it."""
        return self.path / "progress.json"

    def question(self, generation: int) -> Path:
        """Return the path of the question to a person about a generation.

        Args:
            generation: The generation's index.
        """
        return self.path / "feedback" / f"g{generation}_question.json"

    def draft(self, generation: int) -> Path:
        """Return the path of a person's answer to it, submitted or not.

        Args:
            generation: The generation's index.
        """
        return self.path / "feedback" / f"g{generation}_draft.json"

    def fault(self, candidate: str) -> Path:
        """Return the path for the traceback of an internal error.

        Args:
            candidate: Name of the candidate that it happened with.
        """
        return self.path / "faults" / f"{candidate}.txt"

    def prompt(self, generation: int, attempt: int, plan: int = 0) -> Path:
        """Return the path of a prompt.

        Args:
            generation: The generation's index.
            attempt: Which attempt at it, from 0.
            plan: Which of the attempt's prompts, from 0.
        """
        retry, part = f"_retry_{attempt}" if attempt else "", f"_plan_{plan}" if plan else ""
        return self.path / "prompts" / f"generation_{generation}{retry}{part}.md"

    def repair(self, candidate: str, number: int) -> Path:
        """Return the path of a prompt that sends a completion back.

        Args:
            candidate: The candidate's name.
            number: Which repair of it, from 1.
        """
        return self.path / "prompts" / f"{candidate}_repair_{number}.md"

    def completion(self, candidate: str) -> Path:
        """Return the path of a completion.

        Args:
            candidate: The candidate's name.
        """
        return self.path / "completions" / f"{candidate}.md"

    @classmethod
    def create(cls, runs_dir: Path, task: str, name: str | None = None) -> RunDir:
        """Create the folder of a new run.

        Args:
            runs_dir: Folder that holds the runs; created if it is missing.
            task: The task's name.
            name: The run's name; by default `<date>-<task>-<short id>`.

        Returns:
            The new folder.

        Raises:
            RunDirError: The name is not valid or taken, or the folder cannot be written.
        """
        if name is not None:
            check_run_name(name)
        runs_dir = user_path(runs_dir)
        folder = name or f"{datetime.now():%Y%m%d-%H%M%S}-{_slug(task)}-{secrets.token_hex(2)}"
        run = cls(runs_dir / folder)
        try:
            runs_dir.mkdir(parents=True, exist_ok=True)
            demand_locks(runs_dir)
            run.path.mkdir()
            (run.path / "prompts").mkdir()
            (run.path / "completions").mkdir()
        except FileExistsError as error:
            if run.path.exists():
                advice = (
                    f"Continue it with `eureka-agent resume {run.path}`"
                    if run.database.exists()
                    else "The folder does not hold a run: delete it"
                )
                raise RunDirError(
                    f"The run {run.path} exists already. {advice}, or choose another --run-name."
                ) from error
            raise RunDirError(f"{runs_dir} is not a folder: choose another --runs-dir.") from error
        except OSError as error:
            raise RunDirError(
                f"Cannot write to {runs_dir} ({error.strerror}): choose another folder with"
                " --runs-dir."
            ) from error
        return run

    @classmethod
    def all_in(cls, runs_dir: Path) -> list[RunDir]:
        """Return the runs of a folder.

        Args:
            runs_dir: Folder that holds the runs.

        Returns:
            The runs by name, so that runs with a default name are in the order of their start.

        Raises:
            RunDirError: The folder does not exist.
        """
        runs_dir = user_path(runs_dir)
        if not runs_dir.is_dir():
            raise RunDirError(
                f"There is no folder {runs_dir}: name the folder that holds the runs."
            )
        return [cls(path) for path in sorted(runs_dir.iterdir()) if (path / "run.db").is_file()]

    @classmethod
    def find(cls, run: str, runs_dir: Path) -> RunDir:
        """Return an existing run.

        Args:
            run: Its path, its name, or the start of its name.
            runs_dir: Folder that holds the runs.

        Returns:
            The run.

        Raises:
            RunDirError: There is no such run, or several have names that start like this.
        """
        runs_dir, path_of_run = user_path(runs_dir), user_path(run)
        names = (
            sorted(p.name for p in runs_dir.iterdir() if (p / "run.db").exists())
            if runs_dir.is_dir()
            else []
        )
        starting = [name for name in names if name.startswith(run)] if run else []
        for path in (
            path_of_run,
            runs_dir / run,
            *(runs_dir / name for name in starting if len(starting) == 1),
        ):
            if (path / "run.db").exists():
                return cls(path)
        if len(starting) > 1:
            raise RunDirError(f"{run!r} is the start of several runs: {', '.join(starting)}.")
        known = (
            f" Runs in {runs_dir}: {', '.join(names[-5:])}."
            if names
            else f" There are no runs in {runs_dir}."
        )
        raise RunDirError(f"There is no run {run!r}.{did_you_mean(run, names)}{known}")


def check_run_name(name: str) -> None:
    """Raise RunDirError if a run's folder cannot have this name."""
    allowed = re.fullmatch(r"\w[\w.-]*", name)
    if not allowed or len(name.encode()) > _LONGEST_NAME:
        shown = repr(shortened(name, 100))
        raise RunDirError(
            "A run's name (--run-name) consists of letters, digits, '.', '_' and '-', starts with a"
            f" letter or digit, and has at most {_LONGEST_NAME} bytes; got {shown}."
        )


@contextmanager
def saving(path: Path) -> Iterator[None]:
    """Turn an OSError while files for people are written into a StoreError with one sentence."""
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"Cannot write to {path} ({error.strerror or error}). The database is intact: fix the"
            " problem, then resume the run."
        ) from error


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.casefold()).strip("_")[:40] or "task"
