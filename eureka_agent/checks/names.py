"""The tables of the allow-list: what the source of a reward function may use.

Everything that is not named here is refused. The tables hold pure tensor functions only: none that
reads or writes outside its arguments, is random, or works in place.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


ENTRY = "compute_reward"

MAX_CHARACTERS = 40_000
MAX_NODES = 12_000
MAX_DEPTH = 100

NODES = _words("""
    Module FunctionDef arguments arg Return Assign AugAssign For If IfExp Compare BoolOp BinOp
    UnaryOp Call keyword Name Load Store Constant Tuple List Set Dict Subscript Slice Attribute
    Expr Pass Break Continue ListComp DictComp GeneratorExp comprehension JoinedStr FormattedValue
    Assert Lambda With withitem Add Sub Mult Div FloorDiv Mod Pow MatMult BitAnd BitOr BitXor
    Invert Not UAdd USub And Or Eq NotEq Lt LtE Gt GtE Is IsNot In NotIn
""")

NODE_HINTS = {
    "While": "use 'for ... in range(n)'",
    "Try": "guard the values instead, e.g. with torch.clamp or torch.where",
    "Raise": "return a finite reward in every state",
    "ClassDef": "write plain functions",
    "AsyncFunctionDef": "write plain functions",
    "Global": "a reward keeps no state between calls",
    "Nonlocal": "a reward keeps no state between calls",
    "Yield": "return the reward and its components",
    "Starred": "write the arguments out",
    "NamedExpr": "assign on a line of its own",
    "Delete": "variables need not be deleted",
}

DECORATORS = frozenset(
    {
        "torch.jit.script",
        "torch.jit.ignore",
        "torch.jit.export",
        "torch.no_grad()",
        "torch.inference_mode()",
    }
)
"""Accepted and dropped: they do not change what a pure function computes."""

BUILTINS = _words("""
    abs min max sum len range float int bool str tuple list dict set enumerate zip round any all
    reversed sorted isinstance
""")

TYPING_MODULES = frozenset({"typing", "__future__", "collections.abc"})
"""Imports from these are dropped together with the annotations that need them."""

_MATH = _words("""
    pi e tau inf nan sqrt exp log log2 log10 log1p expm1 sin cos tan asin acos atan atan2 sinh cosh
    tanh degrees radians fabs floor ceil copysign hypot isnan isfinite isinf pow
""")

_TORCH = _words("""
    abs absolute acos add addcmul all allclose amax amin aminmax any arange arccos arcsin arctan
    arctan2 argmax argmin as_tensor asin atan atan2 bmm broadcast_tensors bucketize cat cdist ceil
    chunk clamp clamp_max clamp_min clip clone column_stack concat concatenate conj copysign cos
    cosh count_nonzero cross cummax cummin cumprod cumsum deg2rad det diag diag_embed diagonal diff
    dist div divide dot dstack einsum eq equal erf erfc exp exp2 expm1 eye flatten flip floor
    floor_divide fmax fmin fmod frac full full_like gather ge greater greater_equal gt heaviside
    hstack hypot index_select inner inverse isclose isfinite isinf isnan kron le lerp less
    less_equal linspace log log10 log1p log2 log_softmax logaddexp logical_and logical_not
    logical_or logical_xor logsumexp lt masked_select matmul max maximum mean median meshgrid min
    minimum mm movedim mul multiply mv nan_to_num nanmean nansum narrow ne neg negative norm
    not_equal numel ones ones_like outer permute pow prod rad2deg reciprocal relu remainder
    repeat_interleave reshape roll round rsqrt scalar_tensor select sgn sigmoid sign signbit sin
    sinc sinh softmax sort split sqrt square squeeze stack std sub subtract sum swapaxes t
    take_along_dim tan tanh tensor tensordot tile topk trace transpose trapezoid tril triu
    true_divide trunc unbind unsqueeze var vander vstack where xlogy zeros zeros_like float32
    float64 float16 bfloat16 float double half int8 int16 int32 int64 int long uint8 bool Tensor
    device dtype no_grad inf pi nan e
