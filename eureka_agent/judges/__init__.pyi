from .factory import make_judge
from .synthetic import by_fitness
from .terminal import TerminalJudge

__all__ = [
    "TerminalJudge",
    "by_fitness",
    "make_judge",
]
