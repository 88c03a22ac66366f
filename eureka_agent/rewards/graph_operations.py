"""The tensor operations that a reward's graph may use, with safe versions of indexing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from typing import Any

import torch
from torch import Tensor

from eureka_agent.errors import GraphError

_PLAIN = """
abs acos acosh add.Tensor add.Scalar alias amax amin any any.dim any.dims all all.dim arange
arange.start arange.start_step argmax argmin asin asinh atan atan2 atanh bitwise_and.Tensor
bitwise_or.Tensor bitwise_not bitwise_xor.Tensor bitwise_and.Scalar bitwise_or.Scalar bmm cat ceil
clamp clamp.Tensor clamp_min clamp_max clamp_min.Tensor clamp_max.Tensor clone constant_pad_nd
copysign.Tensor copysign.Scalar cos cosh count_nonzero.dim_IntList cumsum cumprod cummax cummin
detach diagonal diag_embed div.Tensor div.Scalar dot elu eq.Scalar eq.Tensor erf erfc exp exp2
expand expm1 eye eye.m fill.Scalar fill.Tensor flip floor fmax fmin frac full full_like ge.Scalar
ge.Tensor gelu gt.Scalar gt.Tensor hardtanh heaviside huber_loss hypot isinf isnan kthvalue
le.Scalar le.Tensor leaky_relu lerp.Scalar lerp.Tensor lift_fresh linalg_cross linalg_vector_norm
linspace log log10 log1p log2 logaddexp logical_and logical_not logical_or logical_xor logit
logsumexp lt.Scalar lt.Tensor masked_fill.Scalar masked_fill.Tensor max max.dim maximum mean
mean.dim median median.dim min min.dim minimum mm mse_loss mul.Tensor mul.Scalar mv nan_to_num
ne.Scalar ne.Tensor neg new_full new_ones new_zeros norm.ScalarOpt_dim ones ones_like permute
pow.Tensor_Scalar pow.Tensor_Tensor pow.Scalar prod prod.dim_int reciprocal relu repeat roll round
rsqrt rsub.Scalar rsub.Tensor scalar_tensor select.int sgn sigmoid sign silu sin sinc sinh
slice.Tensor smooth_l1_loss softplus sort sort.stable split.Tensor split_with_sizes sqrt squeeze
squeeze.dim squeeze.dims stack std.correction sub.Tensor sub.Scalar sum sum.dim_IntList t tan tanh
topk transpose.int tril triu trunc unbind.int unfold unsqueeze var.correction view where.self
where.ScalarOther where.ScalarSelf where.Scalar xlogy.Tensor zeros zeros_like _to_copy _softmax
_log_softmax _cdist_forward _unsafe_view special_entr
"""
_IN_PLACE = """
add_.Tensor add_.Scalar sub_.Tensor sub_.Scalar mul_.Tensor mul_.Scalar div_.Tensor div_.Scalar
copy_ fill_.Scalar fill_.Tensor zero_ pow_.Scalar masked_fill_.Scalar masked_fill_.Tensor clamp_
clamp_min_ clamp_max_ bitwise_and_.Tensor bitwise_or_.Tensor
"""

_DIVISIONS = """
div.Tensor_mode div.Scalar_mode floor_divide fmod.Scalar fmod.Tensor remainder.Scalar
remainder.Tensor
"""

FACTORIES = frozenset("arange eye full linspace new_full ones scalar_tensor zeros".split())
"""They create tensors, which must be on the runner's device."""


def _operations(names: str) -> dict[str, Callable[..., Any]]:
    """Return torch's operations by name with overload, without those that this version lacks."""
    found: dict[str, Callable[..., Any]] = {}
    for name in names.split():
        base, _, overload = name.partition(".")
        packet = getattr(torch.ops.aten, base, None)
        if packet is not None and (overload or "default") in packet.overloads():
            found[f"{base}.{overload or 'default'}"] = getattr(packet, overload or "default")
    return found


def _divisions() -> dict[str, Callable[..., Any]]:
    return {name: _floats_only(function) for name, function in _operations(_DIVISIONS).items()}


def _floats_only(divide: Callable[..., Any]) -> Callable[..., Any]:
    """Return `divide` restricted to floating-point numbers.

    Dividing the smallest integer by -1 kills the process (SIGFPE).
    """

    def checked(dividend: Tensor, divisor: Tensor | float, **kwargs: Any) -> Any:
        if not _is_floating(dividend) and not _is_floating(divisor):
            raise GraphError("a division of integers")
        return divide(dividend, divisor, **kwargs)

    return checked


