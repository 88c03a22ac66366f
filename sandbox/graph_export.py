"""A reward as the list of tensor operations that it makes, recorded in the sealed process.

The reward runs once for each number of rows that its calls have, and every operation below autograd
is written down. So a reward has nothing by which it could tell a recording from a call. All lists
must be the same but for integers that follow the number of rows; those become `k * rows + b`.
Nothing is compiled, nothing is loaded, and no number of rows is baked in. What a reward reads out
of a tensor into Python (`if x.mean() > 0`) shows up as an operation that the trusted side refuses.
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
    """Return the operations of `load()(**rows)` for all `counts` of rows; `inputs` are `(rows,
    *shape)`.

    Each count takes the first rows of `inputs`, which have at least as many, and a function that is
    loaded anew, as every call does. Raises NoGraphError, and whatever the function raises.
    """
    traces = [
        _trace(load(), {n: values[:rows].clone() for n, values in inputs.items()})
        for rows in counts
    ]
    merged = _merge(traces, counts)
    assert isinstance(merged, dict)
    return merged


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
    """Writes down every operation; tensors that it has not seen before are constants."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """False: torch would otherwise import its compiler, two seconds, to keep it away from this
        class."""
        return False

    def __init__(self, inputs: Mapping[str, Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        self.nodes: list[Any] = []
        self._seen: dict[int, list[int]] = {}
        self._alive: list[Tensor] = []  # an id stays taken as long as its tensor lives
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
            raise NoGraphError(f"the operation {function} is none of torch's own")
        self._add(["operation", str(function).removeprefix("aten."), encoded, named], outputs)
        return result

    def output(self, value: Any) -> Any:
        """Return the reference of a result; a number stands for itself."""
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
    """Return what all recordings share; integers that differ become `k * rows + b`."""
    first = found[0]
    if any(type(other) is not type(first) for other in found):
        raise NoGraphError("what it does depends on the number of rows")
    if isinstance(first, dict) and all(other.keys() == first.keys() for other in found):
        return {key: _merge([other[key] for other in found], counts) for key in first}
    if isinstance(first, list) and all(len(other) == len(first) for other in found):
        return [_merge(values, counts) for values in zip(*found, strict=True)]
    if isinstance(first, dict | list):
        raise NoGraphError("what it does depends on the number of rows, or on the values")
    if all(other == first for other in found):
        return first
    if type(first) is int:
        return _following(found, counts)
    raise NoGraphError("what it does depends on the number of rows, or on the values")


def _following(found: Sequence[int], counts: Sequence[int]) -> Graph:
    """Return integers that follow the number of rows as `k * rows + b`."""
    factor, rest = divmod(found[1] - found[0], counts[1] - counts[0])
    offset = found[0] - factor * counts[0]
    if rest or any(
        factor * rows + offset != value for rows, value in zip(counts, found, strict=True)
    ):
        raise NoGraphError("what it does depends on the number of rows")
    return {"rows": [factor, offset]}
