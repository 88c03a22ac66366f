from .distance import Transitions, reward_distance
from .graph import RewardGraph
from .graph_format import parse_graph
from .graph_reward import GraphReward
from .preference_check import Preference, Rollouts, preference, roll_out
from .runner import RewardBatch, RewardRunner, SparseReward

__all__ = [
    "GraphReward",
    "Preference",
    "RewardBatch",
    "RewardGraph",
    "RewardRunner",
    "Rollouts",
    "SparseReward",
    "Transitions",
    "parse_graph",
    "preference",
    "reward_distance",
    "roll_out",
]
