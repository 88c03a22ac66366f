"""The trusted side of the wall: `Wall` opens sealed processes, `SealedReward` is one candidate's in its own."""

from eureka_agent.jail.sealed_reward import CheckedGraph, SealedReward
from eureka_agent.jail.wall import Layers, Wall, WallLevel, level_without

__all__ = ["CheckedGraph", "Layers", "SealedReward", "Wall", "WallLevel", "level_without"]
