"""Parse the graph of a reward from a sealed process: untrusted JSON."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from eureka_agent.errors import GraphError
from eureka_agent.rewards.graph import Node, RewardGraph
from eureka_agent.rewards.graph_operations import OPERATIONS, SCHEMAS, is_pure
from eureka_agent.rewards.graph_schema import Device, Reference, Rows, demand_arguments
from eureka_agent.rewards.runner import MAX_COMPONENT_NAME, MAX_COMPONENTS

_MAX_NODES, _MAX_CONSTANT, _MAX_LIST, _MAX_DEPTH = 2000, 4096, 256, 4
_NAMES = "float64 float32 float16 bfloat16 int64 int32 int16 int8 uint8 bool"
_DTYPES = {f"torch.{name}": getattr(torch, name) for name in _NAMES.split()}
_MEMORY_FORMATS = {
    f"torch.{n}": getattr(torch, n) for n in ("contiguous_format", "preserve_format")
}


def parse_graph(data: object, shapes: Mapping[str, tuple[int, ...]]) -> RewardGraph:
    """Validate the graph of a reward without running any of its operations.

    Whether the operations accept each other's results is known only when they run.

    Args:
        data: Decoded JSON from a sealed process.
        shapes: The graph's inputs and their shapes without the row dimension.

    Returns:
        The graph, ready to run.

    Raises:
        GraphError: `data` is not a graph of allowed operations with arguments of the right kinds.
    """
    _demand(
        isinstance(data, dict) and data.keys() == {"inputs", "nodes", "reward", "components"},
        "its form",
    )
    assert isinstance(data, dict)
    names, items, components = data["inputs"], data["nodes"], data["components"]
    _demand(isinstance(names, list) and names == list(shapes) and bool(names), "its inputs")
    _demand(isinstance(items, list) and len(items) <= _MAX_NODES, "the number of its nodes")
    _demand(isinstance(components, dict) and len(components) <= MAX_COMPONENTS, "its components")
    nodes = [_node(item, index, names) for index, item in enumerate(items)]
    outputs = {name: _output(at, len(nodes)) for name, at in components.items()}
    _demand(
        all(0 < len(n) <= MAX_COMPONENT_NAME and n.isprintable() for n in outputs),
        "a component's name",
    )
    reward = _output(data["reward"], len(nodes))
    _demand(isinstance(reward, Reference), "its reward")
    assert isinstance(reward, Reference)
    return RewardGraph(tuple(names), tuple(nodes), reward, outputs, _key(data))


def _demand(holds: bool, what: str) -> None:
    if not holds:
        raise GraphError(f"a reward's graph was refused: {what}")


def _node(item: object, index: int, names: Sequence[str]) -> Node:
    match item:
        case ["input", int(number)] if type(number) is int and 0 <= number < len(names):
            return Node(names[number])
        case ["constant", str(dtype), list(shape), list(numbers)] if dtype in _DTYPES:
            return Node("", constant=_constant(dtype, shape, numbers))
        case ["operation", str(name), list(args), dict(kwargs)] if name in OPERATIONS:
            values = tuple(_value(value, index) for value in args)
            named = {keyword: _value(value, index) for keyword, value in kwargs.items()}
            demand_arguments(name, SCHEMAS[name], values, named)
            return Node(name, OPERATIONS[name], None, values, tuple(named.items()))
        case ["operation", str(name), *_]:
            raise GraphError(f"a reward's graph was refused: the operation {name[:40]!r}")
    raise GraphError("a reward's graph was refused: an unknown kind of node")


def _constant(dtype: str, shape: list[object], numbers: list[object]) -> Tensor:
    _demand(
        len(shape) <= 8 and all(type(size) is int and 0 <= size <= _MAX_CONSTANT for size in shape),
        "a shape",
    )
    sizes = [size for size in shape if isinstance(size, int)]
    _demand(len(numbers) == math.prod(sizes) <= _MAX_CONSTANT, "a constant's size")
    try:
        values = [
            float(number) for number in numbers if isinstance(number, str) and len(number) < 32
        ]
        tensor = torch.tensor(values, dtype=torch.float64).to(_DTYPES[dtype])
        return tensor.reshape(sizes)
    except (ValueError, RuntimeError, OverflowError) as error:
        raise GraphError("a reward's graph was refused: a constant") from error


def _value(value: object, before: int, depth: int = 0) -> Any:
    """Return an argument; references must point to earlier nodes, so there are no cycles."""
    if value is None or isinstance(value, bool):
        return value
    if type(value) is int:
        return _integer(value)
    match value:
        case {"ref": [int(node), int(output)], **rest} if (
            not rest and 0 <= node < before and 0 <= output < _MAX_LIST
        ):
            return Reference(int(node), int(output))
        case {"rows": [int(factor), int(offset)], **rest} if not rest:
            return Rows(_integer(factor), _integer(offset))
        case {"list": list(items), **rest} if (
            not rest and len(items) <= _MAX_LIST and depth < _MAX_DEPTH
        ):
            return [_value(item, before, depth + 1) for item in items]
        case {"float": str(text), **rest} if not rest and len(text) < 32:
            return _float(text)
        case {"text": str(text), **rest} if not rest and len(text) < 32:
            return text
        case {"dtype": str(text), **rest} if not rest and text in _DTYPES:
            return _DTYPES[text]
        case {"memory_format": str(text), **rest} if not rest and text in _MEMORY_FORMATS:
            return _MEMORY_FORMATS[text]
        case {"device": True, **rest} if not rest:
            return Device()
    raise GraphError("a reward's graph was refused: an argument")


def _integer(value: int) -> int:
    _demand(abs(value) < 1 << 63, "an integer")
    return value


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise GraphError("a reward's graph was refused: a number") from error


def _output(value: object, nodes: int) -> Reference | float:
    found = _value(value, nodes)
    _demand(isinstance(found, Reference | bool | int | float), "a result")
    return found if isinstance(found, Reference) else float(found)


def _key(data: Mapping[str, Any]) -> str:
    """Return a hash of the inputs and the operations that the results depend on.

    Unused operations are left out and the others numbered without gaps.
    """
    nodes = data["nodes"]
    used = {at for value in (data["reward"], data["components"]) for at in _references(value)}
    for index in range(len(nodes) - 1, -1, -1):
        kind, name, *_ = nodes[index]
        if index in used or (kind == "operation" and not is_pure(name)):
            used |= {index, *_references(nodes[index])}
    number = {old: new for new, old in enumerate(sorted(used))}
    kept = [_renumbered(nodes[index], number) for index in sorted(used)]
    results = _renumbered([data["reward"], data["components"]], number)
    text = json.dumps([data["inputs"], kept, results], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _references(value: Any) -> Iterator[int]:
    if isinstance(value, dict):
        if "ref" in value and isinstance(value["ref"], list):
            yield value["ref"][0]
        for item in value.values():
            yield from _references(item)
    elif isinstance(value, list):
        for item in value:
            yield from _references(item)


def _renumbered(value: Any, number: Mapping[int, int]) -> Any:
    if isinstance(value, dict):
        if value.keys() == {"ref"}:
            return {"ref": [number[value["ref"][0]], value["ref"][1]]}
        return {name: _renumbered(item, number) for name, item in value.items()}
    return [_renumbered(item, number) for item in value] if isinstance(value, list) else value
