from .sandbox import Layers, Sandbox, SandboxLevel, level_without
from .sandboxed_reward import CheckedGraph, SandboxedReward

__all__ = [
    "CheckedGraph",
    "Layers",
    "Sandbox",
    "SandboxLevel",
    "SandboxedReward",
    "level_without",
]
