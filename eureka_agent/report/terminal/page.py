"""Print tables and texts: names are never cut, and pipes and files get plain lines."""

from __future__ import annotations

import io

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

_WIDE = 20_000
"""Width of a page without limits, in columns."""
_LEAST_WORDS = 12
"""Least width of a column that wraps."""
_GAP = 2
"""Spaces between columns."""


class WholeTable(Table):
    """A table that never cuts its `no_wrap` columns; a narrow terminal breaks its lines instead."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        free = options.update(width=_WIDE)
        needed = 0
        for column in self.columns:
            width = _LEAST_WORDS
            if column.no_wrap:
                cells = (column.header, *column.cells)
                column.min_width = width = max(
                    Measurement.get(console, free, cell).maximum for cell in cells
                )
            needed += width + _GAP
        yield from super().__rich_console__(
            console, options.update(width=max(needed, options.max_width))
        )


def plain_table() -> Table:
    """Return an empty table in the report's style: no lines, two spaces between columns."""
    return WholeTable(box=None, padding=(0, _GAP, 0, 0), header_style="bold", pad_edge=False)


def whole_line(text: str, style: str = "") -> Text:
    """Return a line that is never cut, for names and paths; a narrow terminal breaks it instead."""
    return Text(text, style, no_wrap=True, overflow="ignore")


def message_line(text: str) -> Text:
    """Return a line of a message: words are folded, an address stays whole to be opened."""
    return whole_line(text) if text.startswith("http://") else Text(text, overflow="fold")


def put(console: Console, *renderables: RenderableType) -> None:
    """Print renderables; to a pipe or a file as plain lines of any length."""
    for renderable in renderables:
        if console.is_terminal:
            # Grouped, since a text that is printed alone loses its own settings.
            console.print(Group(renderable), crop=False)
        else:
            put_lines(console, plain_lines(renderable))


def put_lines(console: Console, lines: list[str]) -> None:
    """Print lines; characters that the console cannot encode become question marks."""
    for line in lines:
        console.out(
            line.encode(console.encoding, "replace").decode(console.encoding), highlight=False
        )


def plain_lines(renderable: RenderableType) -> list[str]:
    """Return a renderable as unfolded lines without styles."""
    paper = io.StringIO()
    Console(file=paper, width=_WIDE, color_system=None, force_terminal=False).print(renderable)
    return [line.rstrip() for line in paper.getvalue().splitlines()]
