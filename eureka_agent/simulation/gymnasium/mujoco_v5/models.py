"""The models of the environments, and what their joints and actuators are called."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import mujoco


def compiled(spec: mujoco.MjSpec) -> mujoco.MjModel:
    """Compile a model. What MuJoCo finds old-fashioned in Gymnasium's files is not said."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return spec.compile()


def model_path(xml_file: str) -> Path:
    """Return the path of a model: one of Gymnasium's own, or a path that starts with `/ . ~`."""
    if xml_file.startswith((".", "/", "~")):
        return Path(xml_file).expanduser()
    spec = find_spec("gymnasium")
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0], "envs/mujoco/assets", xml_file)


def actuator_names(model: mujoco.MjModel) -> tuple[str, ...]:
    """Return the name of each actuator's joint; where it has none, its own name."""
    return tuple(_actuator_name(model, each) for each in range(model.nu))


def _actuator_name(model: mujoco.MjModel, actuator: int) -> str:
    name: str = model.actuator(actuator).name
    if model.actuator_trntype[actuator] == mujoco.mjtTrn.mjTRN_JOINT:
        name = model.joint(int(model.actuator_trnid[actuator, 0])).name or name
    return name or f"actuator_{actuator}"


def joint_names(model: mujoco.MjModel, first: int) -> tuple[str, ...]:
    """Return the names of the joints from number `first` on."""
    return tuple(model.joint(each).name or f"joint_{each}" for each in range(first, model.njnt))


def joint_kinds(model: mujoco.MjModel) -> str:
    """Return one letter per joint: `f`ree, `b`all, `s`lide, `h`inge."""
    return "".join("fbsh"[kind] for kind in model.jnt_type)


def body_ids(model: mujoco.MjModel, names: Sequence[str]) -> list[int] | None:
    """Return the numbers of bodies, or None if the model lacks one of them."""
    known = [model.body(body).name for body in range(model.nbody)]
    return [known.index(name) for name in names] if set(names) <= set(known) else None
