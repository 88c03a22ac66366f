"""MuJoCo Warp behind the engine contract, on Warp's CPU device: the code of a GPU without one.

The first run compiles kernels (see docs/gpu.md); keep WARP_CACHE_PATH between runs.
"""

from __future__ import annotations

import dataclasses
import gc
import logging
import math
from pathlib import Path

import mujoco
import pytest
import torch
from torch import Tensor

pytest.importorskip("mujoco_warp")

from benchmarks.warp_parity import deviations, with_cone
from eureka_agent.config import TrainingBudget
from eureka_agent.errors import SimulationError, UsageError
from eureka_agent.rewards.runner import SparseReward
from eureka_agent.simulation import CpuEngine, MujocoEnvironment, make_engine
from eureka_agent.simulation.physics import EpisodeState, InitialState
from eureka_agent.simulation.rollouts import evaluate
from eureka_agent.simulation.warp import WarpEngine
from eureka_agent.tasks.registry import task_names
from eureka_agent.tasks.task import State
from eureka_agent.training import (
    Checkpoint,
    PopulationTrainer,
    Progress,
    TrainerSettings,
    TrainResult,
)
from tests.simulation.test_mujoco_environment import SLIDER, Slider
from tests.support.mujoco_tasks import mujoco_task
from tests.support.warp_cpu import put_in_place_of_cuda

pytestmark = pytest.mark.timeout(900)  # compiling everything, on a busy machine

DROP = """
<mujoco>
  <worldbody>
    <geom type="plane" size="1 1 0.1"/>
    <body pos="0 0 0.09"><freejoint/><geom size="0.1" mass="1"/></body>
    <body pos="0.5 0 0.09"><freejoint/><geom size="0.1" mass="1"/></body>
  </worldbody>
</mujoco>
"""


def _slider(num_envs: int) -> WarpEngine:
    return WarpEngine(Slider().model, num_envs, device="cpu")


def _start(*x: float) -> InitialState:
    return InitialState(torch.tensor(x)[:, None], torch.zeros(len(x), 1))


# ---------------------------------------------------------------------- parity with MuJoCo C
# After 10 steps, the worst environment: positions, velocities and sensors. docs/gpu.md has the
# measured values.
_BOUNDS = {
    "ant_forward": (1e-5, 1e-4, 1e-4),
    "ball_balance": (5e-5, 5e-4, 1e-2),
    "cartpole": (1e-5, 1e-4, 0.0),
    "half_cheetah_forward": (1e-3, 1e-2, 1e-2),
    "hopper_forward": (1e-5, 1e-4, 1e-3),
    "inverted_pendulum_balance": (1e-5, 1e-4, 0.0),
    "quadcopter": (1e-5, 1e-4, 0.0),
    "reacher_reach": (1e-5, 1e-4, 1e-4),
    "swimmer_forward": (1e-5, 1e-4, 1e-4),
}
_SAME_SCENE = {"ant_lie_down", "hopper_backflip"}
_HAND, _HUMANOID = "pen_spinning", "humanoid_forward"


@pytest.mark.parametrize("name", _BOUNDS)
def test_parity_with_mujoco(name: str) -> None:
    task = mujoco_task(name)
    first, *_, last = deviations(
        task, CpuEngine(task.model, 8, threads=1), WarpEngine(task.model, 8, device="cpu"), steps=10
    )
    for field, bound in zip(("qpos", "qvel", "sensordata"), _BOUNDS[name], strict=True):
        assert float(first[field].max()) <= 1e-6, field
        assert float(last[field].max()) <= bound, field


def test_every_bundled_task_is_compared() -> None:
    assert {*_BOUNDS, _HAND, _HUMANOID} == set(task_names()) - _SAME_SCENE


# Mesh collisions take half a minute to compile.
@pytest.mark.parametrize("name", [pytest.param(_HAND, marks=pytest.mark.slow), _HUMANOID])
def test_parity_where_contacts_amplify_differences(name: str) -> None:
    task = mujoco_task(name)
    first, *_, last = deviations(
        task, CpuEngine(task.model, 8, threads=1), WarpEngine(task.model, 8, device="cpu"), steps=10
    )
    assert max(float(value.max()) for value in first.values()) <= 1e-6
    # A pen among five fingers, or feet on the floor: MuJoCo C from starts 1e-6 apart differs by
    # 3e-2 and 3e-1 in the worst environment, so the test uses the median.
    assert float(last["qpos"].median()) <= 1e-4
    assert float(last["qvel"].median()) <= 1e-3


