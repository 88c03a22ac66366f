from .code import CodeJudge
from .factory import make_judge
from .synthetic import by_fitness
from .terminal import TerminalJudge
from .vision import VisionJudge
from .web import WebJudge

__all__ = [
    "CodeJudge",
    "TerminalJudge",
    "VisionJudge",
    "WebJudge",
    "by_fitness",
    "make_judge",
]
