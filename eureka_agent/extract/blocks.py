"""Find the Python in an answer: between fences, or between lines of prose."""

from __future__ import annotations

import ast
import re
import textwrap
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice

_MAX_CODE = 100_000  # characters of one block; a reward function has a few thousand
_MAX_PARSED = 1_000_000  # characters parsed for one answer, which bounds the time
_MAX_FENCES = 400  # the last ones are used: the final answer is at the end
_MAX_INNER_FENCES = 8  # fence lines inside strings of one block

# A fence is alone on its line; backticks may also follow text ("Sure: ```python", "return r,
# {}```"). The quantifier is possessive (`{3,}+`): backtracking over a long mark would take time
# quadratic in its length.
_FENCE = re.compile(r"(?P<before>\s*|[^`]*(?=`))(?P<mark>`{3,}+|~{3,}+)(?P<info>[^`]*)")
_CONTINUES = (" ", "\t", ")", "]", "}")
_KEPT_IN_PROSE = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef, ast.Assign)


@dataclass(frozen=True)
class Block:
    """A piece of valid Python."""

    code: str
    tree: ast.Module

    @property
    def functions(self) -> list[ast.FunctionDef]:
        """The functions at module level."""
        return [node for node in self.tree.body if isinstance(node, ast.FunctionDef)]

    @property
    def defines(self) -> bool:
        """Whether it defines a function or a class."""
        return any(isinstance(node, ast.FunctionDef | ast.ClassDef) for node in self.tree.body)

    @property
    def imports(self) -> bool:
        """Whether it consists of imports and constants only."""
        return bool(self.tree.body) and all(
            isinstance(node, ast.Import | ast.ImportFrom | ast.Assign) for node in self.tree.body
        )

    @property
    def names(self) -> set[str]:
        """All names that occur in it."""
        return {node.id for node in ast.walk(self.tree) if isinstance(node, ast.Name)}


class Reader:
    """Finds the Python in an answer; `error` is the syntax error to report to the model."""

    def __init__(self, entry_point: str) -> None:
        self.error = ""
        self._entry = re.compile(rf"\bdef\s+{entry_point}\b")
        self._parsed = 0

    def fenced(self, lines: Sequence[str]) -> Iterator[Block]:
        """Yield the code between fences.

        A block may end at any later fence line, because its strings may contain fence lines.
        """
        found = ((number, _fence(lines[number])) for number in reversed(range(len(lines))))
        fences = list(islice(((number, match) for number, match in found if match), _MAX_FENCES))
        fences.reverse()
        position = 0
        ends_at = [0, *accumulate(len(line) + 1 for line in lines)]
        while position < len(fences):
            start, opening = fences[position]
            later = range(position + 1, min(position + 1 + _MAX_INNER_FENCES, len(fences)))
            ends = [i for i in later if fences[i][1]["mark"].startswith(opening["mark"])] or [
                len(fences)
            ]
            position += 1
            for end in ends:
                number, rest = (
                    (fences[end][0], fences[end][1]["before"])
                    if end < len(fences)
                    else (len(lines), "")
                )
                if ends_at[number] - ends_at[start + 1] > 2 * _MAX_CODE and end != ends[0]:
                    break  # too long, and the next end is further away
                code = "\n".join([*lines[start + 1 : number], rest])
                block = (
                    self._parse(code, report=end == ends[0])
                    if "def " in code or "import " in code
                    else None
                )
                if block and (block.defines or block.imports):
                    yield block
                    closed = end < len(fences) and not fences[end][1]["info"].strip()
                    position = end + 1 if closed else end
                    break

    def bare(self, lines: Sequence[str]) -> list[Block]:
        """Return the statements between lines of prose as one block, or an empty list."""
        text = textwrap.dedent("\n".join(line for line in lines if not _fence(line)))
        whole = self._parse(text)
        if whole and whole.defines:
            return [whole]
        report = not self.error
        lines = text.split("\n")
        kept = [chunk for chunk in _chunks(lines) if self._is_statement(chunk, report=report)]
        block = self._parse("\n".join(kept))
        if block is None or not block.defines:
            return []
        begun = {line[4:].partition("(")[0].strip() for line in lines if line.startswith("def ")}
        broken = begun - {function.name for function in block.functions}
        # If it needs a function that is not valid Python, report the syntax error to the model.
        return [] if broken & block.names else [block]

    def _is_statement(self, chunk: str, *, report: bool) -> bool:
        """Whether this is a statement of a reward's module.

        A line of prose can be valid Python, too, so parsing alone does not decide.
        """
        if not (chunk.startswith(("def ", "class ", "import ", "from ", "@")) or "=" in chunk):
            return False
        block = self._parse(chunk, report=report)
        return block is not None and all(
            isinstance(node, _KEPT_IN_PROSE) for node in block.tree.body
        )

    def _parse(self, code: str, *, report: bool = False) -> Block | None:
        """Return `code` as a block, or None if it is not Python; `report`: keep the reason."""
        error = f"The code is longer than {_MAX_CODE} characters"
        for repair in (str, textwrap.dedent, _spaced) if len(code) <= _MAX_CODE else ():
            self._parsed += len(code) + 100
            if self._parsed > _MAX_PARSED:
                return None
            variant = repair(code)
            try:
                return Block(variant.strip("\n") + "\n", syntax_tree(variant))
            except SyntaxError as problem:
                error = f"The code is not valid Python (line {problem.lineno}: {problem.msg})"
            except (ValueError, MemoryError, RecursionError):
                error = "The code cannot be parsed: it holds binary data or is nested too deeply"
        if report and (self._entry.search(code) or ("def " in code and not self.error)):
            self.error = error
        return None


def syntax_tree(code: str) -> ast.Module:
    """Return Python's tree of `code`. Raises what `ast.parse` raises."""
    with warnings.catch_warnings():
        # Invalid escapes in a model's strings do not concern the user.
        warnings.simplefilter("ignore")
        return ast.parse(code)


def _fence(line: str) -> re.Match[str] | None:
    """Return the parts of a fence line; None for other lines, most of which skip the pattern."""
    return _FENCE.fullmatch(line) if "```" in line or "~~~" in line else None


def _spaced(code: str) -> str:
    """Return code that mixes tabs and spaces in a form that may parse."""
    return textwrap.dedent(code.expandtabs(4))


def _chunks(lines: Sequence[str]) -> Iterator[str]:
    """Yield each unindented line with the indented, blank and decorated lines that belong to it."""
    chunk: list[str] = []
    for line in lines:
        decorated = bool(chunk) and chunk[-1].startswith("@")
        if chunk and line and not line.startswith(_CONTINUES) and not decorated:
            yield "\n".join(chunk)
            chunk = []
        chunk.append(line)
    yield "\n".join(chunk)
