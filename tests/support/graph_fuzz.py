"""A fuzzer of graphs: `python -m tests.support.graph_fuzz SEED COUNT` runs that many in this
process.

It prints what came of them as JSON. A graph that crashes native code ends the process: that is what
the test looks for. A graph grows operation by operation, with arguments of the kinds that the
schemas name, some of them extreme. Most operations that do not fit are left out, so that many
graphs run to the end. In some graphs values are replaced then.
"""

from __future__ import annotations

import copy
import json
import random
import resource
import sys
import time
import warnings
from collections import Counter
from collections.abc import Sequence
from typing import Any

import torch

from eureka_agent.errors import GraphError
from eureka_agent.rewards.graph import RewardGraph
from eureka_agent.rewards.graph_format import parse_graph
from eureka_agent.rewards.graph_operations import OPERATIONS, SCHEMAS

SHAPES: dict[str, tuple[int, ...]] = {"height": (), "velocity": (3,), "poses": (2, 4)}
COUNTS = (6, 64)
States = dict[str, torch.Tensor]
_NAMES = sorted(OPERATIONS)
_INTEGERS = (
    0,
    1,
    -1,
    2,
    3,
    4,
    -4,
    5,
    7,
    64,
    1 << 20,
    -(1 << 31) + 1,
    (1 << 31) - 1,
    1 << 40,
    -(1 << 63),
    (1 << 63) - 1,
)
_FLOATS = ("0.0", "-1.0", "0.5", "1e308", "-1e308", "inf", "-inf", "nan", "1e-320", "2.0")
_TRIES = 4
_MEMORY_BYTES = 2 << 30
_TEXTS = ("trunc", "floor", "none", "tanh", "x")
_DTYPES = tuple(
    f"torch.{name}"
    for name in "float64 float32 float16 bfloat16 int64 int32 int8 uint8 bool".split()
)


def main(seed: int, count: int) -> None:
    """Run `count` graphs and print what came of them."""
    torch.set_num_threads(1)
    resource.setrlimit(
        resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES)
    )  # as a sealed process has
    warnings.simplefilter("ignore")
    numbers, outcomes, slowest = random.Random(seed), Counter[str](), 0.0
    generator = torch.Generator().manual_seed(seed)
    states = {
        name: torch.randn(max(COUNTS), *shape, generator=generator)
        for name, shape in SHAPES.items()
    }
    for _ in range(count):
        data = random_graph(numbers, states)
        for _ in range(numbers.choice((0, 0, 0, 1))):
            data = mutated(data, numbers)
        start = time.process_time()
        outcomes[_outcome(data, states)] += 1
        slowest = max(slowest, time.process_time() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({**outcomes, "peak_mib": round(peak), "slowest_s": round(slowest, 2)}))  # noqa: T201  its answer


def _outcome(data: Any, states: States) -> str:
    """Return how far a graph gets: `refused`, `failed` or `ran`."""
    try:
        graph = parse_graph(json.loads(json.dumps(data)), SHAPES)
    except GraphError:
        return "refused"
    return "ran" if _runs(graph, states, COUNTS) else "failed"


def random_graph(numbers: random.Random, states: States) -> dict[str, Any]:
    """Return a graph of up to five random operations on what comes before them."""
    nodes: list[Any] = [["input", index] for index in range(len(SHAPES))]
    for _ in range(numbers.randint(1, 3)):
        nodes.append(_constant(numbers))
    for _ in range(numbers.randint(1, 5)):
        for _ in range(_TRIES):
            grown = [*nodes, _operation(numbers, len(nodes))]
            if numbers.random() < 0.02 or _fits(grown, states):
                nodes = grown
                break
    return _graph(nodes)


def _graph(nodes: list[Any]) -> dict[str, Any]:
    return {"inputs": list(SHAPES), "nodes": nodes, "reward": {"ref": [0, 0]}, "components": {}}