@pytest.mark.slow  # one more model to compile
def test_with_elliptic_cones_contacts_agree_for_longer() -> None:
    task = mujoco_task("ant_forward")
    model = with_cone(task, mujoco.mjtCone.mjCONE_ELLIPTIC)
    *_, last = deviations(
        task, CpuEngine(model, 8, threads=1), WarpEngine(model, 8, device="cpu"), steps=30
    )
    assert float(last["qpos"].max()) <= 1e-3  # pyramids of another orientation: 6e-2


# ---------------------------------------------------------------------- the contract
def test_newton_is_right_and_sensors_do_not_lag() -> None:
    env = MujocoEnvironment(Slider(), 3, seed=0, engine=_slider(3))
    start = env.state["x"].clone()
    step = env.step(torch.tensor([[1.0], [0.0], [-1.0]]))
    # 2 N on 1 kg for 0.1 s, semi-implicit Euler with h = 0.01: x = a h^2 (1 + 2 + … + 10) = 2 *
    # 1e-4 * 55 = 0.011 m
    assert torch.allclose(step.state["x"] - start, torch.tensor([0.011, 0.0, -0.011]), atol=1e-6)


def test_episodes_are_the_same_on_both_engines() -> None:
    one, other = (
        MujocoEnvironment(Slider(), 4, seed=2),
        MujocoEnvironment(Slider(), 4, seed=2, engine=_slider(4)),
    )
    generator = torch.Generator().manual_seed(0)
    ended = 0
    for _ in range(45):
        action = torch.rand(4, 1, generator=generator) + torch.tensor(
            [[0.0], [-1.0], [0.5], [-0.5]]
        )
        a, b = one.step(action), other.step(action)
        assert torch.equal(a.terminated, b.terminated)
        assert torch.equal(a.truncated, b.truncated)
        assert torch.allclose(a.final_observation, b.final_observation, atol=1e-5)
        assert torch.allclose(a.observation, b.observation, atol=1e-5)
        assert torch.allclose(a.finished.fitness, b.finished.fitness, atol=1e-4)
        ended += len(a.finished.env_ids)
    assert ended > 8  # 45 steps of at most 20 each: environments ended at different times


def test_reset_changes_its_environments_only() -> None:
    engine, untouched = _slider(3), _slider(3)
    everyone = torch.arange(3)
    for each in (engine, untouched):
        each.reset(everyone, _start(0.0, 0.1, 0.2))
        each.step(torch.ones(3, 1), 10)
    view = engine.reset(torch.tensor([2, 0]), _start(0.7, 0.8))
    assert view.num_envs == 2
    assert (
        view.qpos[:, 0].tolist() == view.sensor("where")[:, 0].tolist() == pytest.approx([0.7, 0.8])
    )
    assert view.qvel.tolist() == [[0.0], [0.0]]
    after, expected = engine.step(torch.zeros(3, 1), 10), untouched.step(torch.zeros(3, 1), 10)
    assert after.qpos[[2, 0], 0].tolist() == pytest.approx([0.7, 0.8])
    assert torch.equal(after.qpos[1], expected.qpos[1])
    assert torch.equal(after.sensordata[1], expected.sensordata[1])


def test_initial_state_can_set_controls() -> None:
    engine = _slider(2)
    start = InitialState(torch.zeros(2, 1), torch.zeros(2, 1), ctrl=torch.tensor([[0.5], [1.5]]))
    assert torch.equal(engine.reset(torch.arange(2), start).ctrl, torch.tensor([[0.5], [1.5]]))
    assert engine.reset(torch.tensor([1]), _start(0.0)).ctrl.tolist() == [[0.0]]


