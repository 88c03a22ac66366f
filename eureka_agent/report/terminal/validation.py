"""The table of `eureka-agent validate-task`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, Protocol

from rich.table import Table
from rich.text import Text

from eureka_agent.report.formatting import one_line
from eureka_agent.report.terminal.page import plain_table

_STYLES = {"ok": "green", "warning": "yellow", "failed": "bold red"}


class Finding(Protocol):
    """The result of one check of a task."""

    @property
    def check(self) -> str:
        """What was checked."""
        ...

    @property
    def verdict(self) -> Literal["ok", "warning", "failed"]:
        """Whether it is all right."""
        ...

    @property
    def detail(self) -> str:
        """What was found, and what to do."""
        ...


def validation_table(findings: Iterable[Finding]) -> Table:
    """Return the checks of a task with their verdicts."""
    table = plain_table()
    table.add_column("check", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("", ratio=1)
    for finding in findings:
        verdict = Text(finding.verdict, _STYLES[finding.verdict])
        table.add_row(Text(one_line(finding.check)), verdict, Text(one_line(finding.detail)))
    return table
