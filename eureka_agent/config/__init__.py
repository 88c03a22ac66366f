"""The one configuration: the command line, the Python API and the record in a run are all
`SynthesisConfig`."""

from eureka_agent.config.budget import TrainingBudget
from eureka_agent.config.synthesis import (
    PROTOCOLS,
    SB3_ALGORITHMS,
    BudgetName,
    Described,
    EndName,
    FeedbackName,
    Race,
    SandboxLevel,
    StrategyName,
    SynthesisConfig,
    TrainerName,
    sb3_algorithm,
)

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
