from .code import CodeJudge
from .factory import make_judge
from .synthetic import by_fitness
from .terminal import TerminalJudge
from .vision import VisionJudge

__all__ = [
    "CodeJudge",
    "TerminalJudge",
    "VisionJudge",
    "by_fitness",
    "make_judge",
]
