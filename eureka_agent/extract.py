"""From a completion to the source of one reward function.

Models wrap code in many ways: fences of every kind, classes, other names, prose around. Markdown is read line by
line; what counts as code is decided by Python's own parser, never by patterns over code.
"""

from __future__ import annotations

import ast
import re
import textwrap
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from eureka_agent.errors import ExtractionError

ENTRY_POINT = "compute_reward"
_ASK = f"answer with one ```python block that defines {ENTRY_POINT}."

_MAX_CODE = 100_000  # characters that are worth parsing; a reward function has a few thousand
_MAX_PARSED = 1_000_000  # characters parsed for one reply: keeps the time bounded, whatever it looks like
_MAX_FENCES = 400  # the last ones count: the final answer stands at the end
_MAX_INNER_FENCES = 8  # fence lines inside strings of one block

# A fence stands alone on its line; backticks may also follow text ("Sure: ```python", "return r, {}```").
_FENCE = re.compile(r"(?P<before>\s*|[^`]*(?=`))(?P<mark>`{3,}|~{3,})(?P<info>[^`]*)")
_CONTINUES = (" ", "\t", ")", "]", "}")
_KEPT_IN_PROSE = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef, ast.Assign)


def extract(text: str) -> str:
    """Return the Python source in `text` that defines a module-level `compute_reward`.

    The last fenced block with the entry point wins; without one, code is looked for between the lines of prose.
    Imports and helpers of the same block stay. A method loses its class and `self`, a sole function that returns
    a tuple is renamed; only then is the source rewritten (and loses its comments).

    Raises ExtractionError with one sentence for the model.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise ExtractionError(f"The answer is empty: {_ASK}")
    reader = _Reader()
    blocks = [*reader.fenced(text.split("\n"))]
    found = _last_entry(blocks)
    if found is None:
        blocks += reader.bare(text.split("\n"))
        found = _last_entry(blocks)
    if found is None and f"def {ENTRY_POINT}" not in text:
        found = _last_renamed(blocks)
    if found is None:
        raise ExtractionError(_why_nothing(blocks, reader.error))
    return found


@dataclass(frozen=True)
class _Block:
    """A piece of valid Python."""

    code: str
    tree: ast.Module

    @property
    def functions(self) -> list[ast.FunctionDef]:
        return [node for node in self.tree.body if isinstance(node, ast.FunctionDef)]

    @property
    def defines(self) -> bool:
        return any(isinstance(node, ast.FunctionDef | ast.ClassDef) for node in self.tree.body)


class _Reader:
    """Finds the Python in a reply; remembers the syntax error that a model should hear of."""

    def __init__(self) -> None:
        self.error = ""
        self._parsed = 0

    def fenced(self, lines: Sequence[str]) -> Iterator[_Block]:
        """Yield the code between fences; code may end at any later fence line, so that its strings may hold some."""
        fences = [(number, match) for number, line in enumerate(lines) if (match := _FENCE.fullmatch(line))]
        fences, position = fences[-_MAX_FENCES:], 0
        while position < len(fences):
            start, opening = fences[position]
            later = range(position + 1, min(position + 1 + _MAX_INNER_FENCES, len(fences)))
            ends = [i for i in later if fences[i][1]["mark"].startswith(opening["mark"])] or [len(fences)]
            position += 1
            for end in ends:
                number, rest = (fences[end][0], fences[end][1]["before"]) if end < len(fences) else (len(lines), "")
                code = "\n".join([*lines[start + 1 : number], rest])
                block = self._parse(code, report=end == ends[0]) if "def " in code else None
                if block and block.defines:
                    yield block
                    closed = end < len(fences) and not fences[end][1]["info"].strip()
                    position = end + 1 if closed else end
                    break

    def bare(self, lines: Sequence[str]) -> list[_Block]:
        """Return the statements that stand between lines of prose, as one block (or none)."""
        text = textwrap.dedent("\n".join(line for line in lines if not _FENCE.fullmatch(line)))
        whole = self._parse(text)
        if whole and whole.defines:
            return [whole]
        report = not self.error
        kept = [chunk for chunk in _chunks(text.split("\n")) if self._is_statement(chunk, report=report)]
        block = self._parse("\n".join(kept))
        return [block] if block and block.defines else []

    def _is_statement(self, chunk: str, *, report: bool) -> bool:
        """Whether a reward's module may hold this; a line of prose can be valid Python too, so not all that parses."""
        if not (chunk.startswith(("def ", "class ", "import ", "from ", "@")) or "=" in chunk):
            return False
        block = self._parse(chunk, report=report)
        return block is not None and all(isinstance(node, _KEPT_IN_PROSE) for node in block.tree.body)

    def _parse(self, code: str, *, report: bool = False) -> _Block | None:
        """Return `code` as a block, or None when it is no Python; `report` keeps the reason for the model."""
        error = f"The code is longer than {_MAX_CODE} characters"
        for repair in (str, textwrap.dedent, _spaced) if len(code) <= _MAX_CODE else ():
            self._parsed += len(code) + 100
            if self._parsed > _MAX_PARSED:
                return None
            variant = repair(code)
            try:
                return _Block(variant.strip("\n") + "\n", _syntax_tree(variant))
            except SyntaxError as problem:
                error = f"The code is not valid Python (line {problem.lineno}: {problem.msg})"
            except (ValueError, MemoryError, RecursionError):
                error = "The code cannot be parsed, for it holds binary data or is nested too deeply"
        if report and (f"def {ENTRY_POINT}" in code or ("def " in code and not self.error)):
            self.error = error
        return None


