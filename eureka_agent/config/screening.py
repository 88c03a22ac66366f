"""`ScreeningConfig`: which rewards are refused before they are trained."""

from __future__ import annotations

from dataclasses import dataclass

from eureka_agent.errors import UsageError
from eureka_agent.utils.arguments import check_values, refuse_unknown_arguments


@refuse_unknown_arguments
@dataclass(frozen=True)
class ScreeningConfig:
    """Which rewards are refused before they are trained."""

    novelty: float = 0.0
    """Least distance (0 to 1) of a reward to earlier ones."""
    preference_check: bool = False
    """Refuse a reward that prefers failed episodes."""

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        check_values(self)
        if not 0.0 <= self.novelty < 1.0:
            raise UsageError(f"--novelty must lie between 0 (off) and 1, got {self.novelty}.")
