from .evaluator import Trial, Trials
from .events import Event, Listener
from .feedback import Judge, Question
from .loop import Search
from .statistics import Score
from .strategies import Plan, Strategy, make_strategy

__all__ = [
    "Event",
    "Judge",
    "Listener",
    "Plan",
    "Question",
    "Score",
    "Search",
    "Strategy",
    "Trial",
    "Trials",
    "make_strategy",
]
