"""The page with replays: what is chosen, and that it lets nothing in or out."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from eureka_agent.errors import UsageError
from eureka_agent.report import RunReport, run_report
from eureka_agent.report.html.replay_page import ShownReplay, recorded_replays, replay_page
from eureka_agent.runs.store import Store
from tests.support.replays import ball_replay, ball_scene
from tests.support.stored_run import stored_run

BEST = "g1c0"


class Source:
    """Replays in memory."""

    def __init__(self, replays: Mapping[str, bytes], scene: bytes | None = b"scene") -> None:
        self._replays = replays
        self._scene = scene

    def scene(self) -> bytes | None:
        return self._scene

    def replays(self) -> tuple[str, ...]:
        return tuple(self._replays)

    def replay(self, name: str) -> bytes | None:
        return self._scene if name == "scene" else self._replays.get(name)


ALL = Source({name: name.encode() for name in ("human reward", "sparse reward", "g0c0", BEST)})


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunReport:
    folder = tmp_path_factory.mktemp("runs") / "run"
    with Store.open(stored_run(folder).database, writable=False) as store:
        return run_report(store)


def labels(source: Source, run: RunReport, *names: str) -> list[str]:
    return [shown.label for shown in recorded_replays(source, run, names)[1]]


def test_the_best_and_the_references_are_shown_if_nothing_is_named(run: RunReport) -> None:
    assert labels(ALL, run) == [f"{BEST} (best)", "human reward", "sparse reward"]


def test_named_replays_are_shown_in_the_order_of_their_names(run: RunReport) -> None:
    scene, shown = recorded_replays(ALL, run, ("g0c0", "human reward"))
    assert scene == b"scene"
    assert shown == [
        ShownReplay("g0c0", b"g0c0"),
        ShownReplay("human reward", b"human reward"),
    ]


def test_the_first_ones_are_shown_if_neither_best_nor_references_were_recorded(
    run: RunReport,
) -> None:
    source = Source(dict.fromkeys(("g0c0", "g0c1", "g0c2", "g0c3"), b""))
    assert labels(source, run) == ["g0c0", "g0c1", "g0c2"]


@pytest.mark.parametrize("name", ["g9c9", "scene", ""])
def test_an_unknown_name_is_refused_with_those_that_there_are(run: RunReport, name: str) -> None:
    with pytest.raises(UsageError, match="It has those of human reward, sparse reward, g0c0"):
        recorded_replays(ALL, run, (name,))


@pytest.mark.parametrize("source", [Source({}), Source({"g0c0": b""}, scene=None)])
def test_a_run_without_replays_says_why(run: RunReport, source: Source) -> None:
    with pytest.raises(UsageError, match="has no replays: none of its policies was evaluated yet"):
        recorded_replays(source, run)


def test_the_page_allows_its_own_viewer_alone(run: RunReport) -> None:
    page = replay_page(run, ball_scene(), [ShownReplay("g0c0", ball_replay())])
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    assert len(scripts) == 1
    digest = base64.b64encode(hashlib.sha256(scripts[0].encode()).digest()).decode("ascii")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    assert policy[1].startswith(
        f"default-src &#39;none&#39;; script-src &#39;sha256-{digest}&#39;;"
    )


def test_what_a_run_says_is_escaped(run: RunReport, tmp_path: Path) -> None:
    markup = "<b onclick='x'>\u202e"
    page = replay_page(run, b"</script><script>", [ShownReplay(markup, b"</script>")])
    assert "<b onclick" not in page
    assert "\u202e" not in page
    assert page.count("</script>") == 3
