"""What a new task tells models about its robot: masses, ranges and strengths, in sentences."""

from __future__ import annotations

import mujoco

from eureka_agent.authoring.robot_task import RobotTask

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
    """Return what an action of 1 does at the first actuators."""
    named = zip(robot.actions, robot.controls, strict=True)
    parts = []
    for index, (name, control) in enumerate(named):
        if index == _MOST_NAMED:
            break
        parts.append(f"{control.high:.3g} {_control_unit(robot.model, index)} at {name}")
    return ", ".join(parts)


def _control_unit(model: mujoco.MjModel, actuator: int) -> str:
    """Return the words for the control of an actuator: a position, a velocity or a force."""
    bias = model.actuator_biasprm[actuator]
    if model.actuator_biastype[actuator] == mujoco.mjtBias.mjBIAS_AFFINE:
        if bias[1] < 0.0:
            return "as the target position"
        if bias[2] < 0.0:
            return "as the target velocity"
    gear = abs(float(model.actuator_gear[actuator, 0]))
    return "as the control" if gear == 1.0 else f"as the control (times {gear:.3g})"
