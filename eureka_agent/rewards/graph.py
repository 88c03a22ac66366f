"""A reward as a list of tensor operations that trusted code can run on any device.

A sealed process records its reward (`sandbox/graph_export.py`) and sends the list as JSON, which is
untrusted. `graph_format.parse_graph` accepts only known operations with arguments of the right
kinds, backward references and bounded sizes. `RewardGraph` interprets the list; no source is
generated or executed.

torch's native kernels may still crash on arguments that no check foresees, or allocate memory
before they can be stopped. So a graph runs first in a sealed process of its own
(`jail.SandboxedReward.graph`), with exactly the numbers of rows that later calls have.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from eureka_agent.errors import GraphError
from eureka_agent.rewards.graph_operations import FACTORIES, size, work
from eureka_agent.rewards.graph_schema import Device, Reference, Rows
from eureka_agent.rewards.runner import RewardBatch

_NUMBERS_PER_ROW, _NUMBERS_FIXED = 1024, 65_536
"""A result may have at most `_NUMBERS_PER_ROW * rows + _NUMBERS_FIXED` numbers."""
_ALL_RESULTS, _ALL_WORK = 8, 64
"""Multiples of that limit for the numbers of all results, and for the work of all operations."""


@dataclass(frozen=True)
class Node:
    """One input, constant or operation."""

    name: str
    """The input's name, empty for a constant, or the operation's name with its overload."""
    make: Callable[..., Any] | None = None
    """The operation's function; None for inputs and constants."""
    constant: Tensor | None = None
    args: tuple[Any, ...] = ()
    kwargs: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True)
class RewardGraph:
    """A validated reward as a list of operations. Made by `parse_graph`.

    Args:
        inputs: The names of the state variables that it reads.
        nodes: Inputs, constants and operations; each refers only to earlier ones.
        reward: The output that is the reward.
        components: The outputs, or numbers, that are the components.
        key: A hash that is equal for rewards with the same operations on the same inputs, whatever
            their source looks like.
    """

    inputs: tuple[str, ...]
    nodes: tuple[Node, ...]
    reward: Reference
    components: Mapping[str, Reference | float]
    key: str

    def __call__(self, state: Mapping[str, Tensor]) -> RewardBatch:
        """Run the operations.

        Args:
            state: Tensors `(rows, *shape)` of all inputs, on one device; they are not changed.

        Returns:
            The reward and its components, `(rows,)` float32, on the same device.

        Raises:
            GraphError: An operation reads or gives too many numbers for these rows, or does not fit
                its arguments.
            RuntimeError, IndexError: An operation fails on these values.
        """
        rows, device = len(state[self.inputs[0]]), state[self.inputs[0]].device
        values: list[Sequence[Any]] = []
        budget = _Budget(rows)
        with torch.no_grad():
            for node in self.nodes:
                values.append(_evaluate(node, state, values, rows, device, budget))
            columns = {
                name: _column(_fill(at, values, rows, device), rows, device)
                for name, at in self.components.items()
            }
            return RewardBatch(
                _column(_fill(self.reward, values, rows, device), rows, device), columns
            )


@dataclass
class _Budget:
    """The numbers that all operations together may read and give for `rows` rows.

    It is checked after each operation, before another one reads its results. A single operation is
    bounded by the sizes of its arguments.
    """

    rows: int
    given: int = 0
    worked: int = 0

    def spend(self, name: str, arguments: list[Tensor], outputs: list[Tensor]) -> None:
        """Count an operation. Raises GraphError if the budget is exceeded."""
        most = _NUMBERS_PER_ROW * self.rows + _NUMBERS_FIXED
        largest = max((size(output) for output in outputs), default=0)
        self.given += sum(size(output) for output in outputs)
        self.worked += work(name, arguments, outputs)
        if largest > most or self.given > _ALL_RESULTS * most:
            raise GraphError(f"a result of {largest} numbers for {self.rows} rows")
        if self.worked > _ALL_WORK * most:
            raise GraphError(f"{self.worked} steps of arithmetic for {self.rows} rows")


def _evaluate(
    node: Node,
    state: Mapping[str, Tensor],
    values: list[Sequence[Any]],
    rows: int,
    device: torch.device,
    budget: _Budget,
) -> Sequence[Any]:
    if node.constant is not None:
        return [node.constant.to(device, copy=True)]
    if node.make is None:
        return [state[node.name].clone()]
    args = [_fill(value, values, rows, device) for value in node.args]
    kwargs = {name: _fill(value, values, rows, device) for name, value in node.kwargs}
    if node.name.partition(".")[0] in FACTORIES:
        kwargs["device"] = device
    try:
        result = node.make(*args, **kwargs)
    except (AttributeError, TypeError) as error:
        raise GraphError(f"an operation does not fit its arguments: {node.name}") from error
    outputs = result if isinstance(result, tuple | list) else [result]
    budget.spend(node.name, _tensors([*args, *kwargs.values()]), _tensors(outputs))
    return outputs


def _fill(value: Any, values: list[Sequence[Any]], rows: int, device: torch.device) -> Any:
    if isinstance(value, Reference):
        return values[value.node][value.output]
    if isinstance(value, Rows):
        return value.at(rows)
    if isinstance(value, Device):
        return device
    if isinstance(value, list):
        return [_fill(item, values, rows, device) for item in value]
    return value


def _tensors(values: Sequence[Any]) -> list[Tensor]:
    """Return all tensors among `values` and in the lists among them."""
    found: list[Tensor] = []
    for value in values:
        if isinstance(value, Tensor):
            found.append(value)
        elif isinstance(value, list | tuple):
            found += _tensors(value)
    return found


def _column(value: Any, rows: int, device: torch.device) -> Tensor:
    if isinstance(value, int | float):
        return torch.full((rows,), float(value), device=device)
    if not isinstance(value, Tensor) or value.is_complex():
        raise GraphError("a result that is not a real tensor")
    column: Tensor = value.detach().to(torch.float32)
    column = column.expand(rows) if column.dim() == 0 else column
    if tuple(column.shape) != (rows,):
        raise GraphError(f"a result of shape {tuple(column.shape)} for {rows} rows")
    return column
