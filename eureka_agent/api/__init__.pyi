from .generator import RewardGenerator
from .result import SynthesisResult
from .reward_function import RewardFunction
from .run import evolve, resume, synthesize
from .transitions import sample_transitions

__all__ = [
    "RewardFunction",
    "RewardGenerator",
    "SynthesisResult",
    "evolve",
    "resume",
    "sample_transitions",
    "synthesize",
]
