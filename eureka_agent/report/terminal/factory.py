"""Choose the display for a console."""

from __future__ import annotations

import sys

from rich.console import Console

from eureka_agent.report.length import Measure, speed_of
from eureka_agent.report.terminal.live import LiveDisplay
from eureka_agent.report.terminal.plain import PlainLog


def make_listener(console: Console, measure: Measure | None = None) -> LiveDisplay | PlainLog:
    """Return a context manager that yields a Listener.

    That is a live display on a capable terminal, else plain lines. `measure`: measures how fast a
    run will train, so that its length is printed at the start.
    """
    # With FORCE_COLOR rich treats a log as a terminal; redrawing would fill it with cursor
    # movements.
    real = console.is_terminal and console.is_interactive and console.file.isatty()
    display = LiveDisplay if real and console.encoding.startswith("utf") else PlainLog
    return display(console, measure=measure)


def notebook_listener() -> PlainLog | None:
    """Return a listener that writes plain lines below a notebook's cell; None outside notebooks."""
    shell = sys.modules.get("IPython")
    get_ipython = getattr(shell, "get_ipython", None)
    if get_ipython is None or getattr(get_ipython(), "kernel", None) is None:
        return None
    return PlainLog(
        Console(file=sys.stdout, force_terminal=False, force_jupyter=False), measure=speed_of
    )
