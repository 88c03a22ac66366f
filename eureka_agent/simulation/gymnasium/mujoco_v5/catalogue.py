"""Which environments run on the batch engine, and with which keyword arguments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from eureka_agent.errors import SimulationError
from eureka_agent.simulation.gymnasium.fitness import FitnessRule
from eureka_agent.simulation.gymnasium.mujoco_v5.ant import Ant, AntSettings
from eureka_agent.simulation.gymnasium.mujoco_v5.half_cheetah import (
    HalfCheetah,
    HalfCheetahSettings,
)
from eureka_agent.simulation.gymnasium.mujoco_v5.hopper import Hopper, HopperSettings
from eureka_agent.simulation.gymnasium.mujoco_v5.humanoid import (
    Humanoid,
    WalkingHumanoidSettings,
)
from eureka_agent.simulation.gymnasium.mujoco_v5.humanoid_standup import (
    HumanoidStandup,
    LyingHumanoidSettings,
)
from eureka_agent.simulation.gymnasium.mujoco_v5.inverted_double_pendulum import (
    InvertedDoublePendulum,
    InvertedDoublePendulumSettings,
)
from eureka_agent.simulation.gymnasium.mujoco_v5.inverted_pendulum import (
    InvertedPendulum,
    InvertedPendulumSettings,
)
from eureka_agent.simulation.gymnasium.mujoco_v5.models import compiled, model_path
from eureka_agent.simulation.gymnasium.mujoco_v5.pusher import Pusher, PusherSettings
from eureka_agent.simulation.gymnasium.mujoco_v5.reacher import Reacher, ReacherSettings
from eureka_agent.simulation.gymnasium.mujoco_v5.settings import Settings, read_settings
from eureka_agent.simulation.gymnasium.mujoco_v5.swimmer import Swimmer, SwimmerSettings
from eureka_agent.simulation.gymnasium.mujoco_v5.task import MujocoV5Task
from eureka_agent.simulation.gymnasium.mujoco_v5.walker2d import Walker2d, Walker2dSettings
from eureka_agent.tasks.ids import join_id
from eureka_agent.tasks.mjcf import load_xml

ENVIRONMENTS: Mapping[str, tuple[type[MujocoV5Task[Any]], type[Settings]]] = {
    "Ant-v5": (Ant, AntSettings),
    "HalfCheetah-v5": (HalfCheetah, HalfCheetahSettings),
    "Hopper-v5": (Hopper, HopperSettings),
    "Humanoid-v5": (Humanoid, WalkingHumanoidSettings),
    "HumanoidStandup-v5": (HumanoidStandup, LyingHumanoidSettings),
    "InvertedDoublePendulum-v5": (InvertedDoublePendulum, InvertedDoublePendulumSettings),
    "InvertedPendulum-v5": (InvertedPendulum, InvertedPendulumSettings),
    "Pusher-v5": (Pusher, PusherSettings),
    "Reacher-v5": (Reacher, ReacherSettings),
    "Swimmer-v5": (Swimmer, SwimmerSettings),
    "Walker2d-v5": (Walker2d, Walker2dSettings),
}
"""The class and the keyword arguments of each, by the id without `gym:`."""


def batch_task(
    name: str, kwargs: Mapping[str, object], rule: FitnessRule
) -> MujocoV5Task[Any] | None:
    """Return an environment of Gymnasium as a task on the batch engine.

    Args:
        name: The id without `gym:`, such as `Hopper-v5`.
        kwargs: The keyword arguments for `gymnasium.make`.
        rule: What measures its success.

    Returns:
        None if the environment is not one of `ENVIRONMENTS`, if an argument is not one of its own
        or has a wrong type, or if `xml_file` is a model that its code was not written for. Then the
        environment has to run as Gymnasium's own.
    """
    if name not in ENVIRONMENTS:
        return None
    kind, settings_type = ENVIRONMENTS[name]
    settings = read_settings(settings_type, kwargs)
    if settings is None:
        return None
    try:
        model = compiled(load_xml(model_path(settings.xml_file)))
    except (SimulationError, ValueError):  # Gymnasium's own environment says what is wrong
        return None
    if not kind.fits(model, settings):
        return None
    fitness = None if rule.kind == "env_return" else rule.text
    task_id = join_id("gym", name, {"fitness": fitness, "kwargs": dict(kwargs) or None})
    return kind(settings, rule, task_id)
