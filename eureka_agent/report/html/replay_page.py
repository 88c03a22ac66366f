"""Replays of one run side by side on one clock, as one file that loads nothing."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from eureka_agent.errors import UsageError
from eureka_agent.report.formatting import BASELINES
from eureka_agent.report.html.environment import html_environment, script, standalone_policy, style
from eureka_agent.report.html.replays import ReplaySource
from eureka_agent.report.model import RunReport
from eureka_agent.utils.did_you_mean import did_you_mean

_REFERENCES = (BASELINES["human"], BASELINES["sparse"])
_SHOWN_NAMES = 12


@dataclass(frozen=True)
class ShownReplay:
    """One figure of the page."""

    label: str
    """What stands above it, such as `g1c3 (best)`."""
    pack: bytes
    """The replay pack (`simulation/recording.py`)."""

    @property
    def text(self) -> str:
        """The pack as base64."""
        return base64.b64encode(self.pack).decode("ascii")


def replay_page(report: RunReport, scene: bytes, replays: Sequence[ShownReplay]) -> str:
    """Return the page.

    Args:
        report: The run.
        scene: The run's scene pack (`simulation/scene.py`).
        replays: What to show, in order.

    Returns:
        HTML with everything inside: viewer, scene and replays. No request can leave it.
    """
    viewer = script("viewer.js")
    template = html_environment().get_template("replay.html")
    return template.render(
        report=report,
        scene=base64.b64encode(scene).decode("ascii"),
        replays=replays,
        style=style(),
        viewer=viewer,
        policy=standalone_policy([viewer]),
    )


def recorded_replays(
    source: ReplaySource, report: RunReport, names: Sequence[str] = ()
) -> tuple[bytes, list[ShownReplay]]:
    """Return a run's scene and some of its replays.

    Args:
        source: Where the run's replays come from, such as its open `Store`.
        report: The run.
        names: Names of candidates, `human reward` or `sparse reward`; by default the best reward
            and both references, or the first three if none of these was recorded.

    Returns:
        The scene pack, and the replays in the order of their names.

    Raises:
        UsageError: The run has no replays, or none of such a name.
        StoreError: The database is damaged.
    """
    scene, recorded = source.scene(), source.replays()
    if scene is None or not recorded:
        raise UsageError(
            f"The run {report.name} has no replays: none of its policies was evaluated yet, or its"
            " simulator cannot record episodes."
        )
    best = report.result.best
    best_name = best.candidate.name if best is not None else ""
    usual = [each for each in (best_name, *_REFERENCES) if each in recorded]
    shown: list[ShownReplay] = []
    for name in names or usual or recorded[:3]:
        pack = source.replay(name) if name in recorded else None
        if pack is None:
            raise UsageError(_unknown(name, recorded))
        shown.append(ShownReplay(f"{name} (best)" if name == best_name else name, pack))
    return scene, shown


def _unknown(name: str, recorded: Sequence[str]) -> str:
    first = ", ".join(recorded[:_SHOWN_NAMES])
    more = " and so on" if len(recorded) > _SHOWN_NAMES else ""
    return (
        f"The run has no replay of {name!r}.{did_you_mean(name, recorded)} It has those of"
        f" {first}{more}."
    )
