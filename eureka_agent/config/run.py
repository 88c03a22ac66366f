"""`RunConfig`: a run's limits, its sandbox and its folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from eureka_agent.config.limits import check_counts, check_positive
from eureka_agent.utils.arguments import check_values, refuse_unknown_arguments

SandboxLevel = Literal["full", "reduced", "static-checks"]
TrackerName = Literal["wandb", "mlflow"]


@refuse_unknown_arguments
@dataclass(frozen=True)
class RunConfig:
    """Limits (which end a run with the best reward so far), sandbox and folder."""

    max_cost_usd: float | None = None
    """Limit of the models' cost, including before a resume."""
    max_tokens: int | None = None
    """Limit of the models' tokens, in prompts and answers."""
    max_wall_min: float | None = None
    """Limit in minutes since the start or the resume."""
    sandbox: SandboxLevel = "full"
    """Layers that must hold; see docs/sandbox.md."""
    runs_dir: Path = Path("runs")
    """Folder that holds the runs."""
    run_name: str | None = None
    """Name of the run's new folder, else <date>-<task>-<short id>."""
    log: tuple[TrackerName, ...] = ()
    """Also log curves and results to wandb, mlflow or both
    (extras of these names)."""

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        check_values(self)
        check_counts(self, "max_tokens")
        check_positive(self, "max_cost_usd", "max_wall_min")
