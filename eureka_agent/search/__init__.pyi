from .evaluator import Evaluator, PreparedCandidate
from .events import Event, Listener
from .feedback import FeedbackRequest, Judge
from .loop import Search
from .statistics import Score
from .strategies import Plan, Strategy, make_strategy

__all__ = [
    "Evaluator",
    "Event",
    "FeedbackRequest",
    "Judge",
    "Listener",
    "Plan",
    "PreparedCandidate",
    "Score",
    "Search",
    "Strategy",
    "make_strategy",
]