def _is_floating(value: Tensor | float) -> bool:
    return value.is_floating_point() if isinstance(value, Tensor) else isinstance(value, float)


def _index(tensor: Tensor, indices: list[Tensor | None]) -> Tensor:
    result: Tensor = torch.ops.aten.index.Tensor(tensor, _within(tensor, indices))
    return result


def _index_put(
    tensor: Tensor, indices: list[Tensor | None], values: Tensor, accumulate: bool = False
) -> Tensor:
    result: Tensor = torch.ops.aten.index_put(tensor, _within(tensor, indices), values, accumulate)
    return result


def _index_put_(
    tensor: Tensor,
    indices: list[Tensor | None],
    values: Tensor,
    accumulate: bool = False,
    unsafe: bool = False,
) -> Tensor:
    result: Tensor = torch.ops.aten.index_put_(tensor, _within(tensor, indices), values, accumulate)
    return result


def _within(tensor: Tensor, indices: list[Tensor | None]) -> list[Tensor | None]:
    """Clamp integer indices to the tensor: an index out of bounds would destroy a GPU's context."""
    safe: list[Tensor | None] = []
    dimension = 0
    for index in indices:
        if index is None:
            safe.append(None)
            dimension += 1
        elif index.dtype in (torch.bool, torch.uint8):
            safe.append(index)
            dimension += index.dim()
        else:
            size = _indexed_size(tensor, dimension)
            safe.append(index.clamp(-size, size - 1))
            dimension += 1
    return safe


def _indexed_size(tensor: Tensor, dimension: int) -> int:
    """Return the size of an indexed dimension. Raises GraphError if it is empty."""
    size = tensor.shape[dimension]
    if size == 0:
        raise GraphError("an index into an empty dimension")
    return size


def _gather(tensor: Tensor, dim: int, index: Tensor, *, sparse_grad: bool = False) -> Tensor:
    return torch.gather(tensor, dim, index.clamp(0, _indexed_size(tensor, dim) - 1))


def _index_select(tensor: Tensor, dim: int, index: Tensor) -> Tensor:
    return torch.index_select(tensor, dim, index.clamp(0, _indexed_size(tensor, dim) - 1))


def _masked_select(tensor: Tensor, mask: Tensor) -> Tensor:
    both = torch.broadcast_tensors(tensor, mask)  # type: ignore[no-untyped-call]  # torch's own gap
    tensor, mask = both
    return _index(tensor, [mask])


def _schema(name: str) -> torch.FunctionSchema:
    base, _, overload = name.partition(".")
    found: torch.FunctionSchema = getattr(getattr(torch.ops.aten, base), overload)._schema
    return found


_PRODUCTS = frozenset("mm bmm mv dot _cdist_forward".split())

OPERATIONS: Mapping[str, Callable[..., Any]] = {
    **_operations(_PLAIN),
    **_operations(_IN_PLACE),
    **_divisions(),
    "index.Tensor": _index,
    "index_put.default": _index_put,
    "index_put_.default": _index_put_,
    "_index_put_impl_.default": _index_put_,
    "gather.default": _gather,
    "index_select.default": _index_select,
    "masked_select.default": _masked_select,
}
"""The allowed operations, by name with overload.

The others read tensors into Python, are random, read files, take raw strides, or return
uninitialised memory.
"""


SCHEMAS: Mapping[str, torch.FunctionSchema] = {name: _schema(name) for name in OPERATIONS}
"""torch's own schema of the arguments of each operation."""


def work(name: str, arguments: list[Tensor], outputs: list[Tensor]) -> int:
    """Estimate the arithmetic of an operation by the numbers that it reads and writes.

    A matrix product adds the numbers of its result times the length of the sums.
    """
    numbers = sum(size(tensor) for tensor in (*arguments, *outputs))
    if name.partition(".")[0] in _PRODUCTS and arguments and outputs:
        summed = arguments[0].shape[-1] if arguments[0].dim() else 1
        numbers += size(outputs[0]) * summed
    return numbers


def size(tensor: Tensor) -> int:
    """Return how many numbers a tensor has; a Python integer cannot overflow."""
    return prod(tensor.shape)


def is_pure(name: str) -> bool:
    """Whether an operation changes none of its arguments."""
    return not name.partition(".")[0].endswith("_")
