"""A reward as a list of tensor operations that trusted code can run on any device.

A sealed process records its reward (`sandbox/graph_export.py`) and sends the list as JSON. Nothing in it is believed:
`parse_graph` accepts known operations, references backwards and bounded sizes only, and `RewardGraph` interprets the
list; no source is generated or executed.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from eureka_agent.errors import GraphError
from eureka_agent.graph_operations import FACTORIES, OPERATIONS, is_pure
from eureka_agent.records import RewardSource
from eureka_agent.reward import RewardBatch
from eureka_agent.wire import MAX_COMPONENT_NAME, MAX_COMPONENTS

_MAX_NODES, _MAX_CONSTANT, _MAX_LIST, _MAX_DEPTH = 2000, 4096, 256, 4
_TRIED_ROWS = (2, 65_536)
_NUMBERS_PER_ROW, _NUMBERS_FIXED = 1024, 65_536
"""No operation may give more than this for a row, and besides."""
_NAMES = "float64 float32 float16 bfloat16 int64 int32 int16 int8 uint8 bool"
_DTYPES = {f"torch.{name}": getattr(torch, name) for name in _NAMES.split()}
_MEMORY_FORMATS = {f"torch.{n}": getattr(torch, n) for n in ("contiguous_format", "preserve_format")}
_TEXTS = frozenset({"trunc", "floor", "none", "tanh"})
_KEYWORDS = frozenset(
    """
    dim keepdim dtype device correction alpha min max rounding_mode stable descending start end step size
    memory_format unbiased self half_to_float beta threshold delta reduction approximate nan posinf neginf
    accumulate largest sorted implicit
    """.split()
)


@dataclass(frozen=True)
class Reference:
    """An output of an earlier node."""

    node: int
    output: int


@dataclass(frozen=True)
class Rows:
    """An integer that follows the number of rows: `factor * rows + offset`."""

    factor: int
    offset: int


@dataclass(frozen=True)
class Node:
    """One input, constant or operation."""

    name: str
    """The input's name, empty for a constant, or the operation's name with its overload."""
    make: Callable[..., Any] | None = None
    """The operation."""
    constant: Tensor | None = None
    args: tuple[Any, ...] = ()
    kwargs: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True)
class RewardGraph:
    """A validated reward; call it with `(rows, *shape)` tensors on one device."""

    inputs: tuple[str, ...]
    nodes: tuple[Node, ...]
    reward: Reference
    components: Mapping[str, Reference | float]
    key: str
    """Equal for rewards that are the same operations on the same inputs, whatever their source looks like."""

    def __call__(self, state: Mapping[str, Tensor]) -> RewardBatch:
        """Return the reward and its components, `(rows,)` float32; `state` is left as it is.

        Raises RuntimeError or IndexError where an operation fails on these values.
        """
        rows, device = len(state[self.inputs[0]]), state[self.inputs[0]].device
        values = self._run(state, rows, device, lambda value: None)
        named = {name: _column(_fill(at, values, rows, device), rows, device) for name, at in self.components.items()}
        return RewardBatch(_column(_fill(self.reward, values, rows, device), rows, device), named)

    def _run(
        self, state: Mapping[str, Tensor], rows: int, device: torch.device, check: Callable[[object], None]
    ) -> list[Sequence[Any]]:
        values: list[Sequence[Any]] = []
        with torch.no_grad():
            for node in self.nodes:
                outputs = _evaluate(node, state, values, rows, device)
                for output in outputs:
                    check(output)
                values.append(outputs)
        return values

    def demand_bounded(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        """Raise GraphError when an operation does not fit its arguments or its result is too large.

        Runs on tensors that have shapes and no values, so nothing is allocated and nothing is computed.
        """
        for rows in _TRIED_ROWS:
            state = {name: torch.empty(rows, *shapes[name], device="meta") for name in self.inputs}
            budget = _Budget(rows)
            try:
                values = self._run(state, rows, torch.device("meta"), budget.spend)
                for at in (self.reward, *self.components.values()):
                    _column(_fill(at, values, rows, torch.device("meta")), rows, torch.device("meta"))
            except GraphError:
                raise
            except Exception as error:  # torch raises what it likes for arguments that do not fit
                raise GraphError(f"an operation does not fit its arguments ({type(error).__name__})") from error


@dataclass
class _Budget:
    rows: int
    spent: int = 0

    def spend(self, output: object) -> None:
        size = output.numel() if isinstance(output, Tensor) else 0
        most = _NUMBERS_PER_ROW * self.rows + _NUMBERS_FIXED
        self.spent += size
        if size > most or self.spent > 16 * most:
            raise GraphError(f"a result of {size} numbers for {self.rows} rows")


def _evaluate(
    node: Node, state: Mapping[str, Tensor], values: list[Sequence[Any]], rows: int, device: torch.device
) -> Sequence[Any]:
    if node.constant is not None:
        return [node.constant.to(device, copy=True)]
    if node.make is None:
        return [state[node.name].clone()]
    kwargs = {name: _fill(value, values, rows, device) for name, value in node.kwargs}
    if node.name.partition(".")[0] in FACTORIES or "device" in kwargs:
        kwargs["device"] = device
    result = node.make(*(_fill(value, values, rows, device) for value in node.args), **kwargs)
    return result if isinstance(result, tuple | list) else [result]


def _fill(value: Any, values: list[Sequence[Any]], rows: int, device: torch.device) -> Any:
    if isinstance(value, Reference):
        return values[value.node][value.output]
    if isinstance(value, Rows):
        return value.factor * rows + value.offset
    if isinstance(value, list):
        return [_fill(item, values, rows, device) for item in value]
    return value


def _column(value: Any, rows: int, device: torch.device) -> Tensor:
    if isinstance(value, int | float):
        return torch.full((rows,), float(value), device=device)
    if not isinstance(value, Tensor) or value.is_complex():
        raise GraphError("a result that is no real tensor")
    column: Tensor = value.detach().to(torch.float32)
    column = column.expand(rows) if column.dim() == 0 else column
    if tuple(column.shape) != (rows,):
        raise GraphError(f"a result of shape {tuple(column.shape)} for {rows} rows")
    return column


# -------------------------------------------------------------------- from JSON
def parse_graph(data: object, shapes: Mapping[str, tuple[int, ...]]) -> RewardGraph:
    """Return the graph in `data`, decoded JSON from a sealed process; `shapes` are its inputs' without the rows.

    Raises GraphError for anything that is not a graph of allowed operations of bounded size.
    """
    _demand(isinstance(data, dict) and data.keys() == {"inputs", "nodes", "reward", "components"}, "its form")
    assert isinstance(data, dict)
    names, items, components = data["inputs"], data["nodes"], data["components"]
    _demand(isinstance(names, list) and names == list(shapes) and bool(names), "its inputs")
    _demand(isinstance(items, list) and len(items) <= _MAX_NODES, "the number of its nodes")
    _demand(isinstance(components, dict) and len(components) <= MAX_COMPONENTS, "its components")
    nodes = [_node(item, index, names) for index, item in enumerate(items)]
    outputs = {name: _output(at, len(nodes)) for name, at in components.items()}
    _demand(all(0 < len(n) <= MAX_COMPONENT_NAME and n.isprintable() for n in outputs), "a component's name")
    reward = _output(data["reward"], len(nodes))
    _demand(isinstance(reward, Reference), "its reward")
    assert isinstance(reward, Reference)
    graph = RewardGraph(tuple(names), tuple(nodes), reward, outputs, _key(data))
    graph.demand_bounded(shapes)
    return graph


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
            _demand(kwargs.keys() <= _KEYWORDS and len(args) <= 16, f"the arguments of {name}")
            values = tuple(_value(value, index) for value in args)
            named = tuple((keyword, _value(value, index)) for keyword, value in kwargs.items())
            return Node(name, OPERATIONS[name], None, values, named)
        case ["operation", str(name), *_]:
            raise GraphError(f"a reward's graph was refused: the operation {name[:40]!r}")
    raise GraphError("a reward's graph was refused: a node that is none")


def _constant(dtype: str, shape: list[object], numbers: list[object]) -> Tensor:
    _demand(len(shape) <= 8 and all(type(size) is int and 0 <= size <= _MAX_CONSTANT for size in shape), "a shape")
    sizes = [size for size in shape if isinstance(size, int)]
    _demand(len(numbers) == math.prod(sizes) <= _MAX_CONSTANT, "a constant's size")
    try:
        values = [float(number) for number in numbers if isinstance(number, str) and len(number) < 32]
        tensor = torch.tensor(values, dtype=torch.float64).to(_DTYPES[dtype])
        return tensor.reshape(sizes)
    except (ValueError, RuntimeError, OverflowError) as error:
        raise GraphError("a reward's graph was refused: a constant") from error


def _value(value: object, before: int, depth: int = 0) -> Any:
    """Return an argument; references must go backwards, so there are no cycles."""
    if value is None or isinstance(value, bool):
        return value
    if type(value) is int:
        return _integer(value)
    match value:
        case {"ref": [int(node), int(output)], **rest} if not rest and 0 <= node < before and 0 <= output < _MAX_LIST:
            return Reference(int(node), int(output))
        case {"rows": [int(factor), int(offset)], **rest} if not rest:
            return Rows(_integer(factor), _integer(offset))
        case {"list": list(items), **rest} if not rest and len(items) <= _MAX_LIST and depth < _MAX_DEPTH:
            return [_value(item, before, depth + 1) for item in items]
        case {"float": str(text), **rest} if not rest and len(text) < 32:
            return _float(text)
        case {"text": str(text), **rest} if not rest and text in _TEXTS:
            return text
        case {"dtype": str(text), **rest} if not rest and text in _DTYPES:
            return _DTYPES[text]
        case {"memory_format": str(text), **rest} if not rest and text in _MEMORY_FORMATS:
            return _MEMORY_FORMATS[text]
        case {"device": True, **rest} if not rest:
            return None  # the runner's own
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


# ------------------------------------------------------------------------- key
def fingerprint(reward: RewardSource, graph: RewardGraph | None) -> str:
    """Return a text that is equal for rewards that compute the same: the graph's key, or else the source itself."""
    return graph.key if graph is not None else hashlib.sha256(reward.code.encode()).hexdigest()


def _key(data: Mapping[str, Any]) -> str:
    """Return a hash of the operations that the results depend on, numbered without gaps, with the inputs' names."""
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
