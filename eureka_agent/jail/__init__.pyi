from .sealed_reward import CheckedGraph, SealedReward
from .wall import Layers, Wall, WallLevel, level_without

__all__ = [
    "CheckedGraph",
    "Layers",
    "SealedReward",
    "Wall",
    "WallLevel",
    "level_without",
]
