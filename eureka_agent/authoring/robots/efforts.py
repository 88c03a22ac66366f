"""Control ranges of actuators, and estimates of efforts where the robot's file has none."""

from __future__ import annotations

import math
from dataclasses import dataclass

import mujoco
import numpy as np

from eureka_agent.authoring.robots.anatomy import Anatomy, at_start, start_key

_RESERVE = 1.5
_GRAVITY = 9.81
_TURN_RAD = math.pi
_SLIDE_M = 1.0
_SPEED = 10.0
"""Range of a velocity servo without one, in rad/s or m/s."""


@dataclass(frozen=True)
class ControlRange:
    """The controls of one actuator."""

    low: float
    start: float
    """The control for an action of 0."""
    high: float
    is_estimate: bool
    """Whether the robot's file gives no range."""

    @property
    def is_plain(self) -> bool:
        """Whether `MujocoTask.control` would do the same."""
        middle = 0.5 * (self.low + self.high)
        return not self.is_estimate and math.isclose(
            self.start, middle, abs_tol=1e-6 * (self.high - self.low)
        )


def control_ranges(model: mujoco.MjModel, anatomy: Anatomy) -> list[ControlRange]:
    """Return the range of each actuator.

    An action of 0 gives the controls of the keyframe that episodes start from. Without any,
    position servos hold the initial pose, and all others are in the middle of their range.
    """
    data = at_start(model)
    key = start_key(model)
    keyed = key is not None and bool(model.key_ctrl[key].any())
    ranges = []
    for i in range(model.nu):
        low, high = (float(each) for each in model.actuator_ctrlrange[i])
        is_estimate = not low < high
        if is_estimate:
            low, high = _estimated_range(model, anatomy, i)
        start = 0.5 * (low + high)
        if keyed:
            start = min(max(float(model.key_ctrl[key, i]), low), high)
        elif is_position_servo(model, i):
            start = min(max(float(data.actuator_length[i]), low), high)
        ranges.append(ControlRange(_short(low), _short(start), _short(high), is_estimate))
    return ranges


def estimated_effort(model: mujoco.MjModel, anatomy: Anatomy, joint: int) -> float:
    """Return the effort (N m, or N for a slide) that moves a joint against gravity with reserve.

    A joint of a fixed robot lifts, stretched out, what hangs on it. One of a robot that stands
    carries half of the robot's weight.
    """
    data = at_start(model)
    body = int(model.jnt_bodyid[joint])
    carried = [b for b in range(model.nbody) if _is_under(model, b, body)]
    masses = model.body_mass[carried]
    arms = np.linalg.norm(data.xipos[carried] - data.xanchor[joint], axis=1)
    if model.jnt_type[joint] == mujoco.mjtJoint.mjJNT_SLIDE:
        arms = np.ones_like(arms)
    effort = float(masses @ arms)
    if anatomy.base is not None and anatomy.base.falls:
        weight = float(model.body_subtreemass[anatomy.root])
        effort = max(effort, 0.5 * weight * float(arms.max(initial=0.0)))
    return two_digits(max(_RESERVE * _GRAVITY * effort, 0.01))


def two_digits(value: float) -> float:
    """Return a number rounded to two digits."""
    return float(f"{value:.1e}")


def _short(value: float) -> float:
    return float(f"{value:.5g}") + 0.0


def _is_under(model: mujoco.MjModel, body: int, ancestor: int) -> bool:
    while body > ancestor:
        body = int(model.body_parentid[body])
    return body == ancestor


def is_position_servo(model: mujoco.MjModel, actuator: int) -> bool:
    """Whether the control of an actuator is a target position."""
    affine = model.actuator_biastype[actuator] == mujoco.mjtBias.mjBIAS_AFFINE
    return bool(affine and model.actuator_biasprm[actuator, 1] < 0.0)


def is_velocity_servo(model: mujoco.MjModel, actuator: int) -> bool:
    """Whether the control of an actuator is a target velocity."""
    affine = model.actuator_biastype[actuator] == mujoco.mjtBias.mjBIAS_AFFINE
    bias = model.actuator_biasprm[actuator]
    return bool(affine and bias[1] == 0.0 and bias[2] < 0.0)


def _estimated_range(model: mujoco.MjModel, anatomy: Anatomy, actuator: int) -> tuple[float, float]:
    gain = abs(float(model.actuator_gainprm[actuator, 0])) or 1.0
    gear = abs(float(model.actuator_gear[actuator, 0])) or 1.0
    joint = joint_of(model, actuator)
    slide = joint is not None and model.jnt_type[joint] == mujoco.mjtJoint.mjJNT_SLIDE
    if is_position_servo(model, actuator):
        if joint is not None and model.jnt_limited[joint]:
            low, high = sorted(float(each) * gear for each in model.jnt_range[joint])
            return low, high
        reach = (_SLIDE_M if slide else _TURN_RAD) * gear
        return -reach, reach
    if is_velocity_servo(model, actuator):
        return -_SPEED, _SPEED
    if model.actuator_gaintype[actuator] == mujoco.mjtGain.mjGAIN_MUSCLE:
        return 0.0, 1.0
    if model.actuator_forcelimited[actuator]:
        low, high = (float(each) / gain for each in model.actuator_forcerange[actuator])
        return low, high
    if joint is None:
        return -1.0, 1.0
    if model.jnt_actfrclimited[joint]:
        low, high = (float(each) / (gain * gear) for each in model.jnt_actfrcrange[joint])
        return low, high
    effort = estimated_effort(model, anatomy, joint) / (gain * gear)
    return -effort, effort


def joint_of(model: mujoco.MjModel, actuator: int) -> int | None:
    """Return the joint that an actuator acts on directly; None for tendons, sites and bodies."""
    kinds = (mujoco.mjtTrn.mjTRN_JOINT, mujoco.mjtTrn.mjTRN_JOINTINPARENT)
    if int(model.actuator_trntype[actuator]) not in [int(kind) for kind in kinds]:
        return None
    return int(model.actuator_trnid[actuator, 0])
