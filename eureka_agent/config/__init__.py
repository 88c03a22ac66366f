"""The settings of a run: the command line, the Python API and a run's record share one class."""

from eureka_agent.config.budget import TrainingBudget
from eureka_agent.config.protocols import PROTOCOLS
from eureka_agent.config.race import Race
from eureka_agent.config.synthesis import (
    BudgetName,
    Described,
    EndName,
    FeedbackName,
    SandboxLevel,
    StrategyName,
    SynthesisConfig,
    TrainerName,
)
from eureka_agent.config.trainers import SB3_ALGORITHMS, sb3_algorithm

__all__ = [
    "PROTOCOLS",
    "SB3_ALGORITHMS",
    "BudgetName",
    "Described",
    "EndName",
    "FeedbackName",
    "Race",
    "SandboxLevel",
    "StrategyName",
    "SynthesisConfig",
    "TrainerName",
    "TrainingBudget",
    "sb3_algorithm",
]
