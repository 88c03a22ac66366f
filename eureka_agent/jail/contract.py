"""The contract check: try a reward on sample states before a policy is trained with it."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping

import torch
from torch import Tensor

from eureka_agent.checks.names import ENTRY, MODULES
from eureka_agent.errors import ContractError, RewardRuntimeError
from eureka_agent.jail import SandboxedReward
from eureka_agent.rewards.runner import RewardBatch
from eureka_agent.tasks.task import StateSpec

_ZERO_AT_REST = frozenset(
    {
        "linear_velocity",
        "angular_velocity",
        "joint_velocities",
        "speed",
        "force",
        "action",
        "flag",
        "distance",
        "angle",
    }
)
"""Kinds that are exactly zero in real states; positions of targets and joint limits are not."""
_RELATIVE, _ABSOLUTE = 1e-3, 1e-4
"""Tolerances: batches of another size use other vectorised kernels, which may round differently."""
_ROUNDED = 0.01
"""Share of rows that rounding may push across a threshold in the reward."""

_RANDOM = "equal inputs must give equal values"
_BATCH = (
    "a row's value must not depend on the other rows: reduce over the last dimension (dim=-1), not"
    " over the rows"
)
_ZERO = (
    " This happens where velocities, distances or actions are zero, as at the start of an episode:"
    " guard divisions, roots and logarithms, e.g. x / (x.norm(dim=-1, keepdim=True) + 1e-6)."
)
_BRANCH = (
    " Each environment has its own value: use torch.where(condition, a, b) instead of if, & | ~"
    " instead of and, or, not, and torch.clamp, torch.maximum or torch.minimum instead of max and"
    " min."
)
_BRANCH_ERROR = "Boolean value of Tensor"
_NUMBER_ERRORS = ("only one element tensors can be converted", "cannot be converted to Scalar")
_MATH_CALL = re.compile(r"\bmath\.(\w+)\(")
_NO_ROW = frozenset({"shape", "device", "dtype"})


def check_contract(reward: SandboxedReward, samples: Mapping[str, Tensor]) -> None:
    """Check that a reward keeps its contract on sample states.

    Every call checks shapes and finite values. This also checks that equal inputs give equal
    outputs, that a row's reward depends on that row only, and that a state at rest (velocities,
    distances, actions all zero) gives a finite reward.

    Args:
        reward: The reward in its sealed process.
        samples: State variables, `(rows, *shape)` each.

    Raises:
        ContractError: The reward breaks the contract; one sentence that a model can act on.
    """
    try:
        _check_contract(reward, {name: samples[name] for name in reward.parameters})
    except ContractError as error:
        raise ContractError(f"{error}{_advice(str(error), reward)}") from error


def _check_contract(reward: SandboxedReward, samples: Mapping[str, Tensor]) -> None:
    first = _call(reward, samples)
    _demand_equal(first, _call(reward, samples), _RANDOM)
    for change in (_reversed, _first_half, _second_half):
        changed = _call(reward, {name: change(values) for name, values in samples.items()})
        _demand_equal(_apply(change, first), changed, _BATCH)
    _call(reward, _at_rest(samples, reward.spec), hint=_ZERO)


def _reversed(values: Tensor) -> Tensor:
    return values.flip(0)


def _first_half(values: Tensor) -> Tensor:
    return values[: (len(values) + 1) // 2]


def _second_half(values: Tensor) -> Tensor:
    return values[len(values) // 2 :]


def _call(reward: SandboxedReward, state: Mapping[str, Tensor], *, hint: str = "") -> RewardBatch:
    try:
        return reward(state)
    except RewardRuntimeError as error:
        raise ContractError(f"{error}{hint}") from error


def _apply(change: Callable[[Tensor], Tensor], batch: RewardBatch) -> RewardBatch:
    return RewardBatch(
        change(batch.reward), {name: change(values) for name, values in batch.components.items()}
    )


def _demand_equal(expected: RewardBatch, got: RewardBatch, otherwise: str) -> None:
    pairs = {"the reward": (expected.reward, got.reward)}
    for name, values in expected.components.items():
        # One number for all rows, such as a mean for the log, may depend on all of them.
        if values.min() < values.max():
            pairs[f"component {name!r}"] = (values, got.components[name])
    for name, (a, b) in pairs.items():
        close = torch.isclose(a, b, rtol=_RELATIVE, atol=_ABSOLUTE * max(1.0, float(a.abs().max())))
        if (changed_rows := int((~close).sum())) > _ROUNDED * len(a):
            changed = f"{name} changed in {changed_rows} of {len(a)} rows"
            raise ContractError(f"The reward function failed: {changed}: {otherwise}.")


def _at_rest(samples: Mapping[str, Tensor], spec: StateSpec) -> dict[str, Tensor]:
    """Return two sample rows in which nothing moves and every distance is zero."""
    kinds = {variable.name: variable.kind for variable in spec.tensors}
    return {
        name: (
            values[:2] * 0.0
            if kinds.get(name, kinds.get(name.removeprefix("prev_"))) in _ZERO_AT_REST
            else values[:2]
        )
        for name, values in samples.items()
    }


# ---------------------------------------------------------------------- what to write instead
def _advice(error: str, reward: SandboxedReward) -> str:
    """Return what to write instead if the error or the code shows it, else an empty string."""
    if _BRANCH_ERROR in error:
        return _BRANCH
    if any(words in error for words in _NUMBER_ERRORS):
        used = _MATH_CALL.search(error)
        name = used[1] if used and used[1] in MODULES["torch"] else "exp"
        return f" math and float() work on numbers, state variables are tensors: use torch.{name}."
    if _ZERO in error:
        return ""
    return next(_indexing_advice(reward), "")


def _indexing_advice(reward: SandboxedReward) -> Iterator[str]:
    """Yield advice on `x[0]` of an input, which is its first environment, not its first entry."""
    tree = ast.parse(reward.reward.code)
    for function in tree.body:
        if not isinstance(function, ast.FunctionDef) or function.name != ENTRY:
            continue
        nodes = list(ast.walk(function))
        own = {
            node.id
            for node in nodes
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        }
        harmless = {
            id(node.value)
            for node in nodes
            if isinstance(node, ast.Attribute) and node.attr in _NO_ROW
        }
        for node in nodes:
            name = _indexed_by_number(node)
            shape = reward.spec.shapes.get(name, ())
            if shape and name not in own and id(node) not in harmless:
                sizes = ", ".join(map(str, shape))
                first, entry = (
                    f"{name}[0] is the first environment",
                    f"{name}[:, 0] the first entry",
                )
                yield f" {name!r} is (num_envs, {sizes}): {first}, {entry}."


def _indexed_by_number(node: ast.AST) -> str:
    """Return `x` for `x[0]` or `x[-1]`, else an empty string."""
    if not isinstance(node, ast.Subscript) or not isinstance(node.value, ast.Name):
        return ""
    index = node.slice.operand if isinstance(node.slice, ast.UnaryOp) else node.slice
    return node.value.id if isinstance(index, ast.Constant) and type(index.value) is int else ""
