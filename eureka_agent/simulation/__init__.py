"""Batched simulation: a task in many worlds at once, on one of the physics engines."""

from eureka_agent.simulation.choose import make_engine
from eureka_agent.simulation.cpu import CpuEngine
from eureka_agent.simulation.engine import Engine
from eureka_agent.simulation.environment import Environment, Episodes, Step
from eureka_agent.simulation.random_streams import WorldRandom
from eureka_agent.simulation.view import PhysicsView

__all__ = ["CpuEngine", "Engine", "Environment", "Episodes", "PhysicsView", "Step", "WorldRandom", "make_engine"]
