from .budget import BudgetName, TrainingBudget
from .models import ModelsConfig
from .protocols import PROTOCOLS, ProtocolName
from .race import Race
from .run import RunConfig, SandboxLevel, TrackerName
from .screening import ScreeningConfig
from .search import FeedbackName, SearchConfig
from .synthesis import SynthesisConfig
from .task import Described, EndName, TaskConfig
from .trainers import SB3_ALGORITHMS, TrainerName, sb3_algorithm
from .training import TrainingConfig

__all__ = [
    "PROTOCOLS",
    "SB3_ALGORITHMS",
    "BudgetName",
    "Described",
    "EndName",
    "FeedbackName",
    "ModelsConfig",
    "ProtocolName",
    "Race",
    "RunConfig",
    "SandboxLevel",
    "ScreeningConfig",
    "SearchConfig",
    "SynthesisConfig",
    "TaskConfig",
    "TrackerName",
    "TrainerName",
    "TrainingBudget",
    "TrainingConfig",
    "sb3_algorithm",
]
