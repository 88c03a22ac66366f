"""The console for all output: text from models, servers and stored runs cannot control it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from eureka_agent.text import escape_control


class Terminal(Console):
    """A console that escapes control characters and treats no text as markup.

    It is the last line of defence. Text is also cleaned where it is laid out, so that columns keep
    their widths.
    """

    def __init__(
        self, *, file: IO[str] | None = None, stderr: bool = False, soft_wrap: bool = False
    ) -> None:
        super().__init__(file=file, stderr=stderr, soft_wrap=soft_wrap, markup=False, emoji=False)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """See `Console.render`; rich's own control segments are kept."""
        for segment in super().render(renderable, options):
            yield (
                segment if segment.control else Segment(escape_control(segment.text), segment.style)
            )
