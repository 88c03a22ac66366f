"""Which of an answer's blocks holds the reward function, and how it becomes a module of its own."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Sequence

from eureka_agent.errors import ExtractionError
from eureka_agent.extract.blocks import Block, syntax_tree

ENTRY_POINT = "compute_reward"
ASK = f"answer with one ```python block that defines {ENTRY_POINT}."

_Definition = ast.FunctionDef | ast.ClassDef
_Import = ast.Import | ast.ImportFrom


def last_entry(blocks: Sequence[Block]) -> str | None:
    """Return the source of the last block that defines the entry point, as a function or as a method.

    One whose function returns something goes before one that only repeats the signature.
    """
    found = [block for block in reversed(blocks) if _entry(block) is not None]
    found.sort(key=lambda block: not _returns(_entry(block)))  # stable: the last stays first
    if not found:
        return None
    block = _completed(_without_demonstration(found[0]), [other for other in blocks if other is not found[0]])
    if any(function.name == ENTRY_POINT for function in block.functions):
        changed = [_drop_self(function) for function in block.functions if function.name == ENTRY_POINT]
        return _unparse(block.tree) if any(changed) else block.code
    return _lifted_method(block)


def last_renamed(blocks: Sequence[Block]) -> str | None:
    """Return the source of the last block with one function that can only be the reward, renamed."""
    for block in reversed(blocks):
        tuples = [function for function in block.functions if _returns_tuple(function)]
        named = [function for function in tuples if "reward" in function.name.lower()]
        sole = named if len(named) == 1 else tuples
        if len(sole) == 1:
            old = sole[0].name
            sole[0].name = ENTRY_POINT
            for node in ast.walk(block.tree):
                if isinstance(node, ast.Name) and node.id == old:
                    node.id = ENTRY_POINT
            _drop_self(sole[0])
            return _unparse(block.tree)
    return None


# ---------------------------------------------------------------------- the function
def _entry(block: Block) -> ast.FunctionDef | None:
    """Return a block's entry point: a function of the module, or else a method of one of its classes."""
    functions = [*reversed(block.functions)]
    for node in block.tree.body:
        if isinstance(node, ast.ClassDef):
            functions += [child for child in node.body if isinstance(child, ast.FunctionDef)]
    return next((function for function in functions if function.name == ENTRY_POINT), None)


def _lifted_method(block: Block) -> str | None:
    """Return the block with its class replaced by the class's entry point."""
    for position, node in enumerate(block.tree.body):
        if isinstance(node, ast.ClassDef) and (entry := _entry(Block("", ast.Module([node], [])))) is not None:
            _drop_self(entry)
            entry.decorator_list = []  # @staticmethod and the like mean nothing outside of the class
            block.tree.body[position] = entry
            return _unparse(block.tree)
    return None


def _drop_self(function: ast.FunctionDef) -> bool:
    """Remove a first parameter `self` (or `cls`); raise where the body needs the object."""
    parameters = function.args.posonlyargs or function.args.args
    if not parameters or parameters[0].arg not in ("self", "cls"):
        return False
    owner = parameters.pop(0).arg
    nodes = list(ast.walk(function))
    if any(isinstance(node, ast.Name) and node.id == owner for node in nodes):
        used = {
            f"{owner}.{node.attr}"
            for node in nodes
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == owner
        }
        raise ExtractionError(
            f"{ENTRY_POINT} reads {', '.join(sorted(used)[:8]) or owner}, but it is a plain function without an "
            f"object: take every state variable and constant as a parameter, by its name, and write other "
            f"numbers and helpers into the code."
        )
    return True


def _returns(function: ast.FunctionDef | None) -> bool:
    return function is not None and any(isinstance(node, ast.Return) and node.value for node in ast.walk(function))


def _returns_tuple(function: ast.FunctionDef) -> bool:
    returns = (node.value for node in ast.walk(function) if isinstance(node, ast.Return))
    return any(isinstance(value, ast.Tuple) and len(value.elts) == 2 for value in returns)


def _unparse(tree: ast.Module) -> str:
    try:
        return ast.unparse(tree) + "\n"
    except RecursionError:
        raise ExtractionError(f"The code is nested too deeply: {ASK}") from None
    except ValueError:  # Python writes no integer of more than 4,300 digits
        raise ExtractionError(f"The code holds an integer of thousands of digits: {ASK}") from None


# ---------------------------------------------------------------------- what stands around it
def _without_demonstration(block: Block) -> Block:
    """Return a block without the statements that only show how it is called, and formulas that nothing reads."""
    definitions = [node for node in block.tree.body if isinstance(node, _Definition)]
    used = _read(definitions) - _bound(child for node in definitions for child in ast.walk(node))
    shown = [node for node in block.tree.body if _demonstrates(node, used)]
    if not shown:
        return block
    stays = {line for node in block.tree.body if node not in shown for line in _lines(node)}
    goes = {line for node in shown for line in _lines(node)} - stays
    code = "\n".join(text for number, text in enumerate(block.code.split("\n"), 1) if number not in goes)
    try:
        return Block(code.rstrip("\n") + "\n", syntax_tree(code))
    except SyntaxError:
        return block


def _demonstrates(node: ast.stmt, used: set[str]) -> bool:
    inside = [*ast.walk(node)]
    if any(isinstance(child, _Definition | _Import) for child in inside):
        return False
    if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
        return bool(_read([node])) and not _bound(inside) & used
    if isinstance(node, ast.Expr):
        return not isinstance(node.value, ast.Constant)
    return isinstance(node, ast.If | ast.For | ast.While | ast.With | ast.Try | ast.Assert | ast.Delete)


def _completed(block: Block, others: Sequence[Block]) -> Block:
    """Return a block after the imports, helpers and CONSTANTS of other blocks that it reads and does not define."""
    missing = _read(block.tree.body) - _bound(ast.walk(block.tree)) - set(dir(builtins))
    taken: list[str] = []
    for other in reversed(others):
        text = other.code.split("\n")
        for node in reversed(other.tree.body if missing else []):
            if names := _offers(node) & missing:
                taken.insert(0, "\n".join(text[line - 1] for line in _lines(node)))
                missing = (missing - names) | (_read([node]) - _bound(ast.walk(node)) - set(dir(builtins)))
    if not taken:
        return block
    code = "\n".join([*taken, "", block.code])
    try:
        return Block(code, syntax_tree(code))
    except SyntaxError:  # a helper that was indented otherwise, or shares its line
        return block


def _offers(node: ast.stmt) -> set[str]:
    """Return the names that a statement of another block may give."""
    if isinstance(node, ast.FunctionDef):
        return {node.name} - {ENTRY_POINT}
    if isinstance(node, _Import):
        return _bound([node])
    return {name for name in _bound([*ast.walk(node)]) if name.isupper()} if isinstance(node, ast.Assign) else set()


def _read(nodes: Iterable[ast.stmt]) -> set[str]:
    inside = (child for node in nodes for child in ast.walk(node))
    return {child.id for child in inside if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Load)}


def _bound(nodes: Iterable[ast.AST]) -> set[str]:
    """Return the names that these nodes themselves bind, wherever that is."""
    names: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, _Definition):
            names.add(node.name)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, _Import):
            names |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
    return names


def _lines(node: ast.stmt) -> range:
    """Return the line numbers of a statement and its decorators."""
    first = min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", ()))])
    return range(first, (node.end_lineno or node.lineno) + 1)
