"""What the pages load besides themselves: scripts, styles, replays, and the state of a run."""

from __future__ import annotations

import hashlib
import math
import time
from functools import cache
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from eureka_agent.report import html as report_html
from eureka_agent.report.formatting import approximate, number, quantity
from eureka_agent.runs.directory import RunDir
from eureka_agent.runs.progress import RunProgressRecord, read_progress
from eureka_agent.runs.sqlite import is_claimed
from eureka_agent.runs.store import Store
from eureka_agent.server.runs import Runs

_FOLDERS = (Path(__file__).parent / "assets", Path(report_html.__file__).parent / "assets")
_KINDS = {".css": "text/css", ".js": "text/javascript"}


class Data:
    """Answers the requests of scripts and figures."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs

    def asset(self, request: Request) -> Response:
        """Return a script or a style of ours."""
        name = request.path_params["name"]
        if name not in _assets():
            raise HTTPException(404, "There is no such file.")
        kind = _KINDS[Path(name).suffix]
        headers = {"Cache-Control": "private, max-age=31536000, immutable"}
        return Response(_assets()[name], media_type=kind, headers=headers)

    def scene(self, request: Request) -> Response:
        """Return a run's scene pack."""
        with self._open(request) as store:
            return _pack(store.scene())

    def replay(self, request: Request) -> Response:
        """Return the replay pack of a candidate or a reference."""
        name = request.path_params["candidate"]
        with self._open(request) as store:
            return _pack(store.replay(name) if name in store.replays() else None)

    def live(self, request: Request) -> Response:
        """Return what a run does at this moment, without opening its database."""
        run = self._runs.find(request.path_params["run"])
        self._runs.followed_at = time.monotonic()
        return JSONResponse(live_state(run))

    def _open(self, request: Request) -> Store:
        run = self._runs.find(request.path_params["run"])
        return Store.open(run.database, writable=False)


def live_state(run: RunDir) -> dict[str, object]:
    """Return a run's state for the script of its pages.

    Args:
        run: The run.

    Returns:
        `page`, which changes when the page has to be loaded again; `line`, one sentence; `share` of
        the training in progress, or None; `members`, name, phase and fitness in words for each.
    """
    progress, running = read_progress(run), is_claimed(run.database)
    members: list[list[str]] = []
    if progress is not None and running and progress.activity in ("asking", "training"):
        members = [
            [each.name, each.phase, "" if each.fitness is None else number(each.fitness)]
            for each in progress.members
        ]
    return {
        "page": _page_state(progress, running=running),
        "line": doing(progress, running=running),
        "share": _share(progress) if running else None,
        "members": members,
    }


def doing(progress: RunProgressRecord | None, *, running: bool) -> str:
    """Return what a run does at the moment, in one sentence."""
    if progress is None:
        return "A process works on this run." if running else ""
    if progress.activity == "finished":
        return "The search is complete."
    if not running:
        return "No process works on this run: it was stopped."
    name = "" if progress.generation is None else f" g{progress.generation}"
    left = "" if progress.run_left_s is None else f"; {approximate(progress.run_left_s)} left"
    match progress.activity:
        case "training" if progress.total_steps:
            done = quantity(progress.environment_steps)
            return (
                f"Policies of generation{name} train: {done} of {quantity(progress.total_steps)}"
                f" environment steps each{left}."
            )
        case "waiting":
            return f"Generation{name} waits for your answer."
        case "training":
            return f"Policies of generation{name} train{left}."
        case "asking":
            return f"Rewards are proposed and checked{left}."
    return "The run starts."


def _share(progress: RunProgressRecord | None) -> float | None:
    if progress is None or progress.activity != "training" or not progress.total_steps:
        return None
    share = progress.environment_steps / progress.total_steps
    return min(1.0, share) if math.isfinite(share) and share >= 0.0 else None


def _page_state(progress: RunProgressRecord | None, *, running: bool) -> str:
    """Return a text that changes when a page shows something else than before."""
    if progress is None:
        return str(running)
    waits = progress.activity == "waiting"
    parts = (running, progress.activity == "finished", waits, progress.finished_generations)
    return " ".join(map(str, parts))


def _pack(pack: bytes | None) -> Response:
    if pack is None:
        raise HTTPException(404, "There is no such replay.")
    return Response(pack, media_type="application/octet-stream")


@cache
def _assets() -> dict[str, bytes]:
    """Return our scripts and styles by name, read once."""
    return {
        path.name: path.read_bytes()
        for folder in _FOLDERS
        for path in sorted(folder.iterdir())
        if path.suffix in _KINDS
    }


@cache
def asset_address(name: str) -> str:
    """Return the address of a script or a style, which changes with its content."""
    digest = hashlib.sha256(_assets()[name]).hexdigest()
    return f"/assets/{name}?v={digest[:12]}"
