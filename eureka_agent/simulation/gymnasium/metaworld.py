"""Meta-World's tasks by their id, such as `metaworld:drawer-open-v3` (Yu et al. 2019).

Meta-World (v3, https://arxiv.org/abs/1910.10897) pins mujoco 3.3.0, so it runs in another Python:
`--python PATH`.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import replace

from eureka_agent.errors import UnknownTaskError, UsageError
from eureka_agent.simulation.gymnasium.fitness import FitnessRule, fitness_rule
from eureka_agent.simulation.gymnasium.foreign import demand_packages, user_python
from eureka_agent.simulation.gymnasium.task import GymnasiumTask
from eureka_agent.tasks.ids import Options, join_id
from eureka_agent.tasks.task import StateSpec, StateVariable
from eureka_agent.utils.did_you_mean import did_you_mean

_ENVIRONMENT = "metaworld:Meta-World/MT1"
_GOALS = 0
"""Seed of the 50 goals of a task, of which each episode has one."""
_EPISODE_STEPS = 500
_SUCCESS_KEY = "success"
_SUCCESS = "info:success:max"
MT10: Mapping[str, str] = {
    "button-press-topdown-v3": "press the button from above",
    "door-open-v3": "open the door with the revolving handle",
    "drawer-close-v3": "push the drawer closed",
    "drawer-open-v3": "pull the drawer open by its handle",
    "peg-insert-side-v3": "insert the peg sideways into the hole",
    "pick-place-v3": "pick up the puck and place it at the goal",
    "push-v3": "push the puck to the goal",
    "reach-v3": "bring the gripper to the goal",
    "window-close-v3": "push the window closed",
    "window-open-v3": "push the window open",
}
"""What the robot should do in each task of MT10."""
_INSTALL = (
    "Meta-World runs in a Python of its own, since it pins another MuJoCo: python3 -m venv"
    " ~/metaworld && ~/metaworld/bin/pip install metaworld packaging, then --python"
    " ~/metaworld/bin/python"
)


def _objects(frame: str, when: str) -> tuple[StateVariable, ...]:
    """Return what the observation has of the arm and the objects at one moment."""
    found = [
        StateVariable(
            f"{frame}hand_position",
            (3,),
            "m",
            "world",
            f"position of the gripper{when}; x right, y away from the robot, z up",
            "position",
        ),
        StateVariable(
            f"{frame}gripper_opening",
            (),
            "-",
            "-",
            f"distance of the fingers{when}: 0 closed, 1 open by 0.1 m",
        ),
    ]
    for number, which in (("1", "the object"), ("2", "the second object, 0 if there is none")):
        position, orientation = f"position of {which}{when}", f"orientation of {which}{when}"
        found += [
            StateVariable(
                f"{frame}object_{number}_position", (3,), "m", "world", position, "position"
            ),
            StateVariable(
                f"{frame}object_{number}_quaternion",
                (4,),
                "-",
                "world",
                f"{orientation}, as a quaternion",
            ),
        ]
    return tuple(found)


_GOAL = StateVariable(
    "goal_position", (3,), "m", "world", "where the object, or the gripper, should go", "position"
)
_OBSERVATION = (*_objects("", ""), *_objects("last_", " one step before"), _GOAL)


class MetaWorldTask(GymnasiumTask):
    """One of Meta-World's tasks: a Sawyer arm with a gripper and an object or two on a table.

    The human reward is Meta-World's own dense reward.
    """

    def __init__(self, name: str, rule: FitnessRule, python: str | None) -> None:
        """Make the environment once; see `GymnasiumTask`.

        Args:
            name: `drawer-open-v3`, …
            rule: What measures an episode.
            python: Path of the interpreter that has Meta-World; None for this one.

        Raises:
            TaskError: The environment fails.
        """
        kwargs = {"env_name": name, "seed": _GOALS, "max_episode_steps": _EPISODE_STEPS}
        super().__init__(_ENVIRONMENT, kwargs, rule, python=python)
        infos = [
            (entry, None if entry.key == _SUCCESS_KEY else variable)
            for entry, variable in self._readable.info
        ]
        self._readable = replace(self._readable, observation=_OBSERVATION, info=tuple(infos))
        spec = self._readable.spec
        # Rewards have `prev_hand_position` and so on for what the observation repeats.
        again = [each for each in spec.variables if each.name.startswith("last_")]
        listed = [each for each in spec.variables if each not in again]
        self.state_spec = StateSpec(tuple(listed), unlisted=(*again, *spec.unlisted))
        self.name = name
        fitness = None if rule.text == _SUCCESS else rule.text
        self.id = join_id("metaworld", name, {"fitness": fitness, "python": python})
        self.description = MT10.get(name, name.removesuffix("-v3").replace("-", " "))
        if rule.text == _SUCCESS:
            self.fitness_unit, self.fitness_solved = "success", 1.0
            self.fitness_meaning = "1 if the task was done at some moment of the episode, else 0"


def metaworld_task(name: str, options: Options) -> MetaWorldTask:
    """Return the task of an id.

    Args:
        name: The id without `metaworld:`.
        options: `python`, the path of the interpreter that has Meta-World; `fitness`, see
            `fitness_rule`, by default success.

    Raises:
        UnknownTaskError: Meta-World has no such task.
        UsageError: An option does not exist, or Meta-World is not installed there.
    """
    unknown = sorted(options.keys() - {"python", "fitness"})
    if unknown:
        raise UsageError(
            f"metaworld:{name} has the unknown option {unknown[0]!r}: the options are python and"
            " fitness."
        )
    if not name.endswith("-v3"):
        raise UnknownTaskError(
            f"Meta-World has no task {name!r:.60}.{did_you_mean(name, MT10)} MT10:"
            f" {', '.join(MT10)}."
        )
    python = options.get("python")
    if python is not None:
        python = user_python(str(python))
        demand_packages(python, "metaworld")
    elif importlib.util.find_spec("metaworld") is None:
        raise UsageError(f"metaworld:{name} needs the package metaworld. {_INSTALL}.")
    return MetaWorldTask(name, fitness_rule(str(options.get("fitness", _SUCCESS))), python)
