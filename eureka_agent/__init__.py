"""Language models write reward functions for robot learning; parallel simulation evaluates them.

::

    import eureka_agent as ea

    result = ea.synthesize(ea.SynthesisConfig(task="cartpole", budget="quick"))
    print(result.reward.source, result.human_normalised)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    __version__: str
    from eureka_agent.api import RewardFunction as RewardFunction
    from eureka_agent.api import RewardGenerator as RewardGenerator
    from eureka_agent.api import SynthesisResult as SynthesisResult
    from eureka_agent.api import evolve as evolve
    from eureka_agent.api import resume as resume
    from eureka_agent.api import sample_transitions as sample_transitions
    from eureka_agent.api import synthesize as synthesize
    from eureka_agent.config import SynthesisConfig as SynthesisConfig
    from eureka_agent.errors import ConfigError as ConfigError
    from eureka_agent.errors import EurekaError as EurekaError
    from eureka_agent.records import Feedback as Feedback
    from eureka_agent.records import JudgeScore as JudgeScore
    from eureka_agent.rewards import Transitions as Transitions
    from eureka_agent.rewards import reward_distance as reward_distance
    from eureka_agent.runs import Changes as Changes
    from eureka_agent.runs import TrustedSettings as TrustedSettings
    from eureka_agent.search import FeedbackRequest as FeedbackRequest
    from eureka_agent.tasks import Task as Task
    from eureka_agent.tasks import all_tasks as all_tasks
    from eureka_agent.tasks import find_task as find_task
    from eureka_agent.training.policy import Policy as Policy

_NAMES = {
    "api": [
        "RewardFunction",
        "RewardGenerator",
        "SynthesisResult",
        "evolve",
        "resume",
        "sample_transitions",
        "synthesize",
    ],
    "config": ["SynthesisConfig"],
    "errors": ["ConfigError", "EurekaError"],
    "records": ["Feedback", "JudgeScore"],
    "rewards": ["Transitions", "reward_distance"],
    "runs": ["Changes", "TrustedSettings"],
    "search": ["FeedbackRequest"],
    "tasks": ["Task", "all_tasks", "find_task"],
    "training.policy": ["Policy"],
}
"""Public names by subpackage. A subpackage is imported when one of its names is first used, so that
`--help` starts without torch."""

_load, __dir__, _names = lazy_loader.attach(__name__, submod_attrs=_NAMES)
__all__ = sorted((*_names, "__version__"))


def __getattr__(name: str) -> object:
    return _version() if name == "__version__" else _load(name)


def _version() -> str:
    """Return the installed version from the package's metadata."""
    metadata = importlib.import_module("importlib.metadata")
    try:
        return str(metadata.version("eureka-agent"))
    except metadata.PackageNotFoundError:
        return "unknown (eureka-agent is not installed)"
