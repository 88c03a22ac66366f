"""Which display a console gets."""

from __future__ import annotations

from rich.console import Console

from eureka_agent.report.live import LiveDisplay
from eureka_agent.report.plain import PlainLog


def make_listener(console: Console) -> LiveDisplay | PlainLog:
    """Return a context manager that yields a Listener: a live display on a capable terminal, else plain lines."""
    # FORCE_COLOR makes rich take a log for a terminal; a redrawn region would fill that log with cursor movements
    real = console.is_terminal and console.is_interactive and console.file.isatty()
    return LiveDisplay(console) if real and console.encoding.startswith("utf") else PlainLog(console)
