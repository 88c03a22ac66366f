"""Create the judge of a run."""

from __future__ import annotations

from pathlib import Path

from eureka_agent.config import SynthesisConfig
from eureka_agent.errors import UsageError
from eureka_agent.judges.accepting import accepted_at
from eureka_agent.judges.code import CodeJudge
from eureka_agent.judges.synthetic import by_fitness
from eureka_agent.judges.terminal import TerminalJudge
from eureka_agent.judges.vision import VisionJudge, vision_proposer
from eureka_agent.judges.web import WebJudge
from eureka_agent.proposers.base import Proposer
from eureka_agent.proposers.chat import ChatProposer
from eureka_agent.proposers.grammar import GrammarProposer
from eureka_agent.search.feedback import FunctionJudge, Judge
from eureka_agent.tasks.task import Task
from eureka_agent.utils.terminal import Terminal


def make_judge(
    config: SynthesisConfig, task: Task, proposer: Proposer, runs_dir: Path | None = None
) -> Judge | None:
    """Return the judge that the config names.

    Args:
        config: the run's settings; `feedback` or `judge` names the judge.
        task: the task, with the episodes of the run.
        proposer: writes the rewards, and a success measure where one is needed.
        runs_dir: folder that holds the run, which a page shows; by default the config's.

    Returns:
        The judge, or None if fitness alone decides.

    Raises:
        UsageError: if an instruction without a fitness has no judge, or a judge has no model.
    """
    match config.search.feedback, config.search.judge:
        case "cli", _:
            return TerminalJudge(Terminal())
        case "web", _:
            return WebJudge(
                runs_dir or config.run.runs_dir,
                port=config.page.port,
                timeout_min=config.page.feedback_timeout_min,
                opens_browser=config.page.open,
            )
        case "synthetic", _:
            return FunctionJudge(by_fitness)
        case _, "code":
            return _code_judge(config, task, proposer)
        case _, "vision":
            shares_limits = isinstance(proposer, ChatProposer)
            vision = vision_proposer(config, proposer)
            return VisionJudge(task, vision, shares_limits=shares_limits)
        case _ if config.task.has_fitness:
            return None
    raise UsageError(
        f"The instruction {config.task.task!r} with --env {config.task.env!r} has no fitness, so a"
        " judge is needed: run `synthesize` in a terminal or with --feedback cli or web and choose"
        " after each generation, or name a judge that scores with --judge code or --judge vision,"
        " or pass judge= in Python."
    )


def _code_judge(config: SynthesisConfig, task: Task, proposer: Proposer) -> CodeJudge:
    if config.search.measure is None and isinstance(proposer, GrammarProposer):
        raise UsageError(
            "--judge code lets a model write the success measure, and the built-in grammar cannot:"
            " name a --model, or give the measure in a file with --measure FILE."
        )
    if config.search.yes:
        return CodeJudge(task, proposer, lambda code: True)
    return CodeJudge(task, proposer, accepted_at(Terminal()))
