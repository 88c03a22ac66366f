"""Robot files for tests: models of installed packages, and small ones as text."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

GYMNASIUM = "gymnasium/envs/mujoco/assets"
ROBOTICS = "gymnasium_robotics/envs/assets"

ARM = """<mujoco>
  <worldbody>
    <body name="upper">
      <joint name="shoulder" axis="0 1 0" range="-90 90"/>
      <geom type="capsule" fromto="0 0 0 0 0 .4" size=".03"/>
      <body name="lower" pos="0 0 .4">
        <joint name="elbow" axis="0 1 0" range="-120 120"/>
        <geom type="capsule" fromto="0 0 0 0 0 .3" size=".02"/>
        <site name="grip" pos="0 0 .3"/>
      </body>
    </body>
  </worldbody>
  <actuator><motor joint="shoulder" ctrlrange="-20 20"/><motor joint="elbow"/></actuator>
</mujoco>
"""

_LINK = """  <link name="{name}">
    <inertial>
      <mass value="{mass}"/>
      <inertia ixx="0.01" iyy="0.01" izz="0.01" ixy="0" ixz="0" iyz="0"/>
    </inertial>
    <collision><geometry>{shape}</geometry></collision>
  </link>
"""
_JOINT = """  <joint name="{name}" type="{kind}">
    <parent link="{parent}"/>
    <child link="{child}"/>
    <origin xyz="{origin}"/>
    <axis xyz="0 1 0"/>
    <limit lower="-1" upper="1" effort="{effort}" velocity="3"/>
  </joint>
"""


def package_model(path: str) -> Path:
    """Return a model of an installed package, e.g. `gymnasium/envs/mujoco/assets/ant.xml`."""
    package, _, rest = path.partition("/")
    spec = find_spec(package)
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0], rest)


def leg_urdf(
    *, effort: float = 20.0, shape: str = '<box size="0.2 0.2 0.1"/>', more: str = ""
) -> str:
    """Return a URDF of a body with one leg, whose foot is fixed to it; `more`: further elements."""
    return "".join(
        (
            '<robot name="leg">\n',
            _LINK.format(name="base_link", mass=2, shape=shape),
            _LINK.format(name="thigh", mass=1, shape='<cylinder radius="0.03" length="0.2"/>'),
            _LINK.format(name="foot", mass=0.1, shape='<sphere radius="0.04"/>'),
            _JOINT.format(
                name="hip",
                kind="revolute",
                parent="base_link",
                child="thigh",
                origin="0 0 -0.2",
                effort=effort,
            ),
            _JOINT.format(
                name="ankle",
                kind="fixed",
                parent="thigh",
                child="foot",
                origin="0 0 -0.15",
                effort=1,
            ),
            more,
            "</robot>\n",
        )
    )
