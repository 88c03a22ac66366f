"""What a MuJoCo model looks like, as a pack: its bodies, their shapes, and a camera."""

from __future__ import annotations

from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from eureka_agent.utils.pack import PackWriter, to_16_bits

_TYPES = {
    mujoco.mjtGeom.mjGEOM_PLANE: "plane",
    mujoco.mjtGeom.mjGEOM_HFIELD: "hfield",
    mujoco.mjtGeom.mjGEOM_SPHERE: "sphere",
    mujoco.mjtGeom.mjGEOM_CAPSULE: "capsule",
    mujoco.mjtGeom.mjGEOM_ELLIPSOID: "ellipsoid",
    mujoco.mjtGeom.mjGEOM_CYLINDER: "cylinder",
    mujoco.mjtGeom.mjGEOM_BOX: "box",
    mujoco.mjtGeom.mjGEOM_MESH: "mesh",
    mujoco.mjtGeom.mjGEOM_SDF: "mesh",
}
_SHOWN_GROUPS = (0, 1, 2)
"""MuJoCo's own viewer shows these groups; the others hold collision shapes."""
_NO_COLOUR = np.array([0.5, 0.5, 0.5, 1.0])
"""The default colour of a geom: its material's counts instead."""

_MARGIN = 1.2
"""Free room around what moves."""
_ROOM_FOR_RAILS = 1.6
"""How much more is shown where a part slides and the camera stays."""


def scene_pack(model: mujoco.MjModel) -> bytes:
    """Return what a page needs to draw a model, given the poses of its bodies.

    Args:
        model: The compiled model.

    Returns:
        A pack (`utils/pack.py`) with the names of the bodies, the visible geoms and sites in their
        bodies' frames, meshes with 16-bit vertices, height fields, and a camera. Lengths in m,
        quaternions (w, x, y, z), sizes are MuJoCo's half sizes.
    """
    return _SceneWriter(model).pack()


class _SceneWriter:
    def __init__(self, model: mujoco.MjModel) -> None:
        self._model = model
        self._writer = PackWriter()
        self._meshes: dict[int, dict[str, Any]] = {}
        self._hfields: dict[int, dict[str, Any]] = {}

    def pack(self) -> bytes:
        model = self._model
        shapes = [self._geom(each) for each in range(model.ngeom)]
        shapes += [self._site(each) for each in range(model.nsite)]
        header = {
            "v": 1,
            "bodies": [model.body(each).name for each in range(model.nbody)],
            "extent": _number(model.stat.extent),
            "camera": _camera(model),
            "geoms": [shape for shape in shapes if shape is not None],
            "meshes": list(self._meshes.values()),
            "hfields": list(self._hfields.values()),
        }
        return self._writer.pack(header)

    def _geom(self, geom: int) -> dict[str, Any] | None:
        model = self._model
        kind = _TYPES.get(mujoco.mjtGeom(int(model.geom_type[geom])))
        colour = self._colour(model.geom_rgba[geom], int(model.geom_matid[geom]))
        if kind is None or model.geom_group[geom] not in _SHOWN_GROUPS or colour[3] <= 0.0:
            return None
        shape = {
            "type": kind,
            "body": int(model.geom_bodyid[geom]),
            "size": _numbers(model.geom_size[geom]),
            "pos": _numbers(model.geom_pos[geom]),
            "quat": _numbers(model.geom_quat[geom]),
            "rgba": _numbers(colour),
        }
        data = int(model.geom_dataid[geom])
        if kind == "mesh":
            shape["mesh"] = _index(self._meshes, data, self._mesh)
        elif kind == "hfield":
            shape["hfield"] = _index(self._hfields, data, self._hfield)
        return shape

    def _site(self, site: int) -> dict[str, Any] | None:
        """Goals and markers are often sites."""
        model = self._model
        kind = _TYPES.get(mujoco.mjtGeom(int(model.site_type[site])))
        colour = self._colour(model.site_rgba[site], int(model.site_matid[site]))
        shown = model.site_group[site] in _SHOWN_GROUPS and colour[3] > 0.0
        if kind is None or kind in ("mesh", "hfield", "plane") or not shown:
            return None
        return {
            "type": kind,
            "body": int(model.site_bodyid[site]),
            "size": _numbers(model.site_size[site]),
            "pos": _numbers(model.site_pos[site]),
            "quat": _numbers(model.site_quat[site]),
            "rgba": _numbers(colour),
            "site": True,
        }

    def _colour(self, own: NDArray[Any], material: int) -> NDArray[Any]:
        if material >= 0 and np.allclose(own, _NO_COLOUR):
            colour: NDArray[Any] = self._model.mat_rgba[material]
            return colour
        return own

    def _mesh(self, mesh: int) -> dict[str, Any]:
        model = self._model
        first, count = int(model.mesh_vertadr[mesh]), int(model.mesh_vertnum[mesh])
        vertices = model.mesh_vert[first : first + count]
        first_face, faces = int(model.mesh_faceadr[mesh]), int(model.mesh_facenum[mesh])
        corners = model.mesh_face[first_face : first_face + faces]
        scale, offset, rounded = to_16_bits(vertices)
        return {
            "vert": self._writer.add("i16", rounded),
            "face": self._writer.add("u16" if count < 2**16 else "u32", corners),
            "scale": scale.tolist(),
            "off": offset.tolist(),
        }

    def _hfield(self, hfield: int) -> dict[str, Any]:
        model = self._model
        rows, columns = int(model.hfield_nrow[hfield]), int(model.hfield_ncol[hfield])
        first = int(model.hfield_adr[hfield])
        heights = model.hfield_data[first : first + rows * columns]
        return {
            "rows": rows,
            "cols": columns,
            "size": _numbers(model.hfield_size[hfield]),
            "data": self._writer.add("f32", heights),
        }