def _fits(nodes: list[Any], states: States) -> bool:
    try:
        return _runs(parse_graph(_graph(nodes), SHAPES), states, COUNTS[:1])
    except GraphError:
        return False


def _runs(graph: RewardGraph, states: States, counts: Sequence[int]) -> bool:
    try:
        for rows in counts:
            graph({name: values[:rows] for name, values in states.items()})
    except (
        RuntimeError,
        LookupError,
        ValueError,
        TypeError,
        ArithmeticError,
        MemoryError,
        GraphError,
    ):
        return False
    return True


def mutated(data: dict[str, Any], numbers: random.Random) -> dict[str, Any]:
    """Return a graph in which one value, anywhere, is replaced by another one."""
    data = copy.deepcopy(data)
    places: list[tuple[Any, Any]] = []
    _collect(data, places)
    holder, key = numbers.choice(places)
    holder[key] = numbers.choice(
        (_value(numbers, 9), numbers.choice(_INTEGERS), numbers.choice(_NAMES), [], None, True)
    )
    return data


def _collect(value: Any, places: list[tuple[Any, Any]]) -> None:
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, item in items:
        places.append((value, key))
        _collect(item, places)


def _constant(numbers: random.Random) -> list[Any]:
    shape = numbers.choice(([], [1], [3], [4], [0], [2, 4], [3, 3]))
    size = torch.Size(shape).numel()
    values = [numbers.choice((*_FLOATS, "-9223372036854775808", "9", "3")) for _ in range(size)]
    return ["constant", numbers.choice(_DTYPES), shape, values]


def _operation(numbers: random.Random, before: int) -> list[Any]:
    """Return an operation whose arguments are of the kinds that its schema names, mostly."""
    name = numbers.choice(_NAMES)
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    for argument in SCHEMAS[name].arguments:
        if argument.has_default_value() and (numbers.random() < 0.6 or argument.name in kwargs):
            if not argument.kwarg_only:
                break
            continue
        value = _of_kind(numbers, str(argument.real_type), before)
        if argument.kwarg_only:
            kwargs[argument.name] = value
        else:
            args.append(value)
    return ["operation", name, args, kwargs]


def _of_kind(numbers: random.Random, kind: str, before: int) -> Any:
    if numbers.random() < 0.01:
        return _value(numbers, before)
    if kind.startswith("Optional["):
        return (
            None
            if numbers.random() < 0.3
            else _of_kind(numbers, kind[len("Optional[") : -1], before)
        )
    if kind.startswith("List["):
        return {
            "list": [_of_kind(numbers, kind[5:-1], before) for _ in range(numbers.randint(0, 3))]
        }
    match kind:
        case "Tensor":
            return {"ref": [numbers.randrange(before), 0]}
        case "bool":
            return numbers.random() < 0.5
        case "int":
            return _integer(numbers)
        case "number" | "float":
            return numbers.choice((_integer(numbers), {"float": numbers.choice(_FLOATS)}))
        case "str":
            return {"text": numbers.choice(_TEXTS)}
        case "ScalarType":
            return {"dtype": numbers.choice(_DTYPES)}
        case "MemoryFormat":
            return {"memory_format": "torch.contiguous_format"}
    return {"device": True}


def _integer(numbers: random.Random) -> Any:
    if numbers.random() < 0.15:
        return {"rows": [numbers.choice(_INTEGERS[:6]), numbers.choice(_INTEGERS)]}
    return numbers.choice(_INTEGERS[:9] if numbers.random() < 0.8 else _INTEGERS)


def _value(numbers: random.Random, before: int) -> Any:
    """Return any value that a graph may hold, and some that it may not."""
    return numbers.choice(
        (
            {"ref": [numbers.randrange(before), numbers.choice((0, 0, 1))]},
            _integer(numbers),
            {"float": numbers.choice(_FLOATS)},
            {"text": numbers.choice(_TEXTS)},
            {"dtype": numbers.choice(_DTYPES)},
            {"list": [_integer(numbers)]},
            numbers.random() < 0.5,
            None,
        )
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
