from .fitness import FitnessRule, fitness_rule
from .foreign import ForeignVersions, foreign_versions
from .metaworld import MetaWorldTask, metaworld_task
from .naming_code import names_code
from .reading import GymnasiumReading, SupportsGymnasium, reading_of
from .task import GymnasiumTask, gymnasium_task
from .vector_env import GymnasiumEnv
from .wrapping import VectorRewardWrapper, wrapped

__all__ = [
    "FitnessRule",
    "ForeignVersions",
    "GymnasiumEnv",
    "GymnasiumReading",
    "GymnasiumTask",
    "MetaWorldTask",
    "SupportsGymnasium",
    "VectorRewardWrapper",
    "fitness_rule",
    "foreign_versions",
    "gymnasium_task",
    "metaworld_task",
    "names_code",
    "reading_of",
    "wrapped",
]
