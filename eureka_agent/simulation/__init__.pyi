from .cpu import CpuEngine
from .engine import Engine
from .environment import Environment, Episodes, Step
from .factory import make_engine
from .random_streams import EnvironmentRandom
from .rollouts import Act, evaluate, random_actions, run_episodes
from .samples import sample_states, sample_steps
from .task_check import check_task, checked_task
from .view import PhysicsView

__all__ = [
    "Act",
    "CpuEngine",
    "Engine",
    "Environment",
    "EnvironmentRandom",
    "Episodes",
    "PhysicsView",
    "Step",
    "check_task",
    "checked_task",
    "evaluate",
    "make_engine",
    "random_actions",
    "run_episodes",
    "sample_states",
    "sample_steps",
]
