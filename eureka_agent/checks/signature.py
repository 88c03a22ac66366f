"""Check `compute_reward` itself: its parameters and what it returns."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from eureka_agent.checks.findings import CheckFindings
from eureka_agent.checks.names import ENTRY, METHODS, NAME_HINTS, PARAMETER_HINTS
from eureka_agent.checks.scopes import own_nodes
from eureka_agent.errors import CheckError
from eureka_agent.utils.did_you_mean import near_names

if TYPE_CHECKING:  # task.py needs the physics engine, which the reward's process must not load
    from eureka_agent.tasks.task import StateSpec

_MAX_LISTED = 40
_MAX_OBJECTS = 6


def find_entry(tree: ast.Module, findings: CheckFindings) -> ast.FunctionDef | None:
    """Return the one function `compute_reward` at module level; its absence is a finding."""
    found = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == ENTRY]
    if len(found) == 1:
        return found[0]
    if found:
        findings.add(found[1], f"there are {len(found)} functions {ENTRY}(): keep one")
        return None
    others = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    findings.add(0, f"there is no function {ENTRY}() at module level.{near_names(ENTRY, others)}")
    return None


def check_objects(entry: ast.FunctionDef, spec: StateSpec) -> None:
    """Raise one CheckError if the function reads attributes of an object of a single environment.

    Text2Reward's rewards are written like this; without this check every line of them would be the
    same finding.
    """
    objects = {argument.arg for argument, _ in _parameters(entry)} - {*spec.names}
    read: dict[str, None] = {}
    for node in ast.walk(entry):
        if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
            continue
        if node.value.id in objects and node.attr not in METHODS:
            read[f"{node.value.id}.{node.attr}"] = None
    if read:
        listed = ", ".join(one[:60] for one in [*read][:_MAX_OBJECTS])
        raise CheckError(
            f"This is a reward for a single environment that reads an object ({listed}): take the"
            f" state that it needs as parameters of {ENTRY}, each by its name, compute with torch"
            f" on tensors (num_envs, ...), and return 'reward, components'.{_listing(spec)}"
        )


def check_parameters(
    entry: ast.FunctionDef, spec: StateSpec, findings: CheckFindings
) -> tuple[str, ...]:
    """Return the parameters that the task's state or constants provide, in order.

    An unknown name with a number as its default is a tuning constant and not included.
    """
    if entry.args.posonlyargs:
        findings.add(entry, "arguments are bound by name: remove the '/' from the parameters")
    known, unknown = [], []
    for argument, default in _parameters(entry):
        if argument.arg in spec.names:
            known.append(argument.arg)
        elif not _is_number(default):
            unknown.append(argument)
    for argument in unknown:
        listing = _listing(spec) if argument is unknown[-1] else ""
        findings.add(argument, _unknown(argument.arg, spec) + listing)
    if not unknown and not any(name in spec.shapes for name in known):
        findings.add(
            entry, f"{ENTRY} reads no state: take at least one state variable as a parameter"
        )
    return tuple(known)


def _parameters(entry: ast.FunctionDef) -> Iterator[tuple[ast.arg, ast.expr | None]]:
    """Yield every parameter of the function with its default."""
    arguments = entry.args
    positional = arguments.posonlyargs + arguments.args
    required = len(positional) - len(arguments.defaults)
    yield from zip(positional, [None] * required + [*arguments.defaults], strict=True)
    yield from zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)


def _is_number(default: ast.expr | None) -> bool:
    if isinstance(default, ast.UnaryOp):
        return _is_number(default.operand)
    return isinstance(default, ast.Constant) and isinstance(default.value, int | float)


def _unknown(name: str, spec: StateSpec) -> str:
    if name in NAME_HINTS:
        return f"{ENTRY} may not take {name!r}: {NAME_HINTS[name]}."
    if name in PARAMETER_HINTS:
        return f"{ENTRY} takes {name!r}, which is not a state variable: {PARAMETER_HINTS[name]}."
    near = near_names(name, spec.names)
    return f"{ENTRY} takes {name!r}, which this task does not have.{near}"


def _listing(spec: StateSpec) -> str:
    """Return all names if they are few enough to read, else an empty string."""
    names = [name for name in spec.names if not name.startswith("prev_")]
    if len(names) > _MAX_LISTED:
        return ""
    return f" Available: {', '.join(names)}; prev_<name> is a state variable one step earlier."


def check_returns(entry: ast.FunctionDef, findings: CheckFindings) -> None:
    """It must return a pair, or only the reward; what a variable holds is checked when it runs."""
    returns = [node for node in own_nodes(entry) if isinstance(node, ast.Return)]
    expected = "return the reward and a dictionary of its components: 'return reward, components'"
    if not returns:
        findings.add(entry, f"{ENTRY} returns nothing: {expected}")
    for node in returns:
        value = node.value
        pair = not isinstance(value, ast.Tuple) or len(value.elts) == 2
        if value is None or isinstance(value, ast.Constant | ast.Dict | ast.List) or not pair:
            findings.add(node, expected)
