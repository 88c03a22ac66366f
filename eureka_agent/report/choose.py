"""Which display a console gets."""

from __future__ import annotations

from rich.console import Console

from eureka_agent.report.live import LiveDisplay
from eureka_agent.report.plain import PlainLog


def make_listener(console: Console) -> LiveDisplay | PlainLog:
    """Return a context manager that yields a Listener: a live display on a capable terminal, else plain lines."""
    capable = console.is_terminal and console.is_interactive and console.encoding.startswith("utf")
    return LiveDisplay(console) if capable else PlainLog(console)
