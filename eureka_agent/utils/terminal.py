"""The console that everything is shown on: whatever a model, a server or a stored run wrote cannot
steer it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from eureka_agent.text import escape_control


class Terminal(Console):
    """A console that spells control characters out and takes no text for markup, wherever a text
    comes from.

    It is the last line: what is shown is cleaned where it is laid out, too, so that columns keep
    their widths.
    """

    def __init__(
        self, *, file: IO[str] | None = None, stderr: bool = False, soft_wrap: bool = False
    ) -> None:
        super().__init__(file=file, stderr=stderr, soft_wrap=soft_wrap, markup=False, emoji=False)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """See `Console.render`; the display's own cursor movements pass."""
        for segment in super().render(renderable, options):
            yield (
                segment if segment.control else Segment(escape_control(segment.text), segment.style)
            )
