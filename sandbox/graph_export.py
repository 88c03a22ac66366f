"""Record a reward in the sealed process as the list of tensor operations that it makes.

The reward runs once for each number of rows that its calls have, and every operation below autograd
is recorded. So a reward cannot tell a recording from a call. The lists must be equal except for
integers that depend on the number of rows; these become `k * rows + b`. Nothing is compiled or
loaded, and the list does not fix a number of rows. If a reward reads a tensor into Python
(`if x.mean() > 0`), the list has an operation that the trusted side refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

_MAX_NODES, _MAX_CONSTANT = 2000, 4096
_DROPPED = frozenset({"layout", "pin_memory", "non_blocking"})

Graph = dict[str, Any]


class NoGraphError(Exception):
    """This reward cannot be written as one list of operations; the message says why."""


def record(
    load: Callable[[], Callable[..., Any]], inputs: Mapping[str, Tensor], counts: Sequence[int]
) -> Graph:
    """Return the operations of `load()(**rows)` for all numbers of rows in `counts`.

    Each recording uses the first rows of `inputs`, `(rows, *shape)` with at least that many, and a
    freshly loaded function, as every call does. Raises NoGraphError, and whatever the function
    raises.
    """
    traces = [_trace(load(), _first_rows(inputs, rows)) for rows in counts]
    merged = _merge(traces, counts)
    assert isinstance(merged, dict)
    return merged


def _first_rows(inputs: Mapping[str, Tensor], rows: int) -> dict[str, Tensor]:
    return {name: values[:rows].clone() for name, values in inputs.items()}


def _trace(function: Callable[..., Any], inputs: Mapping[str, Tensor]) -> Graph:
    recorder = _Recorder(inputs)
    with recorder:
        reward, components = function(**inputs)
    named = {str(name): recorder.output(value) for name, value in components.items()}
    return {
        "inputs": list(inputs),
        "nodes": recorder.nodes,
        "reward": recorder.output(reward),
        "components": named,
    }


class _Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch leaves it untyped
    """Records every operation; tensors that it has not seen before are constants."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """False: otherwise torch imports its compiler, which takes two seconds, to exclude this."""
        return False

    def __init__(self, inputs: Mapping[str, Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        self.nodes: list[Any] = []
        self._seen: dict[int, list[int]] = {}
        self._alive: list[Tensor] = []  # keeps the tensors, so that no id is reused
        for index, value in enumerate(inputs.values()):
            self._add(["input", index], [value])

    def __torch_dispatch__(
        self,
        function: Any,
        types: Any,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        encoded = [self._encode(value) for value in args]
        named = {
            name: self._encode(value) for name, value in kwargs.items() if name not in _DROPPED
        }
        result = function(*args, **kwargs)
        outputs = (
            [result]
            if isinstance(result, Tensor)
            else list(result)
            if isinstance(result, tuple | list)
            else []
        )
        if function.namespace != "aten":
            raise NoGraphError(f"the operation {function} is not one of torch's own")
        self._add(["operation", str(function).removeprefix("aten."), encoded, named], outputs)
        return result

    def output(self, value: Any) -> Any:
        """Return the reference of a result; a number is returned as it is."""
        return self._encode(value)

    def _add(self, node: list[Any], outputs: list[Any]) -> None:
        if len(self.nodes) >= _MAX_NODES:
            raise NoGraphError(f"more than {_MAX_NODES} operations")
        for number, output in enumerate(outputs):
            if isinstance(output, Tensor):
                self._seen.setdefault(id(output), [len(self.nodes), number])
                self._alive.append(output)
        self.nodes.append(node)

    def _encode(self, value: Any) -> Any:
        if isinstance(value, Tensor):
            return {"ref": self._reference(value)}
        if isinstance(value, tuple | list):
            return {"list": [self._encode(item) for item in value]}
        if value is None or isinstance(value, bool | int):
            return value
        if isinstance(value, float):
            return {"float": repr(value)}
        if isinstance(value, str):
            return {"text": value}
        if isinstance(value, torch.dtype):
            return {"dtype": str(value)}
        if isinstance(value, torch.device):
            return {"device": True}
        if isinstance(value, torch.memory_format):
            return {"memory_format": str(value)}
        raise NoGraphError(f"an argument of type {type(value).__name__}")

    def _reference(self, value: Tensor) -> list[int]:
        if id(value) not in self._seen:
            if value.numel() > _MAX_CONSTANT or value.is_complex() or value.layout != torch.strided:
                raise NoGraphError("a constant that is too large, complex or sparse")
            with _Off():
                numbers = [repr(number) for number in value.double().flatten().tolist()]
            self._add(["constant", str(value.dtype), list(value.shape), numbers], [value])
        return self._seen[id(value)]


_Off = torch._C._DisableTorchDispatch


def _merge(found: Sequence[Any], counts: Sequence[int]) -> Any:
    """Merge the recordings into one; integers that differ become `k * rows + b`."""
    first = found[0]
    if any(type(other) is not type(first) for other in found):
        raise NoGraphError("what it does depends on the number of rows")
    if isinstance(first, dict) and all(other.keys() == first.keys() for other in found):
        merged = {}
        for key in first:
            values = [other[key] for other in found]
            merged[key] = _merge(values, counts)
        return merged
    if isinstance(first, list) and all(len(other) == len(first) for other in found):
        return [_merge(values, counts) for values in zip(*found, strict=True)]
    if isinstance(first, dict | list):
        raise NoGraphError("what it does depends on the number of rows, or on the values")
    if all(other == first for other in found):
        return first
    if type(first) is int:
        return _linear_in_rows(found, counts)
    raise NoGraphError("what it does depends on the number of rows, or on the values")


def _linear_in_rows(found: Sequence[int], counts: Sequence[int]) -> Graph:
    """Express integers that depend on the number of rows as `k * rows + b`."""
    factor, rest = divmod(found[1] - found[0], counts[1] - counts[0])
    offset = found[0] - factor * counts[0]
    if rest or any(
        factor * rows + offset != value for rows, value in zip(counts, found, strict=True)
    ):
        raise NoGraphError("what it does depends on the number of rows")
    return {"rows": [factor, offset]}
