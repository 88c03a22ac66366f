from .fitness import FitnessRule, fitness_rule
from .naming_code import names_code
from .task import GymnasiumTask, gymnasium_task
from .vector_env import GymnasiumEnv

__all__ = [
    "FitnessRule",
    "GymnasiumEnv",
    "GymnasiumTask",
    "fitness_rule",
    "gymnasium_task",
    "names_code",
]