""")

_FUNCTIONAL = _words("""
    cosine_similarity elu gelu hardtanh huber_loss l1_loss leaky_relu log_softmax mse_loss
    normalize one_hot pairwise_distance relu relu6 sigmoid silu smooth_l1_loss softmax softplus
    softsign tanh
""")

MODULES = {
    "torch": _TORCH,
    "torch.nn": frozenset[str](),
    "torch.nn.functional": _FUNCTIONAL,
    "torch.linalg": _words("norm vector_norm matrix_norm cross det inv multi_dot vecdot"),
    "torch.special": _words("entr erf expit logit xlogy"),
    "math": _MATH,
    "numpy": _words("pi e inf"),
}
"""What may be used of each module."""

METHODS = _words("""
    abs acos add all allclose amax amin any argmax argmin asin atan atan2 bmm bool ceil chunk clamp
    clamp_max clamp_min clip clone conj contiguous copysign cos cosh count_nonzero cross cummax
    cummin cumprod cumsum detach diag diagonal diff dim dist div divide dot double eq erf exp exp2
    expand expand_as expm1 flatten flip float floor floor_divide fmax fmin fmod frac gather ge gt
    half hypot index_select int inverse is_floating_point isclose isfinite isinf isnan item le lerp
    log log10 log1p log2 logical_and logical_not logical_or logical_xor logsumexp long lt
    masked_fill masked_select matmul max maximum mean median min minimum mm movedim mul multiply mv
    nan_to_num nanmean nansum narrow ne neg nelement new_full new_ones new_tensor new_zeros norm
    numel outer permute pow prod reciprocal relu remainder repeat repeat_interleave reshape roll
    round rsqrt select sgn sigmoid sign sin sinh size softmax sort split sqrt square squeeze std
    sub sum swapaxes t tan tanh tile to topk transpose tril triu true_divide trunc type type_as
    unbind unflatten unsqueeze var view view_as where xlogy T mT ndim shape device dtype values
    indices append extend copy get items keys update
""")
"""Allowed attributes of anything but a module: pure methods of tensors, lists and dictionaries."""

FRESH = _words("zeros zeros_like ones ones_like full full_like new_zeros new_ones new_full clone")
"""They return a new tensor, so `zeros_like(x).fill_(1.0)` changes no tensor that others see."""
FILLS = _words("fill_ zero_")

KEYWORDS_REFUSED = _words("out inplace requires_grad generator pin_memory layout names file")

_RANDOM = "a reward must be deterministic"
_UNINITIALISED = "it returns uninitialised memory: use torch.zeros or torch.zeros_like"
NAME_HINTS = {
    "torch_rand_float": _RANDOM,
    "random": _RANDOM,
    "empty": _UNINITIALISED,
    "empty_like": _UNINITIALISED,
    "new_empty": _UNINITIALISED,
    "print": "return the value as a component instead",
    "self": "compute_reward is a plain function; take what you need as a parameter",
    "rand": _RANDOM,
    "randn": _RANDOM,
    "randint": _RANDOM,
    "rand_like": _RANDOM,
    "randn_like": _RANDOM,
    "randperm": _RANDOM,
    "normal": _RANDOM,
    "bernoulli": _RANDOM,
    "multinomial": _RANDOM,
    "numpy": "stay in torch",
    "tolist": "stay in torch",
    "cpu": "use .to(x.device) of an input x",
    "cuda": "use .to(x.device) of an input x",
    "data": "use .detach()",
    "backward": "a reward needs no gradients",
    "jit": "only the decorator @torch.jit.script is accepted",
    "map": "use a list comprehension",
    "filter": "use a list comprehension",
    "getattr": "write the attribute out",
    "hasattr": "write plain code",
}

NUMPY = {
    "array": "tensor",
    "asarray": "as_tensor",
    "power": "pow",
    "absolute": "abs",
    "cumsum": "cumsum",
}
"""Functions whose names differ between numpy and torch."""

PARAMETER_HINTS = {
    "device": "use the device of an input, x.device",
    "num_envs": "use the number of rows of an input, len(x)",
    "env": "there is no environment object; take each state variable as a parameter",
}
