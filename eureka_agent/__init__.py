"""Language models write reward functions for robot learning; massively parallel simulation judges them.

::

    import eureka_agent as ea

    result = ea.synthesize(ea.SynthesisConfig(task="cartpole", budget="quick"))
    print(result.reward.source, result.human_normalised)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eureka_agent.runs.changes import Changes as Changes

    __version__: str
    from eureka_agent.api.generator import RewardGenerator as RewardGenerator
    from eureka_agent.api.reward_function import RewardFunction as RewardFunction
    from eureka_agent.api.run import SynthesisResult as SynthesisResult
    from eureka_agent.api.run import evolve as evolve
    from eureka_agent.api.run import resume as resume
    from eureka_agent.api.run import synthesize as synthesize
    from eureka_agent.config import SynthesisConfig as SynthesisConfig
    from eureka_agent.errors import ConfigError as ConfigError
    from eureka_agent.errors import EurekaError as EurekaError
    from eureka_agent.records import Feedback as Feedback
    from eureka_agent.rewards.distance import Transitions as Transitions
    from eureka_agent.rewards.distance import reward_distance as reward_distance
    from eureka_agent.rewards.distance import sample_transitions as sample_transitions
    from eureka_agent.runs.foreign_run import GivenAgain as GivenAgain
    from eureka_agent.search.feedback import Question as Question
    from eureka_agent.tasks.registry import all_tasks as all_tasks
    from eureka_agent.tasks.registry import find_task as find_task
    from eureka_agent.tasks.task import Task as Task
    from eureka_agent.training.policy import Policy as Policy

_HOME = {
    "Changes": "changes",
    "ConfigError": "errors",
    "EurekaError": "errors",
    "Feedback": "records",
    "GivenAgain": "foreign_run",
    "Policy": "policy",
    "Question": "feedback",
    "RewardFunction": "reward_function",
    "RewardGenerator": "generator",
    "SynthesisConfig": "config",
    "SynthesisResult": "run",
    "Task": "task",
    "Transitions": "distance",
    "all_tasks": "registry",
    "evolve": "run",
    "find_task": "registry",
    "resume": "run",
    "reward_distance": "distance",
    "sample_transitions": "distance",
    "synthesize": "run",
}
__all__ = sorted((*_HOME, "__version__"))


def __getattr__(name: str) -> object:
    """Import a public name when it is first used: the sandbox and `--help` start without torch."""
    if name == "__version__":
        return _version()
    if name not in _HOME:
        raise AttributeError(f"module 'eureka_agent' has no attribute {name!r}")
    return getattr(importlib.import_module(f"eureka_agent.{_HOME[name]}"), name)


def _version() -> str:
    """Return the version that is installed; the package's metadata are its one source."""
    metadata = importlib.import_module("importlib.metadata")
    try:
        return str(metadata.version("eureka-agent"))
    except metadata.PackageNotFoundError:
        return "unknown (eureka-agent is not installed)"
