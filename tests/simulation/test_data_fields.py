"""Fields of `MjData` that tasks read besides positions, velocities and sensors."""

from __future__ import annotations

import mujoco
import numpy as np
import pytest
import torch
from torch import Tensor

from eureka_agent.errors import SimulationError, UsageError
from eureka_agent.simulation import CpuEngine, InitialState, PhysicsView, make_engine
from eureka_agent.tasks.mjcf import load_package_xml

FIELDS = ("xpos", "cvel", "qfrc_constraint", "cfrc_ext")
SUBSTEPS = 3
NUM_ENVS = 4


@pytest.fixture(scope="module")
def model() -> mujoco.MjModel:
    """The ant with RK4, whose derived fields are those of the last stage."""
    return load_package_xml("gymnasium", "envs/mujoco/assets/ant.xml").compile()


def dropped(model: mujoco.MjModel) -> InitialState:
    """The ant at four heights; the lowest is in the floor."""
    qpos = torch.as_tensor(model.qpos0, dtype=torch.float32).repeat(NUM_ENVS, 1)
    qpos[:, 2] = torch.tensor([0.2, 0.4, 0.6, 2.0])
    return InitialState(qpos, torch.zeros(NUM_ENVS, model.nv))


def engine_of(model: mujoco.MjModel) -> CpuEngine:
    engine = CpuEngine(model, NUM_ENVS, threads=1, data_fields=FIELDS)
    engine.reset(torch.arange(NUM_ENVS), dropped(model))
    return engine


def controls(model: mujoco.MjModel, step: int, num_envs: int = NUM_ENVS) -> Tensor:
    return torch.sin(torch.arange(num_envs * model.nu) + step).reshape(num_envs, model.nu)


def test_fields_after_a_step_are_those_of_mj_step_and_the_post_constraint_pass(
    model: mujoco.MjModel,
) -> None:
    engine, initial = engine_of(model), dropped(model)
    data = [mujoco.MjData(model) for _ in range(NUM_ENVS)]
    for env, each in enumerate(data):
        each.qpos[:] = initial.qpos[env].numpy()
        mujoco.mj_forward(model, each)
    touched = 0.0
    for step in range(5):
        ctrl = controls(model, step)
        view = engine.step(ctrl, SUBSTEPS)
        for env, each in enumerate(data):
            each.ctrl[:] = ctrl[env].numpy()
            mujoco.mj_step(model, each, SUBSTEPS)
            mujoco.mj_rnePostConstraint(model, each)
            for name in FIELDS:
                assert np.array_equal(
                    view.data(name)[env].numpy(), getattr(each, name).astype(np.float32)
                )
        touched = max(touched, float(view.data("cfrc_ext").abs().max()))
    assert touched > 1.0


def test_fields_of_first_states_are_current_and_without_contact_wrenches(
    model: mujoco.MjModel,
) -> None:
    engine, initial = engine_of(model), dropped(model)
    engine.step(controls(model, 0), SUBSTEPS)
    view = engine.reset(torch.arange(NUM_ENVS), initial)
    assert view.data("xpos")[:, 1] == pytest.approx(initial.qpos[:, :3], abs=1e-6)
    assert not view.data("cfrc_ext").any()


def test_views_keep_their_fields_when_the_environments_are_stepped(model: mujoco.MjModel) -> None:
    engine = engine_of(model)
    view = engine.step(controls(model, 0), SUBSTEPS)
    before = {name: view.data(name).clone() for name in FIELDS}
    engine.step(controls(model, 1), SUBSTEPS)
    assert all(torch.equal(view.data(name), before[name]) for name in FIELDS)


def test_kept_and_restored_environments_have_the_same_fields(model: mujoco.MjModel) -> None:
    engine = engine_of(model)
    engine.step(controls(model, 0), SUBSTEPS)
    snapshot = engine.snapshot()
    kept = engine.keep(torch.tensor([1, 0]))
    whole = engine.step(controls(model, 1), SUBSTEPS)
    part = kept.step(controls(model, 1)[[1, 0]], SUBSTEPS)
    engine.restore(snapshot)
    again = engine.step(controls(model, 1), SUBSTEPS)
    for name in FIELDS:
        assert torch.equal(part.data(name), whole.data(name)[[1, 0]])
        assert torch.equal(again.data(name), whole.data(name))


def test_engine_without_fields_has_none(model: mujoco.MjModel) -> None:
    engine = CpuEngine(model, NUM_ENVS, threads=1)
    view = engine.reset(torch.arange(NUM_ENVS), dropped(model))
    assert isinstance(view, PhysicsView)
    assert not view.data_fields


def test_unknown_field_is_refused(model: mujoco.MjModel) -> None:
    with pytest.raises(SimulationError, match="'no_such_field'"):
        CpuEngine(model, NUM_ENVS, data_fields=("no_such_field",))


def test_gpu_is_refused_for_a_task_with_fields(model: mujoco.MjModel) -> None:
    with pytest.raises(UsageError, match="choose --device cpu"):
        make_engine(model, NUM_ENVS, device="cuda", data_fields=FIELDS)
