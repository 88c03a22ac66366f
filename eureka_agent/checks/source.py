"""Check the source of a reward function, and compile it."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from types import CodeType
from typing import TYPE_CHECKING

from eureka_agent.checks.annotations import check_annotations
from eureka_agent.checks.decorators import check_decorators
from eureka_agent.checks.findings import CheckFindings
from eureka_agent.checks.imports import Imports, read_imports
from eureka_agent.checks.names import MAX_CHARACTERS, MAX_DEPTH, MAX_NODES
from eureka_agent.checks.rules import Rules, check_module_level, check_names
from eureka_agent.checks.signature import check_objects, check_parameters, check_returns, find_entry
from eureka_agent.checks.stripping import strip
from eureka_agent.errors import CheckError
from eureka_agent.records import RewardSource

if TYPE_CHECKING:  # task.py needs the physics engine, which the reward's process must not load
    from eureka_agent.tasks.task import StateSpec

REWARD_FILE = "<reward>"
"""The file name of a compiled reward's code, by which its lines are found in tracebacks."""

_COOKIE = re.compile(r"[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
"""PEP 263: a comment in the first two lines of a file can declare its encoding."""

_CONTROL = re.compile("[\x01-\x08\x0b\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Characters that control a terminal or change the writing direction: they can hide what runs."""


@dataclass(frozen=True)
class CheckedCode:
    """A reward's code, ready to run in a namespace that holds the names it imported."""

    code: CodeType
    imports: Mapping[str, str]
    """Local names with their dotted paths, e.g. `F` → `torch.nn.functional`."""


def check_source(code: str, spec: StateSpec) -> RewardSource:
    """Check a reward's source against the allow-list and the task.

    Args:
        code: Python source with one module-level function `compute_reward`.
        spec: The state and constants that the task offers to rewards.

    Returns:
        The source with the names of `spec` that its `compute_reward` reads.

    Raises:
        CheckError: The source is not valid Python, uses something that is not allowed, or reads
            what the task does not have. One message with at most four findings, each with its line.
    """
    findings = CheckFindings(code)
    tree, _ = _analyse(code, frozenset(spec.names), findings)
    entry = find_entry(tree, findings)
    parameters: tuple[str, ...] = ()
    if entry is not None:
        check_objects(entry, spec)
        parameters = check_parameters(entry, spec, findings)
        check_returns(entry, findings)
    findings.raise_if_any()
    return RewardSource(code=code, parameters=parameters)


def compile_checked(code: str) -> CheckedCode:
    """Check `code` again and compile it without imports, decorators and annotations.

    The sealed process calls this as its own, second check, so it needs no task.

    Args:
        code: Python source with one module-level function `compute_reward`.

    Returns:
        The compiled code and what its imports bind.

    Raises:
        CheckError: The source does not pass the allow-list; the message is as in `check_source`.
    """
    findings = CheckFindings(code)
    tree, imports = _analyse(code, frozenset(), findings)
    find_entry(tree, findings)
    findings.raise_if_any()
    return CheckedCode(compile(tree, REWARD_FILE, "exec", dont_inherit=True), imports.paths)


def _analyse(
    code: str, available: frozenset[str], findings: CheckFindings
) -> tuple[ast.Module, Imports]:
    """Return the stripped tree and its imports; all that is not allowed becomes a finding."""
    tree = _parse(code)
    imports = read_imports(tree, findings)
    check_decorators(tree, findings)
    check_annotations(tree, findings)
    tree = strip(tree)
    check_module_level(tree, findings)
    check_names(tree, imports, available, findings)
    Rules(tree, imports, findings).visit(tree)
    return tree, imports


def _parse(code: str) -> ast.Module:
    """Return the syntax tree, bounded in size so that no later step recurses too deeply."""
    if len(code) > MAX_CHARACTERS:
        raise CheckError(
            f"The code has {len(code)} characters; at most {MAX_CHARACTERS} are allowed."
        )
    for line in re.split(r"\r\n?|\n", code, maxsplit=2)[:2]:
        cookie = _COOKIE.match(line)
        if cookie and cookie[1].lower().replace("_", "-") not in ("utf-8", "utf8"):
            raise CheckError(
                f"The code names the encoding {cookie[1][:40]}: save it as UTF-8 and drop that"
                " line."
            )
    if found := _CONTROL.search(code):
        shown = ascii(found[0])[1:-1]
        line = code.count("\n", 0, found.start()) + 1
        raise CheckError(f"Line {line}: the code holds the control character {shown}: remove it.")
    try:
        with warnings.catch_warnings():
            # Invalid escapes in a model's strings do not concern the user.
            warnings.simplefilter("ignore")
            tree = ast.parse(code)
    except SyntaxError as error:
        raise CheckError(
            f"Line {error.lineno or 1}: the code is not valid Python: {error.msg}."
        ) from error
    except (ValueError, MemoryError, RecursionError) as error:
        raise CheckError(
            f"The code is not valid Python: {str(error) or 'it is nested too deeply'}."
        ) from error
    _limit_size(tree)
    return tree


def _limit_size(tree: ast.Module) -> None:
    nodes = 0
    level: list[ast.AST] = [tree]
    for _ in range(MAX_DEPTH):
        nodes += len(level)
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level and nodes <= MAX_NODES:
            return
    raise CheckError(
        "The code is too large or too deeply nested: write it as several short statements."
    )