def test_kept_environments_continue_unchanged() -> None:
    whole = _slider(4)
    whole.reset(torch.arange(4), _start(0.0, 0.1, 0.2, 0.3))
    whole.step(torch.ones(4, 1), 10)
    ids = torch.tensor([1, 3, 3])
    part = whole.keep(ids)
    assert part.num_envs == 3
    assert torch.equal(
        part.step(torch.ones(3, 1), 10).sensordata, whole.step(torch.ones(4, 1), 10).sensordata[ids]
    )


def test_views_do_not_change_in_later_steps() -> None:
    engine = _slider(2)
    views = [engine.reset(torch.arange(2), _start(0.0, 0.1)), engine.step(torch.ones(2, 1), 5)]
    kept = [view.qpos.clone() for view in views]
    views.append(engine.reset(torch.tensor([1]), _start(0.4)))
    engine.step(torch.ones(2, 1), 5)
    assert all(torch.equal(view.qpos, copy) for view, copy in zip(views, kept, strict=False))
    assert views[2].qpos.tolist() == [[pytest.approx(0.4)]]


@pytest.mark.parametrize("x", [math.nan, math.inf, 1e11])  # MuJoCo C resets from 1e10 on
def test_bad_environments_stay_bad_until_reset_and_do_not_affect_others(x: float) -> None:
    engine, healthy = _slider(3), _slider(3)
    engine.reset(torch.arange(3), _start(0.0, x, 0.2))
    healthy.reset(torch.arange(3), _start(0.0, 0.1, 0.2))
    for _ in range(2):
        view, expected = (each.step(torch.ones(3, 1), 10) for each in (engine, healthy))
        assert engine.diverged_envs().tolist() == [False, True, False]
        assert torch.equal(view.qpos[[0, 2]], expected.qpos[[0, 2]])
    engine.reset(torch.tensor([1]), _start(0.3))
    assert engine.step(torch.zeros(3, 1), 10).qpos[1].tolist() == pytest.approx([0.3])
    assert not engine.diverged_envs().any()


def test_diverged_physics_ends_the_episode_and_is_reported() -> None:
    class Explosive(Slider):
        def control(self, action: Tensor, episode_state: EpisodeState) -> Tensor:
            return torch.where(action > 0.9, torch.full_like(action, math.nan), action)

    env = MujocoEnvironment(Explosive(), 3, seed=0, engine=_slider(3))
    step = env.step(torch.tensor([[0.0], [1.0], [0.0]]))
    assert step.bad.tolist() == step.terminated.tolist() == [False, True, False]
    assert all(torch.isfinite(value).all() for value in (*step.state.values(), step.observation))
    assert not env.step(torch.zeros(3, 1)).bad.any()


@pytest.mark.parametrize(
    ("room", "what"),
    [({"njmax": 4}, "constraints (njmax)"), ({"nconmax": 1, "njmax": 64}, "contacts (nconmax)")],
)
def test_missing_room_is_warned_of_once_and_counted(
    caplog: pytest.LogCaptureFixture, room: dict[str, int], what: str
) -> None:
    """Two balls lie on the floor: 2 contacts of 4 rows each in every environment."""
    engine = WarpEngine(mujoco.MjModel.from_xml_string(DROP), 2, device="cpu", **room)
    with caplog.at_level(logging.WARNING, logger="eureka_agent"):
        for _ in range(3):
            engine.step(torch.zeros(2, 0), 1)
    (record,) = caplog.records
    assert f"{what} in 2 of 2 environments" in record.getMessage()
    assert engine.overflows == 6  # 2 environments, 3 steps
    roomy = WarpEngine(mujoco.MjModel.from_xml_string(DROP), 2, device="cpu")
    roomy.step(torch.zeros(2, 0), 3)
    assert roomy.overflows == 0


# ---------------------------------------------------------------------- not supported
def test_model_that_is_not_supported_is_refused_with_the_reason() -> None:
    spec = mujoco.MjSpec.from_string(SLIDER)
    spec.option.solver = mujoco.mjtSolver.mjSOL_PGS
    with pytest.raises(SimulationError, match="mjSOL_PGS"):
        WarpEngine(spec.compile(), 1, device="cpu")
    limit = '<jointlimitpos joint="x"/></sensor>'
    limited = SLIDER.replace('axis="1 0 0"', 'axis="1 0 0" range="-1 1" limited="true"').replace(
        "</sensor>", limit
    )
    with pytest.raises(SimulationError, match="mjSENS_JOINTLIMITPOS"):
        WarpEngine(mujoco.MjModel.from_xml_string(limited), 1, device="cpu")
    with pytest.raises(SimulationError, match="at least 1"):
        _slider(0)


