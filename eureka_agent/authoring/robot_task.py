"""Everything that the code of a new task is written from, made from a robot's model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import mujoco

from eureka_agent.authoring.examples import Example, ExampleName, examples_of
from eureka_agent.authoring.robots.anatomy import Anatomy, anatomy_of, at_start, start_key
from eureka_agent.authoring.robots.completion import name_bodies, unused_name
from eureka_agent.authoring.robots.efforts import ControlRange, control_ranges
from eureka_agent.authoring.robots.goals import Point, reachable_points
from eureka_agent.authoring.robots.identifiers import Identifiers, identifier
from eureka_agent.authoring.robots.own_sensors import sensor_variables
from eureka_agent.authoring.robots.sensor_writer import SensorWriter, Variable
from eureka_agent.authoring.robots.tips import Tip, tips_of
from eureka_agent.authoring.robots.variables import (
    base_variables,
    body_variables,
    joint_variables,
    object_variables,
    site_variables,
    tip_variables,
)
from eureka_agent.tasks.task import StateVariable

_CONTROL_PERIOD_S = 0.02
_LOW_M = 0.05
"""A base that starts below this height does not end an episode by its height."""


@dataclass(frozen=True)
class RobotTask:
    """What the template of a task's code is filled with."""

    model: mujoco.MjModel
    anatomy: Anatomy
    variables: tuple[Variable, ...]
    base: str
    """The Python name of a floating base; empty for a fixed robot."""
    base_height_m: float
    min_height_m: float | None
    """The base's height at which an episode ends; None if height does not matter."""
    tips: tuple[str, ...]
    joints: tuple[str, ...]
    sliders: tuple[str, ...]
    actions: tuple[str, ...]
    controls: tuple[ControlRange, ...]
    goals: tuple[Point, ...]
    """Where the first end can be; empty if the robot is not fixed."""
    examples: tuple[Example, ...]
    active: ExampleName
    frame_skip: int
    max_episode_steps: int
    start_key: int | None

    @property
    def own_control(self) -> bool:
        """Whether the task needs a `control` of its own."""
        return not all(each.is_plain for each in self.controls)


def make_robot_task(spec: mujoco.MjSpec, model: mujoco.MjModel) -> RobotTask:
    """Name the robot's parts, add sensors to its scene, and describe the task.

    Args:
        spec: The robot with all its actuators. Names, sites and sensors are added.
        model: The robot, compiled from `spec`.
    """
    anatomy = anatomy_of(model)
    tips = tips_of(model, anatomy)
    _name_parts(spec, anatomy, tips)
    sites = _tip_sites(spec, tips)
    model = spec.compile()
    names = Identifiers()
    own = sensor_variables(spec, model, names, fixed=anatomy.base is None)
    writer = SensorWriter(spec, names)
    base, variables = base_variables(writer, model, anatomy)
    variables += joint_variables(model, anatomy, names)
    tip_names, tip_state = tip_variables(writer, model, tips, sites, fixed=not base)
    variables += [*tip_state, *object_variables(writer, model, anatomy)]
    variables += [*site_variables(writer, model, sites), *own]
    described = {tip.body for tip in tips if tip.site is None} | set(anatomy.objects)
    if anatomy.base is not None:
        described.add(anatomy.base.body)
    variables += body_variables(writer, model, described)
    model = spec.compile()
    return _described(model, anatomy, base, tip_names, variables, sites)


def _described(
    model: mujoco.MjModel,
    anatomy: Anatomy,
    base: str,
    tips: Sequence[str],
    variables: Sequence[Variable],
    sites: Sequence[str],
) -> RobotTask:
    start = at_start(model)
    height = float(start.xpos[anatomy.root, 2])
    falls = anatomy.base is not None and anatomy.base.falls and height > _LOW_M
    goals: list[Point] = []
    if not base and tips:
        goals = reachable_points(model, anatomy, sites[0])
        variables = [*variables, _goal_variable(tips[0])]
    top = max((point[2] for point in goals), default=0.0)
    examples = examples_of(
        base=base,
        tip=tips[0] if tips else "",
        start_height_m=height,
        tip_height_m=round(top - 0.1 * abs(top), 3),
        has_goal=bool(goals),
    )
    return RobotTask(
        model=model,
        anatomy=anatomy,
        variables=tuple(variables),
        base=base,
        base_height_m=round(height, 3),
        min_height_m=round(0.5 * height, 3) if falls else None,
        tips=tuple(tips),
        joints=_names_of([model.joint(j).name for j in anatomy.hinges], "joint"),
        sliders=_names_of([model.joint(j).name for j in anatomy.slides], "slider"),
        actions=_names_of(_actuator_names(model), "actuator"),
        controls=tuple(control_ranges(model, anatomy)),
        goals=tuple(goals),
        examples=tuple(examples),
        active=_active(model, anatomy, base),
        frame_skip=max(1, round(_CONTROL_PERIOD_S / model.opt.timestep)),
        max_episode_steps=500 if base else 250,
        start_key=start_key(model),
    )


def _active(model: mujoco.MjModel, anatomy: Anatomy, base: str) -> ExampleName:
    """Return which example fits: an arm reaches; what swings freely, such as a pole, stays up."""
    if base:
        return "forward"
    chain = [
        j
        for j in (*anatomy.hinges, *anatomy.slides)
        if model.body_rootid[model.jnt_bodyid[j]] == anatomy.root
    ]
    swings = not anatomy.actuated.issuperset(chain) and not model.neq
    return "stay" if swings else "reach"


def _goal_variable(tip: str) -> Variable:
    spec = StateVariable(
        "goal_position",
        (3,),
        "m",
        "world",
        f"where the {tip} should be",
        "position",
        goal_for=f"{tip}_position",
    )
    return Variable(spec, "code", 'episode_state["goal"]', 'state["goal_position"]', 3)


def _name_parts(spec: mujoco.MjSpec, anatomy: Anatomy, tips: Sequence[Tip]) -> None:
    """Name the bodies that sensors refer to."""
    if anatomy.base is not None:
        name_bodies(spec, [anatomy.base.body], "base")
    ends = [tip.body for tip in tips]
    touching = [tip.touching for tip in tips if tip.touching is not None]
    name_bodies(spec, [*ends, *touching], "limb")
    name_bodies(spec, anatomy.objects, "object")


def _tip_sites(spec: mujoco.MjSpec, tips: Sequence[Tip]) -> list[str]:
    """Return the site that marks each end; those that have none get one."""
    taken = {site.name for site in spec.sites}
    found = []
    for tip in tips:
        if tip.site is not None:
            found.append(spec.sites[tip.site].name)
            continue
        body = spec.bodies[tip.body]
        name = unused_name(f"{identifier(body.name, 'limb')}_tip", taken)
        body.add_site(name=name, pos=list(tip.point), size=[0.01, 0.0, 0.0], group=4)
        found.append(name)
    return found


def _names_of(names: Sequence[str], otherwise: str) -> tuple[str, ...]:
    given = Identifiers()
    return tuple(given.of(name, otherwise) for name in names)


def _actuator_names(model: mujoco.MjModel) -> list[str]:
    """Return the actuators' names; those without one have that of their joint."""
    found = []
    for i in range(model.nu):
        own = model.actuator(i).name
        joint = int(model.actuator_trnid[i, 0])
        by_joint = model.actuator_trntype[i] == mujoco.mjtTrn.mjTRN_JOINT
        found.append(own or (model.joint(joint).name if by_joint else ""))
    return found
