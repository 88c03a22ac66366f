from .factory import make_judge
from .synthetic import by_fitness
from .terminal import TerminalJudge
from .web import WebJudge

__all__ = [
    "TerminalJudge",
    "WebJudge",
    "by_fitness",
    "make_judge",
]
