"""The scene of pen spinning, and initial states in which the pen lies still in the hand."""

from __future__ import annotations

import math
from dataclasses import dataclass

import mujoco
import numpy as np
import torch
from mujoco.batch import Batch
from numpy.typing import NDArray
from torch import Tensor

from eureka_agent.errors import SimulationError
from eureka_agent.tasks.mjcf import add_contact_sensor, add_frame_sensors, load_package_xml
from eureka_agent.utils.cpu import cpu_count

TIMESTEP_S = 0.008
HAND_JOINTS = (
    *("WRJ1", "WRJ0"),
    *("FFJ3", "FFJ2", "FFJ1", "FFJ0"),
    *("MFJ3", "MFJ2", "MFJ1", "MFJ0"),
    *("RFJ3", "RFJ2", "RFJ1", "RFJ0"),
    *("LFJ4", "LFJ3", "LFJ2", "LFJ1", "LFJ0"),
    *("THJ4", "THJ3", "THJ2", "THJ1", "THJ0"),
)
"""The hand's joints in the order of `qpos`. J0 is the outermost; in fingers it is coupled to J1."""

ACTUATED_JOINTS = tuple(
    name for name in HAND_JOINTS if name not in ("FFJ0", "MFJ0", "RFJ0", "LFJ0")
)
"""The joints that have a position servo, in the order of the actuators."""

FINGERTIPS = ("ff", "mf", "rf", "lf", "th")
"""First, middle, ring and little finger, thumb."""

HAND_CENTRE = (1.0, 0.87, 0.17)
"""Goal position (m) of the pen's centre in the world's frame: above the roots of the fingers."""

_PALM_CENTRE = (0.0, 0.0, 0.06)  # in the frame of the palm's body, whose origin is at the wrist
_REST_FLEXION = {
    name: 0.35 for finger in ("FF", "MF", "RF", "LF") for name in (f"{finger}J1", f"{finger}J2")
}
_DROP_POINT = (1.0, 0.87, 0.205)
_SETTLE_S = 0.6


def build_scene() -> mujoco.MjSpec:
    """Return the hand and pen of gymnasium-robotics with our sensors.

    Two edits are necessary: the body `target`, a marker with six degrees of freedom, is removed;
    and the damping of the pen's free joint, which would brake a spin strongly, is set to 0. Frame
    sensors measure the poses and velocities of the pen and the fingertips, and the pose of the
    palm; the touch sensors use the model's own zones.
    """
    spec = load_package_xml("gymnasium_robotics", "envs/assets/hand/manipulate_pen.xml")
    spec.delete(spec.body("target"))
    for sensor in list(spec.sensors):
        spec.delete(sensor)
    spec.joint("object:joint").damping = np.zeros(3)
    spec.option.timestep = TIMESTEP_S
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    spec.body("robot0:palm").add_site(name="palm", pos=_PALM_CENTRE, group=4)
    add_frame_sensors(spec, "object")
    add_frame_sensors(spec, "palm", "site", ("position", "quaternion"))
    for finger in FINGERTIPS:
        add_frame_sensors(spec, f"robot0:S_{finger}tip", "site")
        add_contact_sensor(spec, f"{finger}_contact", f"robot0:{finger}distal", "body")
        spec.add_sensor(
            name=f"{finger}_touch",
            type=mujoco.mjtSensor.mjSENS_TOUCH,
            objtype=mujoco.mjtObj.mjOBJ_SITE,
            objname=f"robot0:Tch_{finger}tip",
        )
    return spec


@dataclass(frozen=True)
class Bank:
    """Settled initial states, `(n, …)` float32."""

    qpos: Tensor
    qvel: Tensor
    ctrl: Tensor
    share_kept: float
    """Share of the drawn states in which the pen came to rest in the hand."""


def settled_starts(model: mujoco.MjModel, draws: int, seed: int = 0) -> Bank:
    """Drop the pen into the slightly curled hand `draws` times; keep the states where it rests.

    The pen's position (±1 cm), its heading (within 0.5 rad of lying across the fingers) and the
    servo targets (±10 % of their range about the rest pose) are drawn at random. The result depends
    on `seed` only, not on the number of threads.
    """
    rng = np.random.default_rng(seed)
    batch = Batch(model, draws, nthread=cpu_count())
    qpos, qvel, ctrl = (batch.bind(name) for name in ("qpos", "qvel", "ctrl"))
    pen = int(model.joint("object:joint").qposadr[0])
    pen_velocity = int(model.joint("object:joint").dofadr[0])
    qpos[:, pen : pen + 3] = _DROP_POINT + rng.uniform(-0.01, 0.01, (draws, 3))
    qpos[:, pen + 3 : pen + 7] = _lying(rng.uniform(-0.5, 0.5, draws))
    low, high = model.actuator_ctrlrange.T
    rest = np.array([_REST_FLEXION.get(name, 0.0) for name in ACTUATED_JOINTS])
    ctrl[:] = np.clip(
        rest + 0.1 * (high - low) * rng.uniform(-1.0, 1.0, (draws, model.nu)), low, high
    )
    batch.step(nstep=round(_SETTLE_S / model.opt.timestep))

    position = qpos[:, pen : pen + 3]
    speed = np.abs(qvel[:, pen_velocity : pen_velocity + 6]).max(axis=1)
    in_hand = (np.linalg.norm(position - HAND_CENTRE, axis=1) < 0.08) & (position[:, 2] > 0.14)
    good = in_hand & (speed < 1.0)
    if not good.any():
        raise SimulationError(f"The pen did not come to rest in the hand in any of {draws} draws.")
    settled_qpos, settled_qvel, settled_ctrl = (
        torch.from_numpy(array[good].astype(np.float32)) for array in (qpos, qvel, ctrl)
    )
    return Bank(settled_qpos, settled_qvel, settled_ctrl, share_kept=float(good.mean()))


def _lying(heading: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return orientations `(n, 4)` that lay the pen, whose axis is its z, along `heading (n,)`."""
    half = math.sqrt(0.5)
    zeros = np.zeros_like(heading)
    return np.stack((zeros + half, -half * np.sin(heading), half * np.cos(heading), zeros), axis=1)
