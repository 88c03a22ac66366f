"""The sensors that a robot's file has: units, frames and meanings by their types."""

from __future__ import annotations

from dataclasses import replace

import mujoco

from eureka_agent.authoring.robots.efforts import joint_of
from eureka_agent.authoring.robots.identifiers import Identifiers, identifier
from eureka_agent.authoring.robots.sensor_writer import Variable, read_sensor
from eureka_agent.tasks.task import QuantityKind, StateVariable

_MOST_LISTED = 12
_MOST = 60
_TYPES: dict[str, tuple[str, str, QuantityKind]] = {
    "TOUCH": ("N", "sum of the normal contact forces in the zone", "force"),
    "ACCELEROMETER": ("m/s^2", "acceleration, gravity included, measured", "other"),
    "VELOCIMETER": ("m/s", "linear velocity", "linear_velocity"),
    "GYRO": ("rad/s", "angular velocity", "angular_velocity"),
    "FORCE": ("N", "force between the body and its parent", "force"),
    "TORQUE": ("N m", "torque between the body and its parent", "force"),
    "RANGEFINDER": ("m", "distance to the next surface, -1 without one,", "distance"),
    "TENDONPOS": ("m", "length of the tendon", "distance"),
    "TENDONVEL": ("m/s", "velocity of the tendon", "speed"),
    "ACTUATORPOS": ("rad", "length of the actuator's transmission", "other"),
    "ACTUATORVEL": ("rad/s", "velocity of the actuator's transmission", "other"),
    "ACTUATORFRC": ("N m", "force of the actuator", "force"),
    "JOINTACTFRC": ("N m", "force of all actuators on the joint", "force"),
    "FRAMEPOS": ("m", "position", "position"),
    "FRAMEQUAT": ("-", "orientation (w, x, y, z)", "quaternion_wxyz"),
    "FRAMEXAXIS": ("-", "x axis", "unit_vector"),
    "FRAMEYAXIS": ("-", "y axis", "unit_vector"),
    "FRAMEZAXIS": ("-", "z axis", "unit_vector"),
    "FRAMELINVEL": ("m/s", "linear velocity", "linear_velocity"),
    "FRAMEANGVEL": ("rad/s", "angular velocity", "angular_velocity"),
    "FRAMELINACC": ("m/s^2", "linear acceleration", "other"),
    "FRAMEANGACC": ("rad/s^2", "angular acceleration", "other"),
    "SUBTREECOM": ("m", "centre of mass of the subtree", "position"),
    "SUBTREELINVEL": ("m/s", "linear velocity of the subtree", "linear_velocity"),
    "SUBTREEANGMOM": ("kg m^2/s", "angular momentum of the subtree", "other"),
}
"""By MuJoCo's type: unit, meaning and kind."""
_SAME_AS_JOINTS = ("JOINTPOS", "JOINTVEL", "BALLQUAT", "BALLANGVEL")
_LOCAL = ("ACCELEROMETER", "VELOCIMETER", "GYRO", "FORCE", "TORQUE")
"""Types that measure in the frame of their site."""
_OF_JOINTS = ("ACTUATORPOS", "ACTUATORVEL", "ACTUATORFRC", "JOINTACTFRC")


def sensor_variables(
    spec: mujoco.MjSpec, model: mujoco.MjModel, names: Identifiers, *, fixed: bool
) -> list[Variable]:
    """Return a variable for each sensor of the robot's file.

    The sensors get Python names. Those that repeat joint positions or velocities are left out.

    Args:
        spec: The robot; its sensors are renamed.
        model: The robot, compiled, with the same sensors.
        names: The names given out so far.
        fixed: Whether the robot is fixed; the policy of another does not see places.
    """
    found: list[Variable] = []
    for index, sensor in enumerate(spec.sensors):
        kind = mujoco.mjtSensor(int(model.sensor_type[index])).name.removeprefix("mjSENS_")
        sensor.name = names.of(sensor.name, f"{kind.lower()}_sensor")
        if kind in _SAME_AS_JOINTS or len(found) == _MOST:
            continue
        variable = read_sensor(_state_variable(model, index, kind, sensor.name))
        is_listed = len(found) < _MOST_LISTED
        if not is_listed or (variable.spec.kind == "position" and not fixed):
            variable = replace(variable, is_listed=is_listed, seen="", seen_size=0)
        found.append(variable)
    return found


def _state_variable(model: mujoco.MjModel, index: int, kind: str, name: str) -> StateVariable:
    size = int(model.sensor_dim[index])
    unit, words, quantity = _TYPES.get(kind, ("-", f"reading of type {kind.lower()}", "other"))
    object_type, object_id = int(model.sensor_objtype[index]), int(model.sensor_objid[index])
    element = identifier(mujoco.mj_id2name(model, object_type, object_id) or "", "its element")
    if kind in _OF_JOINTS:
        unit = _joint_unit(model, kind, object_id, unit)
    frame = "-"
    if kind in _LOCAL:
        frame = f"the site {element}"
    elif kind.startswith(("FRAME", "SUBTREE")):
        reference = int(model.sensor_refid[index])
        frame = "world" if reference < 0 else "the sensor's reference"
    shape = () if size == 1 else (size,)
    if quantity in ("distance", "speed") and shape:
        quantity = "other"
    return StateVariable(name, shape, unit, frame, f"{words} of {element}", quantity)


def _joint_unit(model: mujoco.MjModel, kind: str, element: int, unit: str) -> str:
    """Return the unit of a sensor of a joint or an actuator; `unit` is that of a hinge."""
    along = unit.replace("rad", "m").replace("N m", "N")
    joint = joint_of(model, element) if kind.startswith("ACTUATOR") else element
    if joint is None:
        return f"{along} or {unit}"
    return along if model.jnt_type[joint] == mujoco.mjtJoint.mjJNT_SLIDE else unit
