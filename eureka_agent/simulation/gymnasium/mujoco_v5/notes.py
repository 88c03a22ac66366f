"""Physical facts about a model in words, for models that write rewards."""

from __future__ import annotations

from collections.abc import Sequence

import mujoco
import numpy as np

_FEW = 8
"""Up to this number of joints are described one by one."""


def facts(model: mujoco.MjModel, action_names: Sequence[str], ends: str) -> str:
    """Return mass, strength and joint ranges of a model.

    Args:
        model: The compiled model.
        action_names: One name per actuator.
        ends: The causes for which episodes end early, in words; may be empty.

    Returns:
        A few sentences.
    """
    sentences = [
        f"All bodies together weigh {model.body_mass.sum():.3g} kg.",
        _strength(model, action_names),
    ]
    if ranges := _ranges(model):
        sentences.append(ranges)
    if ends:
        sentences.append(f"An episode ends early for one of these causes: {ends}.")
    return " ".join(sentences)


def _strength(model: mujoco.MjModel, action_names: Sequence[str]) -> str:
    largest = np.abs(model.actuator_ctrlrange).max(axis=1) * np.abs(model.actuator_gear[:, 0])
    units = ["N" if _slides(model, each) else "N m" for each in range(model.nu)]
    if len({*zip(largest.tolist(), units, strict=True)}) == 1:
        return f"A full action is {largest[0]:g} {units[0]} at each joint that has an actuator."
    each = [
        f"{name} {size:g} {unit}"
        for name, size, unit in zip(action_names, largest, units, strict=True)
    ]
    return f"A full action is: {', '.join(each)}."


def _slides(model: mujoco.MjModel, actuator: int) -> bool:
    joint = int(model.actuator_trnid[actuator, 0])
    on_joint = model.actuator_trntype[actuator] == mujoco.mjtTrn.mjTRN_JOINT
    return bool(on_joint and model.jnt_type[joint] == mujoco.mjtJoint.mjJNT_SLIDE)


def _ranges(model: mujoco.MjModel) -> str:
    hinges = [
        joint
        for joint in range(model.njnt)
        if model.jnt_limited[joint] and model.jnt_type[joint] == mujoco.mjtJoint.mjJNT_HINGE
    ]
    if not 0 < len(hinges) <= _FEW:
        return ""
    each = [
        f"{model.joint(joint).name} {low:.3g} to {high:.3g} rad"
        for joint in hinges
        for low, high in [model.jnt_range[joint]]
    ]
    return f"Joints move within: {', '.join(each)}."
