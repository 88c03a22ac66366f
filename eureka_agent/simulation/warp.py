"""The GPU engine: MuJoCo Warp, the same physics as MuJoCo C in float32, for one device.

Needs the extra `warp`. Kernels are compiled when they are first used (about a minute on a CPU) and
kept in Warp's cache, see `WARP_CACHE_PATH`. Source: https://github.com/google-deepmind/mujoco_warp.
"""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import mujoco
import mujoco_warp as mjw
import torch
import warp as wp
from torch import Tensor

from eureka_agent.errors import SimulationError
from eureka_agent.simulation.physics import InitialState
from eureka_agent.simulation.view import PhysicsView

_logger = logging.getLogger(__name__)

_STALE_SENSORS = {
    mujoco.mjtSensor.mjSENS_CONTACT,
    mujoco.mjtSensor.mjSENS_GEOMDIST,
    mujoco.mjtSensor.mjSENS_GEOMNORMAL,
    mujoco.mjtSensor.mjSENS_GEOMFROMTO,
    mujoco.mjtSensor.mjSENS_JOINTLIMITPOS,
    mujoco.mjtSensor.mjSENS_JOINTLIMITVEL,
    mujoco.mjtSensor.mjSENS_TENDONLIMITPOS,
    mujoco.mjtSensor.mjSENS_TENDONLIMITVEL,
    mujoco.mjtSensor.mjSENS_E_KINETIC,
}
"""Position and velocity sensors that read contacts, constraints or inertia, which `_look` does not
recompute."""

_OUT_OF_ROOM = {
    "constraints (njmax)": mjw.OverflowType.NEFC | mjw.OverflowType.NJMAX_NNZ,
    "contacts (nconmax)": (
        mjw.OverflowType.BROADPHASE
        | mjw.OverflowType.NARROWPHASE
        | mjw.OverflowType.CCD
        | mjw.OverflowType.HFIELD
        | mjw.OverflowType.EPA_HORIZON
    ),
}
_WHOLE_STATE = int(mujoco.mjtState.mjSTATE_INTEGRATION)
_CONTACTS_PER_WORLD = 48  # MuJoCo Warp's own guess for a scene of rigid bodies


