"""The ends of a robot: feet, fingertips, a tool. Rewards and fitness need their positions."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np
from numpy.typing import NDArray

from eureka_agent.authoring.robots.anatomy import Anatomy

_CLOSE = 0.5
"""Share of the distance of the farthest surface from which a body or site of its own is the end."""


@dataclass(frozen=True)
class Tip:
    """One end: the last bodies of a limb, which are fixed to each other."""

    body: int
    """The body that the end is named after."""
    site: int | None
    """A site of the model that marks it; None if it has none."""
    point: tuple[float, float, float]
    """Where it is, in m in the body's frame."""
    touching: int | None
    """The body that has geoms to touch with; None if no body there has any."""


def tips_of(model: mujoco.MjModel, anatomy: Anatomy) -> list[Tip]:
    """Return the ends of the robot's limbs, in the order of their bodies."""
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    weld: list[int] = [int(each) for each in model.body_weldid]
    inner = {weld[int(model.body_parentid[top])] for top in set(weld)}
    base = anatomy.base.body if anatomy.base is not None else None
    tips = []
    for top in sorted(set(weld) - inner - {0}):
        if model.body_rootid[top] == anatomy.root and top != base:
            group = [body for body in range(model.nbody) if weld[body] == top]
            tips.append(_tip(model, data, group))
    return tips


def _tip(model: mujoco.MjModel, data: mujoco.MjData, group: list[int]) -> Tip:
    top = group[0]
    start = data.xpos[top]
    geoms = [g for g in range(model.ngeom) if model.geom_bodyid[g] in group]
    surface = _farthest_surface(model, data, geoms, start)
    reach = float(np.linalg.norm(surface - start))
    solid = [g for g in geoms if model.geom_contype[g] or model.geom_conaffinity[g]]
    touching = [int(model.geom_bodyid[g]) for g in solid]

    def far(place: NDArray[np.float64]) -> float:
        return float(np.linalg.norm(place - start))

    sites = [s for s in range(model.nsite) if model.site_bodyid[s] in group and model.site(s).name]
    site = max(sites, key=lambda s: far(data.site_xpos[s]), default=None)
    last = max(group, key=lambda body: far(data.xpos[body]))
    if site is not None and far(data.site_xpos[site]) >= _CLOSE * reach:
        body = int(model.site_bodyid[site])
        return Tip(body, site, _local(data, body, data.site_xpos[site]), _nearest(touching, body))
    body = last if last != top and far(data.xpos[last]) >= _CLOSE * reach else top
    point = (0.0, 0.0, 0.0) if body != top else _local(data, top, surface)
    return Tip(body, None, point, _nearest(touching, body))


def _farthest_surface(
    model: mujoco.MjModel, data: mujoco.MjData, geoms: list[int], start: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the middle of the face of the geoms' bounding boxes that is farthest from `start`."""
    faces = [start]
    for g in geoms:
        rotation = data.geom_xmat[g].reshape(3, 3)
        centre = data.geom_xpos[g] + rotation @ model.geom_aabb[g, :3]
        for axis, half in enumerate(model.geom_aabb[g, 3:]):
            faces.append(centre + rotation[:, axis] * half)
            faces.append(centre - rotation[:, axis] * half)
    return max(faces, key=lambda face: float(np.linalg.norm(face - start)))


def _local(
    data: mujoco.MjData, body: int, place: NDArray[np.float64]
) -> tuple[float, float, float]:
    """Return a place of the world in a body's frame, in m."""
    x, y, z = data.xmat[body].reshape(3, 3).T @ (place - data.xpos[body])
    return round(float(x), 4) + 0.0, round(float(y), 4) + 0.0, round(float(z), 4) + 0.0


def _nearest(touching: list[int], body: int) -> int | None:
    if body in touching:
        return body
    return touching[-1] if touching else None
