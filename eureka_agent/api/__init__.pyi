from .generator import RewardGenerator
from .reward_function import RewardFunction
from .run import SynthesisResult, evolve, resume, synthesize

__all__ = [
    "RewardFunction",
    "RewardGenerator",
    "SynthesisResult",
    "evolve",
    "resume",
    "synthesize",
]
