"""Which replays a page holds, and the packs in it."""

from __future__ import annotations

import base64
import math
from dataclasses import dataclass, field
from typing import Protocol

from eureka_agent.report.formatting import BASELINES
from eureka_agent.report.model import RunReport

BUDGET = 10_000_000
"""Bytes of a page that replays may take, as base64; the rest of 15 MB is for all else."""


class ReplaySource(Protocol):
    """Where replays come from; a run's `Store` is one."""

    def scene(self) -> bytes | None:
        """Return the packed scene of all replays."""

    def replays(self) -> tuple[str, ...]:
        """Return the names of the rewards that have a replay."""

    def replay(self, name: str) -> bytes | None:
        """Return a reward's packed replay."""


@dataclass(frozen=True)
class Pack:
    """A packed scene or replay as it stands in a page."""

    id: str
    """Of the element that holds it."""
    base64: str


@dataclass(frozen=True)
class PageReplays:
    """The replays of a page."""

    scene: Pack | None = None
    packs: dict[str, Pack] = field(default_factory=dict)
    """By the reward's name."""
    left_out: tuple[str, ...] = ()
    """Rewards whose replays do not fit into the page."""

    def address(self, name: str) -> str | None:
        """Return what a figure shows: `#` and the id of the pack; None without a replay here."""
        return f"#{self.packs[name].id}" if name in self.packs else None


def page_replays(report: RunReport, source: ReplaySource | None, budget: int) -> PageReplays:
    """Choose the replays of a page: the most important ones that fit.

    Args:
        report: The run.
        source: Its replays; None for a page without any.
        budget: The most bytes of all packs as base64.

    Returns:
        The packs: of the best, the references, the best of each generation, then by fitness.
    """
    scene = source.scene() if source is not None else None
    if source is None or scene is None:
        return PageReplays()
    shared = Pack("scene", _text(scene))
    left = budget - len(shared.base64)
    stored = set(source.replays())
    packs: dict[str, Pack] = {}
    left_out = []
    for name in by_importance(report):
        data = source.replay(name) if name in stored else None
        if data is None:
            continue
        text = _text(data)
        if len(text) > left:
            left_out.append(name)
            continue
        left -= len(text)
        packs[name] = Pack(f"replay-{len(packs)}", text)
    return PageReplays(shared, packs, tuple(left_out))


def by_importance(report: RunReport) -> list[str]:
    """Return the names of all rewards that can have a replay, the most important first."""
    best = report.result.best
    names = [best.candidate.name] if best is not None else []
    names += [BASELINES["human"], BASELINES["sparse"]]
    names += [report.initial.candidate.name] if report.initial is not None else []
    names += [
        part.best.candidate.name for part in reversed(report.generations) if part.best is not None
    ]
    others = sorted(report.outcomes, key=lambda outcome: -_known(outcome.fitness))
    return list(dict.fromkeys([*names, *(outcome.candidate.name for outcome in others)]))


def _known(fitness: float) -> float:
    return fitness if math.isfinite(fitness) else -math.inf


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
