from .choose import choose_judge
from .synthetic import by_fitness
from .terminal import TerminalJudge

__all__ = [
    "TerminalJudge",
    "by_fitness",
    "choose_judge",
]