def _index(known: dict[int, dict[str, Any]], data: int, make: Any) -> int:
    """Return where a mesh or a height field is in the list, and write it the first time."""
    if data not in known:
        known[data] = make(data)
    return list(known).index(data)


def _camera(model: mujoco.MjModel) -> dict[str, Any]:
    """Return a camera that looks at what can move, and which body it follows."""
    centre, radius = _moving_sphere(model)
    azimuth = np.radians(model.vis.global_.azimuth)
    elevation = np.radians(min(-10.0, max(-20.0, model.vis.global_.elevation)))
    away = -np.array(
        [
            np.cos(elevation) * np.cos(azimuth),
            np.cos(elevation) * np.sin(azimuth),
            np.sin(elevation),
        ]
    )
    distance = _MARGIN * radius / np.sin(np.radians(model.vis.global_.fovy) / 2.0)
    return {
        "pos": _numbers(centre + distance * away),
        "target": _numbers(centre),
        "fovy": _number(model.vis.global_.fovy),
        "track": _travelling_body(model),
    }


def _moving_sphere(model: mujoco.MjModel) -> tuple[NDArray[np.float64], float]:
    """Return centre `(3,)` and radius of what can move, in the model's own position."""
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    moving = [
        geom
        for geom in range(model.ngeom)
        if model.body_weldid[model.geom_bodyid[geom]] != 0 and model.geom_rbound[geom] > 0.0
    ]
    if not moving:
        return np.array(model.stat.center), float(model.stat.extent)
    places = data.geom_xpos[moving]
    centre = (places.min(axis=0) + places.max(axis=0)) / 2.0
    distances = np.linalg.norm(places - centre, axis=1) + model.geom_rbound[moving]
    radius = float(distances.max())
    if _travelling_body(model) < 0 and int(mujoco.mjtJoint.mjJNT_SLIDE) in model.jnt_type:
        radius *= _ROOM_FOR_RAILS  # what slides has to stay in the picture
    return centre, radius


def _travelling_body(model: mujoco.MjModel) -> int:
    """Return the first body that can leave its place for good; -1 if there is none.

    An object in a hand can leave it, too, but there the hand is what one looks at: where a robot is
    fixed to the world, nothing is followed.
    """
    fixed = [
        body
        for body in range(1, model.nbody)
        if model.body_parentid[body] == 0 and not _travels(model, body)
    ]
    moving = [
        body
        for body in range(1, model.nbody)
        if model.body_parentid[body] == 0 and _travels(model, body)
    ]
    jointed = [body for body in fixed if _has_joints_below(model, body)]
    return moving[0] if moving and not jointed else -1


def _travels(model: mujoco.MjModel, body: int) -> bool:
    """A cart on one rail stays in the picture, a walker in a plane has two slides."""
    first, count = int(model.body_jntadr[body]), int(model.body_jntnum[body])
    kinds = model.jnt_type[first : first + count].tolist()
    slides = kinds.count(int(mujoco.mjtJoint.mjJNT_SLIDE))
    return int(mujoco.mjtJoint.mjJNT_FREE) in kinds or slides >= 2


def _has_joints_below(model: mujoco.MjModel, root: int) -> bool:
    return any(
        int(model.body_rootid[body]) == root and model.body_jntnum[body] > 0
        for body in range(1, model.nbody)
    )


def _number(value: Any) -> float:
    return round(float(np.nan_to_num(value)), 6)


def _numbers(values: Any) -> list[float]:
    return [_number(value) for value in values]
