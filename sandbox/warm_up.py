"""Call once everything that a reward may call, so that nothing needs loading after the lockdown.

torch imports modules, opens libraries and picks kernels at first use, which would fail in a sealed
process.
"""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Callable, Iterable
from typing import Any

import torch

from eureka_agent.checks.names import METHODS
from eureka_agent.rewards.graph_format import parse_graph

from .graph_export import record
from .namespace import facades

_ROWS = 256


def warm_up() -> None:
    """Call every allowed function and tensor method with likely arguments; failures are ignored."""
    rows = torch.linspace(0.1, 0.9, 3 * _ROWS).reshape(_ROWS, 3)
    square = torch.eye(3) + 0.1
    arguments: list[tuple[Any, ...]] = [
        (rows,), (rows, rows), (rows, 1), (rows, 1, 2), (rows, 0.1, 0.9), (square, square),
        ([rows, rows],), (rows > 0.5, rows, rows), (rows > 0.5,), (rows.long(),),
        ("ij,ij->i", rows, rows),
        (2,), (2.0,), ([1.0, 2.0],),
    ]  # fmt: skip
    for function, values in itertools.product(_functions(), arguments):
        _call(function, values)
    _raise_common_errors(rows)
    _run_graph(rows)


def _run_graph(rows: torch.Tensor) -> None:
    """Record a reward as a graph, and run the graph."""
    counts = (_ROWS // 2, _ROWS)
    graph = parse_graph(
        json.loads(json.dumps(record(lambda: _sample_reward, {"rows": rows}, counts))),
        {"rows": (3,)},
    )
    graph({"rows": rows})


def _sample_reward(rows: torch.Tensor) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    copied = rows.clone()
    copied[rows > 0.5] = 0.0
    return torch.einsum("ij,j->i", copied, torch.tensor([0.0, 0.5, 1.0])), {
        "first": copied[:, [0, 1]].norm(dim=-1)
    }


def _functions() -> Iterable[Callable[..., Any]]:
    for facade in facades().values():
        yield from (value for value in vars(facade).values() if callable(value))
    for name in sorted(METHODS):
        method = getattr(torch.Tensor, name, None)
        if callable(method):
            yield method


def _call(function: Callable[..., Any], values: tuple[Any, ...]) -> None:
    # Most combinations make no sense, and the functions raise many kinds of errors.
    with contextlib.suppress(Exception):
        function(*values)


def _raise_common_errors(rows: torch.Tensor) -> None:
    """Make common mistakes, because printing and raising load modules, too."""
    mistakes: tuple[Callable[[], object], ...] = (
        lambda: rows @ rows,
        lambda: rows[:, 9],
        lambda: f"{rows}",
        lambda: bool(rows),
    )
    for mistake in mistakes:
        _call(mistake, ())
