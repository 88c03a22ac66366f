"""`PageConfig`: the page in the browser on which a person judges (`--feedback web`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from tyro.conf import arg

from eureka_agent.config.limits import check_port, check_positive
from eureka_agent.utils.arguments import check_values, refuse_unknown_arguments


@refuse_unknown_arguments
@dataclass(frozen=True)
class PageConfig:
    """The page of --feedback web."""

    feedback_timeout_min: Annotated[float | None, arg(aliases=["--feedback-timeout"])] = None
    """Minutes without an answer after which the search goes on by itself, else
    it waits."""
    port: int | None = None
    """Port of the page on 127.0.0.1, 0 for any; else 8765 or another."""
    open: bool = False
    """Open the page in this machine's browser."""

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        check_values(self)
        check_positive(self, "feedback_timeout_min")
        if self.port is not None:
            check_port(self.port)