def _spaced(code: str) -> str:
    """Return code whose lines mix tabs and spaces in a form that may parse."""
    return textwrap.dedent(code.expandtabs(4))


def _syntax_tree(code: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # invalid escapes in a model's strings are no news for the user
        return ast.parse(code)


def _chunks(lines: Sequence[str]) -> Iterator[str]:
    """Yield unindented lines, each with the indented, blank and decorated lines that belong to it."""
    chunk: list[str] = []
    for line in lines:
        decorated = bool(chunk) and chunk[-1].startswith("@")
        if chunk and line and not line.startswith(_CONTINUES) and not decorated:
            yield "\n".join(chunk)
            chunk = []
        chunk.append(line)
    yield "\n".join(chunk)


def _last_entry(blocks: Sequence[_Block]) -> str | None:
    """Return the source of the last block that defines the entry point, as a function or as a method."""
    for block in reversed(blocks):
        if any(function.name == ENTRY_POINT for function in block.functions):
            return _without_self(block)
        if (lifted := _lifted_method(block)) is not None:
            return lifted
    return None


def _last_renamed(blocks: Sequence[_Block]) -> str | None:
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


def _without_self(block: _Block) -> str:
    changed = [_drop_self(function) for function in block.functions if function.name == ENTRY_POINT]
    return _unparse(block.tree) if any(changed) else block.code


def _lifted_method(block: _Block) -> str | None:
    """Return the block with its class replaced by the class's `compute_reward`, or None without one."""
    for position, node in enumerate(block.tree.body):
        if not isinstance(node, ast.ClassDef):
            continue
        methods = [child for child in node.body if isinstance(child, ast.FunctionDef)]
        if entry := next((method for method in methods if method.name == ENTRY_POINT), None):
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


def _returns_tuple(function: ast.FunctionDef) -> bool:
    returns = (node.value for node in ast.walk(function) if isinstance(node, ast.Return))
    return any(isinstance(value, ast.Tuple) and len(value.elts) == 2 for value in returns)


def _unparse(tree: ast.Module) -> str:
    try:
        return ast.unparse(tree) + "\n"
    except RecursionError:
        raise ExtractionError(f"The code is nested too deeply: {_ASK}") from None


def _why_nothing(blocks: Sequence[_Block], error: str) -> str:
    """Return the sentence for a reply without a usable entry point."""
    if error:
        return f"{error}: {_ASK}"
    names = [function.name for block in blocks for function in block.functions]
    if names:
        listed = ", ".join(dict.fromkeys(names[:8]))
        return f"The code defines {listed} but no function {ENTRY_POINT}: {_ASK}"
    return f"The answer holds no Python function: {_ASK}"
