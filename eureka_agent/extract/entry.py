"""Choose the block of an answer that holds the reward function, and make a module of it."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator, Sequence

from eureka_agent.errors import ExtractionError
from eureka_agent.extract.blocks import Block, syntax_tree
from eureka_agent.extract.cut import cut, lines_of
from eureka_agent.extract.header import completed
from eureka_agent.extract.methods import without_object

ENTRY_POINT = "compute_reward"
_TEXT2REWARD = "compute_dense_reward"

_Definition = ast.FunctionDef | ast.ClassDef
_Import = ast.Import | ast.ImportFrom


def last_entry(blocks: Sequence[Block]) -> str | None:
    """Return the source of the last block that defines the entry point as a function or a method.

    A block whose function returns something is preferred to one that only repeats the signature.
    """
    found = [block for block in reversed(blocks) if _entry(block) is not None]
    found.sort(key=lambda block: not _returns(_entry(block)))  # stable: the last stays first
    if not found:
        return None
    return _module(found[0], [other for other in blocks if other is not found[0]])


def last_renamed(blocks: Sequence[Block]) -> str | None:
    """Return the source of the last block in which only one function can be the reward, renamed."""
    for block in reversed(blocks):
        sole = _sole(block.functions) or _sole([*_methods(block)], must_be_named=True)
        if sole is not None:
            _rename(block.tree, sole)
            code = _unparse(block.tree)
            return _module(
                Block(code, syntax_tree(code)), [other for other in blocks if other is not block]
            )
    return None


# ---------------------------------------------------------------------- the function
def _entry(block: Block) -> ast.FunctionDef | None:
    """Return a block's entry point: a function of the module, or else a method of a class."""
    methods = (method for method in _methods(block) if method.name == ENTRY_POINT)
    return _function(block) or next(methods, None)


def _function(block: Block) -> ast.FunctionDef | None:
    """Return the module's last function with the entry point's name."""
    return next(
        (function for function in reversed(block.functions) if function.name == ENTRY_POINT), None
    )


def _methods(block: Block) -> Iterator[ast.FunctionDef]:
    for node in block.tree.body:
        if isinstance(node, ast.ClassDef):
            yield from (child for child in node.body if isinstance(child, ast.FunctionDef))


def _sole(
    functions: Sequence[ast.FunctionDef], *, must_be_named: bool = False
) -> ast.FunctionDef | None:
    """Return the only one of `functions` that can be the reward, by its name and return value."""
    called = {name for function in functions for name in _called(function)}
    top_level = [
        function for function in functions if function.name not in called and _returns(function)
    ]
    pairs = [function for function in functions if _returns_tuple(function)]
    named_pairs = [function for function in pairs if _is_named(function)]
    top_level_pairs = [function for function in named_pairs if function in top_level]
    named = [function for function in top_level if _is_named(function)]
    for candidates in (named_pairs, top_level_pairs, [] if must_be_named else pairs, named):
        if len(candidates) == 1:
            return candidates[0]
    return None


def _is_named(function: ast.FunctionDef) -> bool:
    return "reward" in function.name.lower()


def _called(function: ast.FunctionDef) -> Iterator[str]:
    """Yield the names of the other functions that a function calls."""
    for node in ast.walk(function):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id != function.name
        ):
            yield node.func.id


def _rename(tree: ast.Module, function: ast.FunctionDef) -> None:
    old, function.name = function.name, ENTRY_POINT
    if old == _TEXT2REWARD and function.returns is None:
        function.returns = ast.Name("float", ast.Load())  # `single_environment` recognises it
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id == old:
            node.id = ENTRY_POINT


def _module(block: Block, others: Sequence[Block]) -> str:
    """Return the source of a module with the block's entry point and only what that needs."""
    block = _as_function(block)
    block = _cut(_with_missing(_cut(block), others))
    return completed(block.code)


def _as_function(block: Block) -> Block:
    """Return a block whose entry point is a function of the module without `self`."""
    tree, entry = block.tree, _entry(block)
    assert entry is not None
    if entry not in tree.body:
        place = next(
            i
            for i, node in enumerate(tree.body)
            if isinstance(node, ast.ClassDef) and entry in node.body
        )
        entry.decorator_list = []  # @staticmethod has no meaning outside the class
        without_object(entry, ENTRY_POINT)
        tree.body[place] = entry
    elif not without_object(entry, ENTRY_POINT):
        return block
    code = _unparse(ast.fix_missing_locations(tree))
    return Block(code, syntax_tree(code))


def _returns(function: ast.FunctionDef | None) -> bool:
    return function is not None and any(
        isinstance(node, ast.Return) and node.value for node in ast.walk(function)
    )


def _returns_tuple(function: ast.FunctionDef) -> bool:
    returns = (node.value for node in ast.walk(function) if isinstance(node, ast.Return))
    return any(isinstance(value, ast.Tuple) and len(value.elts) == 2 for value in returns)


def _unparse(tree: ast.Module) -> str:
    try:
        return ast.unparse(tree) + "\n"
    except RecursionError:
        raise ExtractionError(
            "The code is nested too deeply: write it as several short statements."
        ) from None
    except ValueError:  # Python cannot write integers of more than 4,300 digits
        raise ExtractionError(
            "The code has an integer of thousands of digits: write a shorter number."
        ) from None


# ---------------------------------------------------------------------- the module around it
def _cut(block: Block) -> Block:
    """Return a block with only its entry point and what that reads."""
    entry = _function(block)
    assert entry is not None
    try:
        code = cut(block.code, block.tree, entry)
        shorter = block if code == block.code else Block(code, syntax_tree(code))
    except (RecursionError, SyntaxError):  # the checks report what is wrong
        return block
    return shorter if _function(shorter) is not None else block


def _with_missing(block: Block, others: Sequence[Block]) -> Block:
    """Put the imports, helpers and CONSTANTS that a block reads but lacks in front of it.

    They come from the answer's other blocks.
    """
    missing = _missing(block.tree.body)
    taken: list[str] = []
    before: set[str] | None = None
    while missing != before:  # what was taken may read other statements of its block
        before = missing
        for other in reversed(others):
            text = other.code.split("\n")
            for node in reversed(other.tree.body if missing else []):
                if names := _offers(node) & missing:
                    taken.insert(0, "\n".join(text[line - 1] for line in lines_of(node)))
                    missing = (missing - names) | _missing([node])
    if not taken:
        return block
    code = "\n".join([*taken, "", block.code])
    try:
        whole = Block(code, syntax_tree(code))
    except SyntaxError:  # a helper with other indentation, or on a shared line
        return block
    # A helper's text may swallow the entry point.
    return whole if _function(whole) is not None else block


def _missing(body: Sequence[ast.stmt]) -> set[str]:
    bound = _bound(node for statement in body for node in ast.walk(statement))
    return _read(body) - bound - set(dir(builtins))


def _offers(node: ast.stmt) -> set[str]:
    """Return the names that a statement of another block may provide."""
    if isinstance(node, ast.FunctionDef):
        return {node.name} - {ENTRY_POINT}
    if isinstance(node, _Import):
        return _bound([node])
    return (
        {name for name in _bound([*ast.walk(node)]) if name.isupper()}
        if isinstance(node, ast.Assign)
        else set()
    )


def _read(nodes: Iterable[ast.stmt]) -> set[str]:
    inside = (child for node in nodes for child in ast.walk(node))
    return {
        child.id
        for child in inside
        if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Load)
    }


def _bound(nodes: Iterable[ast.AST]) -> set[str]:
    """Return the names that these nodes bind, in whatever scope."""
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
