"""What a new task tells models about its robot: masses, ranges and strengths, in sentences."""

from __future__ import annotations

import mujoco

from eureka_agent.authoring.robot_task import RobotTask
from eureka_agent.authoring.robots.efforts import is_position_servo, is_velocity_servo, joint_of

_MOST_NAMED = 12


def notes_of(robot: RobotTask) -> str:
    """Return the physical facts that the author of a reward needs, in plain sentences."""
    model = robot.model
    mass = float(model.body_subtreemass[robot.anatomy.root])
    facts = [f"z is up. The robot weighs {mass:.3g} kg."]
    if robot.base:
        words = robot.base.replace("_", " ")
        facts.append(f"Its base, the {words}, starts {robot.base_height_m:g} m high.")
    else:
        facts.append("It is fixed to the ground.")
    if not model.opt.gravity.any():
        facts.append("There is no gravity.")
    ranges = _ranges(robot)
    if ranges:
        facts.append(f"Ranges of its joints: {ranges}.")
    facts.append(f"A full action is {_strengths(robot)}.")
    return " ".join(facts)


def _ranges(robot: RobotTask) -> str:
    """Return the limits of the first joints."""
    model, anatomy = robot.model, robot.anatomy
    pairs = [
        *zip(anatomy.hinges, robot.joints, ["rad"] * len(robot.joints), strict=True),
        *zip(anatomy.slides, robot.sliders, ["m"] * len(robot.sliders), strict=True),
    ]
    limited = [pair for pair in pairs if model.jnt_limited[pair[0]]][:_MOST_NAMED]
    parts = []
    for joint, name, unit in limited:
        low, high = model.jnt_range[joint]
        parts.append(f"{name} {low:.3g} to {high:.3g} {unit}")
    return ", ".join(parts)


def _strengths(robot: RobotTask) -> str:
    """Return what an action of 1 does, for the first actuators or for all alike."""
    strengths = [_strength(robot, index) for index in range(len(robot.actions))]
    if len(set(strengths)) == 1 and len(strengths) > 1:
        return f"{strengths[0]} at each actuator"
    named = zip(strengths[:_MOST_NAMED], robot.actions, strict=False)
    return ", ".join(f"{strength} at {name}" for strength, name in named)


def _strength(robot: RobotTask, actuator: int) -> str:
    model = robot.model
    control = robot.controls[actuator].high
    joint = joint_of(model, actuator)
    slides = joint is not None and model.jnt_type[joint] == mujoco.mjtJoint.mjJNT_SLIDE
    gear = float(model.actuator_gear[actuator, 0])
    if joint is None or not gear:
        return f"{control:.3g} as the control"
    if is_position_servo(model, actuator):
        return f"a target of {control / gear:.3g} {'m' if slides else 'rad'}"
    if is_velocity_servo(model, actuator):
        return f"a target of {control / gear:.3g} {'m/s' if slides else 'rad/s'}"
    if model.actuator_gaintype[actuator] != mujoco.mjtGain.mjGAIN_FIXED:
        return f"{control:.3g} as the control"
    effort = control * gear * float(model.actuator_gainprm[actuator, 0])
    return f"{effort:.3g} {'N' if slides else 'N m'}"