def test_the_device_chooses_the_engine() -> None:
    model = Slider().model
    assert isinstance(make_engine(model, 1, device="cpu", threads=1), CpuEngine)
    with pytest.raises(UsageError, match="choose cpu or cuda"):
        make_engine(model, 1, device="tpu")
    if not torch.cuda.is_available():
        with pytest.raises(SimulationError, match="does not find the device 'cuda'"):
            make_engine(model, 1, device="cuda")


def test_population_trains_on_it(monkeypatch: pytest.MonkeyPatch) -> None:
    put_in_place_of_cuda(monkeypatch)
    budget = TrainingBudget(num_envs=8, environment_steps=8 * 16 * 3)
    first, second = PopulationTrainer().train(
        Slider(), [SparseReward(), SparseReward()], TrainerSettings(budget, seed=0, device="cuda")
    )
    assert first.record is not None
    assert first.policy is not None
    assert first.record == dataclasses.replace(
        second.record or first.record, seconds=first.record.seconds
    )
    (evaluation,) = evaluate(Slider(), [first.policy], episodes=4, seed=0, device="cuda")
    assert evaluation.episodes == 4
    assert math.isfinite(evaluation.fitness)


class CutError(Exception):
    pass


def test_interrupted_training_resumes_bit_for_bit(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    put_in_place_of_cuda(monkeypatch)
    budget = TrainingBudget(num_envs=8, environment_steps=8 * 16 * 4)

    def trained(checkpoint: Checkpoint | None, cut_after: int = 99) -> TrainResult:
        def cut(progress: Progress) -> None:
            if progress.environment_steps > cut_after * 8 * 16:
                raise CutError

        (result,) = PopulationTrainer().train(
            Slider(),
            [SparseReward()],
            TrainerSettings(budget, seed=0, device="cuda", checkpoint=checkpoint),
            on_progress=cut,
        )
        return result

    path = tmp_path / "training.safetensors"
    with pytest.raises(CutError):
        trained(Checkpoint(path, "mine", every_s=0.0), cut_after=2)
    saved = Checkpoint(path, "mine").load()
    assert saved is not None
    assert saved[0].done == 2
    resumed, whole = trained(Checkpoint(path, "mine")), trained(None)
    assert resumed.record is not None
    assert whole.record is not None
    assert resumed.record.fitness == whole.record.fitness
    assert resumed.policy is not None
    assert whole.policy is not None
    assert resumed.policy.to_bytes() == whole.policy.to_bytes()


class AsymmetricSlider(Slider):
    """A slider whose critic also sees the last force, from the episode state."""

    def privileged(self, state: State, episode_state: EpisodeState) -> Tensor | None:
        return episode_state["action"]


def test_asymmetric_critic_trains_on_it(monkeypatch: pytest.MonkeyPatch) -> None:
    put_in_place_of_cuda(monkeypatch)
    env = MujocoEnvironment(AsymmetricSlider(), 2, seed=0, engine=_slider(2))
    step = env.step(torch.tensor([[0.5], [-0.5]]))
    assert step.final_critic_observation[:, 2].tolist() == [0.5, -0.5]
    budget = TrainingBudget(num_envs=8, environment_steps=8 * 16 * 3)
    (result,) = PopulationTrainer().train(
        AsymmetricSlider(), [SparseReward()], TrainerSettings(budget, seed=0, device="cuda")
    )
    assert result.policy is not None
    assert result.policy.sizes[0] == 2


def test_garbage_collection_is_on_again() -> None:
    _slider(1)
    assert gc.isenabled()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_parity_on_a_gpu() -> None:
    task = mujoco_task("ant_forward")
    engine = make_engine(task.model, 8, device="cuda")
    assert engine.device.type == "cuda"
    *_, last = deviations(task, CpuEngine(task.model, 8), engine, steps=10)
    assert float(last["qpos"].max()) <= 1e-5
