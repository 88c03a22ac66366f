"""The tensor operations that a reward's graph may consist of, and how those with indices are made safe."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

_PLAIN = """
abs acos acosh add.Tensor add.Scalar alias amax amin any any.dim any.dims all all.dim arange arange.start
arange.start_step argmax argmin asin asinh atan atan2 atanh bitwise_and.Tensor bitwise_or.Tensor bitwise_not
bitwise_xor.Tensor bitwise_and.Scalar bitwise_or.Scalar bmm cat ceil clamp clamp.Tensor clamp_min clamp_max
clamp_min.Tensor clamp_max.Tensor clone constant_pad_nd copysign.Tensor copysign.Scalar cos cosh
count_nonzero.dim_IntList cumsum cumprod cummax cummin detach diagonal diag_embed div.Tensor div.Scalar
div.Tensor_mode div.Scalar_mode dot elu eq.Scalar eq.Tensor erf erfc exp exp2 expand expm1 eye eye.m
fill.Scalar fill.Tensor flip floor floor_divide fmax fmin fmod.Scalar fmod.Tensor frac full full_like ge.Scalar
ge.Tensor gelu gt.Scalar gt.Tensor hardtanh heaviside huber_loss hypot isinf isnan kthvalue le.Scalar le.Tensor
leaky_relu lerp.Scalar lerp.Tensor lift_fresh linalg_cross linalg_vector_norm linspace log log10 log1p log2
logaddexp logical_and logical_not logical_or logical_xor logit logsumexp lt.Scalar lt.Tensor masked_fill.Scalar
masked_fill.Tensor max max.dim maximum mean mean.dim median median.dim min min.dim minimum mm mse_loss mul.Tensor
mul.Scalar mv nan_to_num ne.Scalar ne.Tensor neg new_full new_ones new_zeros norm.ScalarOpt_dim ones
ones_like permute pow.Tensor_Scalar pow.Tensor_Tensor pow.Scalar prod prod.dim_int reciprocal relu remainder.Scalar
remainder.Tensor repeat roll round rsqrt rsub.Scalar rsub.Tensor scalar_tensor select.int sgn sigmoid sign silu sin
sinc sinh slice.Tensor smooth_l1_loss softplus sort sort.stable split.Tensor split_with_sizes sqrt squeeze
squeeze.dim squeeze.dims stack std.correction sub.Tensor sub.Scalar sum sum.dim_IntList t tan tanh topk
transpose.int tril triu trunc unbind.int unfold unsqueeze var.correction view where.self where.ScalarOther
where.ScalarSelf where.Scalar xlogy.Tensor zeros zeros_like _to_copy _softmax _log_softmax _cdist_forward
_unsafe_view special_entr
"""
_IN_PLACE = """
add_.Tensor add_.Scalar sub_.Tensor sub_.Scalar mul_.Tensor mul_.Scalar div_.Tensor div_.Scalar copy_ fill_.Scalar
fill_.Tensor zero_ pow_.Scalar masked_fill_.Scalar masked_fill_.Tensor clamp_ clamp_min_ clamp_max_ bitwise_and_.Tensor
bitwise_or_.Tensor
"""

FACTORIES = frozenset("arange eye full linspace new_full ones scalar_tensor zeros".split())
"""They make tensors of their own and must make them on the runner's device."""


def _operations(names: str) -> dict[str, Callable[..., Any]]:
    """Return torch's operations by name with overload; those that this version lacks are left out."""
    found: dict[str, Callable[..., Any]] = {}
    for name in names.split():
        base, _, overload = name.partition(".")
        packet = getattr(torch.ops.aten, base, None)
        if packet is not None and (overload or "default") in packet.overloads():
            found[f"{base}.{overload or 'default'}"] = getattr(packet, overload or "default")
    return found


def _index(tensor: Tensor, indices: list[Tensor | None]) -> Tensor:
    result: Tensor = torch.ops.aten.index.Tensor(tensor, _within(tensor, indices))
    return result


def _index_put(tensor: Tensor, indices: list[Tensor | None], values: Tensor, accumulate: bool = False) -> Tensor:
    result: Tensor = torch.ops.aten.index_put(tensor, _within(tensor, indices), values, accumulate)
    return result


def _index_put_(
    tensor: Tensor, indices: list[Tensor | None], values: Tensor, accumulate: bool = False, unsafe: bool = False
) -> Tensor:
    result: Tensor = torch.ops.aten.index_put_(tensor, _within(tensor, indices), values, accumulate)
    return result


def _within(tensor: Tensor, indices: list[Tensor | None]) -> list[Tensor | None]:
    """Return the indices, integers clamped to the tensor: out of bounds they would take a GPU's context down."""
    safe: list[Tensor | None] = []
    dimension = 0
    for index in indices:
        if index is None:
            safe.append(None)
            dimension += 1
        elif index.dtype in (torch.bool, torch.uint8):
            # Without values (a "meta" tensor, for sizes) a mask is taken as all true: the most that it can select.
            safe += [index] if index.device.type != "meta" else _everything(index)
            dimension += index.dim()
        else:
            size = tensor.shape[dimension]
            safe.append(index.clamp(-size, size - 1))
            dimension += 1
    return safe


def _everything(mask: Tensor) -> list[Tensor | None]:
    return [torch.empty(mask.numel(), dtype=torch.int64, device="meta") for _ in range(mask.dim())]


def _gather(tensor: Tensor, dim: int, index: Tensor, *, sparse_grad: bool = False) -> Tensor:
    return torch.gather(tensor, dim, index.clamp(0, tensor.shape[dim] - 1))


def _index_select(tensor: Tensor, dim: int, index: Tensor) -> Tensor:
    return torch.index_select(tensor, dim, index.clamp(0, tensor.shape[dim] - 1))


def _masked_select(tensor: Tensor, mask: Tensor) -> Tensor:
    tensor, mask = torch.broadcast_tensors(tensor, mask)  # type: ignore[no-untyped-call]  # torch leaves it untyped
    return _index(tensor, [mask])


OPERATIONS: Mapping[str, Callable[..., Any]] = {
    **_operations(_PLAIN),
    **_operations(_IN_PLACE),
    "index.Tensor": _index,
    "index_put.default": _index_put,
    "index_put_.default": _index_put_,
    "_index_put_impl_.default": _index_put_,
    "gather.default": _gather,
    "index_select.default": _index_select,
    "masked_select.default": _masked_select,
}
"""Everything else is refused: what reads a tensor into Python, is random, reads files, takes raw strides, or shows
memory that nobody has written yet."""


def is_pure(name: str) -> bool:
    """Whether an operation changes none of its arguments."""
    return not name.partition(".")[0].endswith("_")
