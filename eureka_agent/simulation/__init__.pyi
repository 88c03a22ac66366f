from .batched_env import BatchedEnv, Episodes, Step, SupportsKeep, SupportsSnapshot
from .cpu import CpuEngine
from .engine import Engine
from .factory import make_engine
from .mujoco_environment import MujocoEnvironment
from .mujoco_task import MujocoTask
from .physics import EpisodeState, InitialState, Physics, Random
from .random_streams import EnvironmentRandom
from .rollouts import Act, evaluate, random_actions, run_episodes
from .samples import sample_states, sample_steps
from .task_check import check_task, checked_task
from .view import PhysicsView

__all__ = [
    "Act",
    "BatchedEnv",
    "CpuEngine",
    "Engine",
    "EnvironmentRandom",
    "EpisodeState",
    "Episodes",
    "InitialState",
    "MujocoEnvironment",
    "MujocoTask",
    "Physics",
    "PhysicsView",
    "Random",
    "Step",
    "SupportsKeep",
    "SupportsSnapshot",
    "check_task",
    "checked_task",
    "evaluate",
    "make_engine",
    "random_actions",
    "run_episodes",
    "sample_states",
    "sample_steps",
]
