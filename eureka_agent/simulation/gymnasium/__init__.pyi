from .fitness import FitnessRule, fitness_rule
from .reading import GymnasiumReading, SupportsGymnasium, reading_of
from .wrapping import VectorRewardWrapper, wrapped

__all__ = [
    "FitnessRule",
    "GymnasiumReading",
    "SupportsGymnasium",
    "VectorRewardWrapper",
    "fitness_rule",
    "reading_of",
    "wrapped",
]
