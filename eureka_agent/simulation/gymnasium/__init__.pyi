from .fitness import FitnessRule, fitness_rule
from .naming_code import names_code
from .reading import GymnasiumReading, SupportsGymnasium, reading_of
from .task import GymnasiumTask, gymnasium_task
from .vector_env import GymnasiumEnv
from .wrapping import VectorRewardWrapper, wrapped

__all__ = [
    "FitnessRule",
    "GymnasiumEnv",
    "GymnasiumReading",
    "GymnasiumTask",
    "SupportsGymnasium",
    "VectorRewardWrapper",
    "fitness_rule",
    "gymnasium_task",
    "names_code",
    "reading_of",
    "wrapped",
]
