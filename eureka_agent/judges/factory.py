"""Which judge a run asks."""

from __future__ import annotations

from eureka_agent.config import SynthesisConfig
from eureka_agent.errors import UsageError
from eureka_agent.judges.synthetic import by_fitness
from eureka_agent.judges.terminal import TerminalJudge
from eureka_agent.search.feedback import Judge
from eureka_agent.utils.terminal import Terminal


def make_judge(config: SynthesisConfig) -> Judge | None:
    """Return the judge that the config names; None where fitness alone decides.

    Raises UsageError when nobody judges a wish that has no fitness.
    """
    match config.feedback:
        case "cli":
            return TerminalJudge(Terminal())
        case "synthetic":
            return by_fitness
        case "none" if config.has_fitness:
            return None
    raise UsageError(
        f"The wish {config.task!r} on {config.env!r} has no measure of its own, so someone has to"
        " judge: run `synthesize` in a terminal or with --feedback cli and choose after each"
        " generation, or pass judge= in Python."
    )
