"""Create the judge of a run."""

from __future__ import annotations

from pathlib import Path

from eureka_agent.config import SynthesisConfig
from eureka_agent.errors import UsageError
from eureka_agent.judges.synthetic import by_fitness
from eureka_agent.judges.terminal import TerminalJudge
from eureka_agent.judges.web import WebJudge
from eureka_agent.search.feedback import FunctionJudge, Judge
from eureka_agent.utils.terminal import Terminal


def make_judge(config: SynthesisConfig, runs_dir: Path | None = None) -> Judge | None:
    """Return the judge that the config names.

    Args:
        config: the run's settings; `feedback` names the judge.
        runs_dir: folder that holds the run, which a page shows; by default the config's.

    Returns:
        The judge, or None if fitness alone decides.

    Raises:
        UsageError: if an instruction without a fitness has no judge.
    """
    match config.search.feedback:
        case "cli":
            return TerminalJudge(Terminal())
        case "web":
            return WebJudge(
                runs_dir or config.run.runs_dir,
                port=config.page.port,
                timeout_min=config.page.feedback_timeout_min,
                opens_browser=config.page.open,
            )
        case "synthetic":
            return FunctionJudge(by_fitness)
        case "none" if config.task.has_fitness:
            return None
    raise UsageError(
        f"The instruction {config.task.task!r} with --env {config.task.env!r} has no fitness, so a"
        " judge is needed: run `synthesize` in a terminal or with --feedback cli or web and choose"
        " after each generation, or pass judge= in Python."
    )
