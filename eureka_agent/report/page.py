"""Putting a table or a text on a console: names stay whole, and what is no terminal gets plain
lines."""

from __future__ import annotations

import io

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

_WIDE = 20_000
"""Columns of a page that nothing has to fit into."""
_LEAST_WORDS = 12
"""Columns that words get at least, where they wrap."""
_GAP = 2


class WholeTable(Table):
    """A table whose columns without wrapping are never cut; where there is no room the terminal
    breaks the lines."""

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
    """Return a line with a name or a path in it: too long for a terminal, it is left to that to
    break it."""
    return Text(text, style, no_wrap=True, overflow="ignore")


def put(console: Console, *renderables: RenderableType) -> None:
    """Print each; in a pipe or a file as plain lines, as long as they are."""
    for renderable in renderables:
        if console.is_terminal:
            console.print(
                Group(renderable), crop=False
            )  # a text that is printed alone loses its own settings
        else:
            put_lines(console, plain_lines(renderable))


def put_lines(console: Console, lines: list[str]) -> None:
    """Print lines as they are; what the console's encoding lacks becomes a question mark."""
    for line in lines:
        console.out(
            line.encode(console.encoding, "replace").decode(console.encoding), highlight=False
        )


def plain_lines(renderable: RenderableType) -> list[str]:
    """Return a renderable as lines without styles, none of them folded."""
    paper = io.StringIO()
    Console(file=paper, width=_WIDE, color_system=None, force_terminal=False).print(renderable)
    return [line.rstrip() for line in paper.getvalue().splitlines()]