class WarpEngine:
    """`num_envs` worlds of `model` on MuJoCo Warp; float32.

    The model's options (cone, solver, integrator, iterations) are used as they are. A world whose
    numbers go bad keeps them, and `diverged_envs` reports it in every step until it is reset. Step,
    look and reset are captured once and
    replayed: as CUDA graphs on a GPU, as Warp's own recordings on a CPU.
    """

    def __init__(
        self,
        model: mujoco.MjModel,
        num_envs: int,
        *,
        device: str = "cuda:0",
        nconmax: int | None = None,
        njmax: int | None = None,
    ) -> None:
        """`device`: `cuda:0` and so on, or `cpu`, which is meant for tests.

        `nconmax`: room for contacts per world (all worlds share it), `njmax`: for constraint rows
        in any one world.
        Raises SimulationError: the device is missing, or the model has what MuJoCo Warp does not
        do.
        """
        if num_envs < 1:
            raise SimulationError(f"num_envs must be at least 1, got {num_envs}.")
        _demand_support(model)
        self.model = model
        self.num_envs = num_envs
        self.overflows = 0
        """Steps of worlds, so far, in which contacts or constraints were left out for lack of
        room."""
        self._said: set[str] = set()
        self._device = _warp_device(device)
        self.device = torch.device(wp.device_to_torch(self._device))
        contacts = _CONTACTS_PER_WORLD if nconmax is None else nconmax
        rows = _constraint_rows(model, contacts) if njmax is None else njmax
        self._room = {"nconmax": contacts, "njmax": rows}
        with wp.ScopedDevice(self._device):
            try:
                self._model = mjw.put_model(model)
                self._data = mjw.make_data(model, num_envs, **self._room)
            except (NotImplementedError, ValueError) as error:
                raise SimulationError(f"MuJoCo Warp cannot simulate this model: {error}") from error
            self._model.opt.warn_overflow = (
                0  # reported by this class, not by a print for every world
            )
            self._chosen = wp.zeros(num_envs, dtype=wp.bool)
            self._graphs = {
                work: self._capture(work) for work in (self._advance, self._look, self._clear)
            }
        names = ("qpos", "qvel", "ctrl", "sensordata")
        self._fields = {name: wp.to_torch(getattr(self._data, name)) for name in names}
        self._overflow = wp.to_torch(self._data.overflow)
        self._chosen_rows = wp.to_torch(self._chosen)
        self._bad = torch.zeros(num_envs, dtype=torch.bool, device=self.device)
        wp.synchronize_device(
            self._device
        )  # what follows is ordered by torch's stream, not by Warp's
        self._chosen_rows.fill_(True)  # what was captured has run once
        self._replay(self._clear)

    def step(self, ctrl: Tensor, substeps: int) -> PhysicsView:
        """See `Engine.step`."""
        self._fields["ctrl"].copy_(ctrl)
        for _ in range(substeps):
            self._replay(self._advance)
        self._replay(self._look)
        view = self._view()
        good = torch.isfinite(view.ctrl).all(dim=1)
        for state in (view.qpos, view.qvel):
            good &= (state.abs() <= mujoco.mjMAXVAL).all(
                dim=1
            )  # what MuJoCo C checks; false for NaN
        self._bad = ~good
        self._report_overflow()
        return view

    def reset(self, ids: Tensor, start: InitialState) -> PhysicsView:
        """See `Engine.reset`."""
        rows = ids.to(self.device)
        self._chosen_rows.zero_()
        self._chosen_rows[rows] = True
        self._replay(self._clear)
        state = {"qpos": start.qpos, "qvel": start.qvel, "ctrl": start.ctrl}
        for name, value in state.items():
            if value is not None:
                self._fields[name][rows] = value.to(self.device)
        self._replay(
            self._look
        )  # of all worlds: the others are looked at again and stay as they are
        return self._view(rows)

    def keep(self, ids: Tensor) -> WarpEngine:
        """See `Engine.keep`; the same results, but for the order in which a GPU finds contacts."""
        kept = WarpEngine(self.model, len(ids), device=str(self._device), **self._room)
        kept.restore(self.snapshot()[ids.to(self.device)])
        kept.overflows, kept._said = self.overflows, self._said
        return kept

    def snapshot(self) -> Tensor:
        """See `Engine.snapshot`."""
        state = torch.empty(
            self.num_envs, mujoco.mj_stateSize(self.model, _WHOLE_STATE), device=self.device
        )
        with wp.ScopedDevice(self._device):
            wp.synchronize_device(self._device)
            mjw.get_state(self._model, self._data, wp.from_torch(state), _WHOLE_STATE)
            wp.synchronize_device(self._device)
        return state

    def restore(self, snapshot: Tensor) -> None:
        """See `Engine.restore`."""
        state = snapshot.to(self.device).contiguous()
        with wp.ScopedDevice(self._device):
            wp.synchronize_device(self._device)
            mjw.set_state(self._model, self._data, wp.from_torch(state), _WHOLE_STATE)
            wp.synchronize_device(self._device)

    def diverged_envs(self) -> Tensor:
        """See `Engine.diverged_envs`."""
        return self._bad

    # ------------------------------------------------------------------ what is captured
    def _advance(self) -> None:
        mjw.step(self._model, self._data)

    def _look(self) -> None:
        """Bring positions, velocities and their sensors up to date; sensors of forces keep the
        step's values."""
        model, data = self._model, self._data
        mjw.fwd_kinematics(model, data)
        mjw.transmission(model, data)
        mjw.sensor_pos(model, data)
        mjw.fwd_velocity(model, data)
        mjw.sensor_vel(model, data)

    def _clear(self) -> None:
        """Reset the chosen worlds to the model's defaults."""
        mjw.reset_data(self._model, self._data, self._chosen)

    def _capture(self, work: Callable[[], None]) -> wp.Graph:
        work()  # compiles: modules cannot be loaded while capturing
        with _no_garbage_collection(), wp.ScopedCapture() as capture:
            work()
        return capture.graph

    def _replay(self, work: Callable[[], None]) -> None:
        """Run captured work, on a GPU in the order of torch's own work."""
        stream = None
        if self._device.is_cuda:
            stream = wp.stream_from_torch(torch.cuda.current_stream(self.device))
        wp.capture_launch(self._graphs[work], stream=stream)

    # ------------------------------------------------------------------ what is read
    def _view(self, rows: Tensor | None = None) -> PhysicsView:
        copies = {
            name: field.clone() if rows is None else field[rows]
            for name, field in self._fields.items()
        }
        return PhysicsView(model=self.model, **copies)

    def _report_overflow(self) -> None:
        """Count what had no room, and say so the first time for each kind."""
        for what, bits in _OUT_OF_ROOM.items():
            worlds = int((self._overflow & int(bits)).count_nonzero())
            if worlds and what not in self._said:
                self._said.add(what)
                _logger.warning(
                    "MuJoCo Warp ran out of room for %s in %d of %d worlds: some were left out, so"
                    " the physics is wrong there. Build WarpEngine with more room. Said once;"
                    " counted in `overflows`.",
                    what,
                    worlds,
                    self.num_envs,
                )
            self.overflows += worlds
        self._overflow.zero_()


def _warp_device(name: str) -> wp.Device:
    """Raises SimulationError when there is no such device."""
    wp.config.log_level = wp.LOG_WARNING  # else every module it loads is a line on the terminal
    try:
        return wp.get_device(name)
    except (ValueError, RuntimeError) as error:
        raise SimulationError(
            f"MuJoCo Warp finds no device {name!r} on this machine: {error}"
        ) from error


def _demand_support(model: mujoco.MjModel) -> None:
    """Raise SimulationError for what MuJoCo Warp accepts and this engine would simulate wrongly."""
    looked_at = model.sensor_type[model.sensor_needstage < int(mujoco.mjtStage.mjSTAGE_ACC)]
    stale = {mujoco.mjtSensor(kind) for kind in looked_at} & _STALE_SENSORS
    if stale:
        names = ", ".join(sorted(kind.name for kind in stale))
        raise SimulationError(f"The GPU engine cannot keep these sensors up to date: {names}.")
    if model.nhistory:
        raise SimulationError("The GPU engine does not support delayed sensors or controls.")


def _constraint_rows(model: mujoco.MjModel, contacts: int) -> int:
    """Return the most constraint rows that a world with `contacts` contacts can have."""
    equality = {mujoco.mjtEq.mjEQ_CONNECT: 3, mujoco.mjtEq.mjEQ_WELD: 6}
    rows: int = sum(equality.get(mujoco.mjtEq(kind), 1) for kind in model.eq_type)
    rows += int((model.dof_frictionloss > 0).sum() + (model.tendon_frictionloss > 0).sum())
    rows += 2 * int(model.jnt_limited.sum() + model.tendon_limited.sum())  # lower and upper
    condim = int(max([1, *model.geom_condim, *model.pair_dim]))
    pyramidal = model.opt.cone == mujoco.mjtCone.mjCONE_PYRAMIDAL
    return rows + contacts * (max(1, 2 * (condim - 1)) if pyramidal else condim)


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """A collection while a graph is captured could free GPU memory, which breaks the capture."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
