"""Points that a fixed robot can reach: goals of the example fitness."""

from __future__ import annotations

import math

import mujoco
import numpy as np
from numpy.typing import NDArray

from eureka_agent.authoring.robots.anatomy import Anatomy, at_start, touching_geoms

Point = tuple[float, float, float]
_COUNT = 16
_ATTEMPTS = 400
_SLIDE_M = 0.5
"""How far a slide without limits moves either way."""


def reachable_points(model: mujoco.MjModel, anatomy: Anatomy, site: str) -> list[Point]:
    """Return places (m, in the world) of a site at random joint positions.

    The same model has the same points. Poses in which geoms touch that do not touch at the start
    are left out as long as there are others.
    """
    random = np.random.default_rng(0)
    data = at_start(model)
    start = data.qpos.copy()
    touching = touching_geoms(data)
    free: list[Point] = []
    others: list[Point] = []
    for _ in range(_ATTEMPTS):
        data.qpos[:] = _random_pose(model, anatomy, start, random)
        mujoco.mj_forward(model, data)
        x, y, z = (round(float(each), 3) + 0.0 for each in data.site(site).xpos)
        (free if touching_geoms(data) <= touching else others).append((x, y, z))
        if len(free) == _COUNT:
            break
    return [*free, *others][:_COUNT]


def _random_pose(
    model: mujoco.MjModel,
    anatomy: Anatomy,
    start: NDArray[np.float64],
    random: np.random.Generator,
) -> NDArray[np.float64]:
    pose = start.copy()
    for joint in sorted(anatomy.actuated):
        if joint not in (*anatomy.hinges, *anatomy.slides):
            continue
        place = int(model.jnt_qposadr[joint])
        reach = _SLIDE_M if joint in anatomy.slides else math.pi
        low, high = start[place] - reach, start[place] + reach
        if model.jnt_limited[joint]:
            low, high = model.jnt_range[joint]
        pose[place] = random.uniform(low, high)
    return pose
