"""The GPU engine: MuJoCo Warp, the physics of MuJoCo C in float32, on one device.

It needs the extra `warp`. Kernels are compiled on first use (about a minute on a CPU) and kept in
Warp's cache (`WARP_CACHE_PATH`). Source: https://github.com/google-deepmind/mujoco_warp.
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
"""Position and velocity sensors that need contacts, constraints or inertia, which
`_update_sensors` does not compute."""

_OVERFLOWS = {
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
_CONTACTS_PER_ENV = 48  # MuJoCo Warp's default for a scene of rigid bodies


class WarpEngine:
    """`num_envs` environments of `model` on MuJoCo Warp; float32.

    The model's options (cone, solver, integrator, iterations) are used as they are. An environment
    that diverges stays so, and `diverged_envs` reports it in every step until it is reset. The
    work of a step and a reset is captured once and replayed: as CUDA graphs on a GPU, as Warp's own
    recordings on a CPU.
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
        """Build the environments and capture the work of a step and a reset.

        Args:
            model: The compiled scene.
            num_envs: Number of environments.
            device: `cuda:<i>`, or `cpu`, which is meant for tests.
            nconmax: Room for contacts per environment, on average: all environments share it.
            njmax: Room for constraint rows in each environment.

        Raises:
            SimulationError: The device is missing, or MuJoCo Warp cannot simulate the model.
        """
        if num_envs < 1:
            raise SimulationError(f"num_envs must be at least 1, got {num_envs}.")
        _demand_support(model)
        self.model = model
        self.num_envs = num_envs
        self.overflows = 0
        """Environment steps so far that left out contacts or constraints for lack of room."""
        self._warned: set[str] = set()
        self._device = _warp_device(device)
        self.device = torch.device(wp.device_to_torch(self._device))
        contacts = _CONTACTS_PER_ENV if nconmax is None else nconmax
        rows = _constraint_rows(model, contacts) if njmax is None else njmax
        self._room = {"nconmax": contacts, "njmax": rows}
        with wp.ScopedDevice(self._device):
            try:
                self._model = mjw.put_model(model)
                self._data = mjw.make_data(model, num_envs, **self._room)
            except (NotImplementedError, ValueError) as error:
                raise SimulationError(f"MuJoCo Warp cannot simulate this model: {error}") from error
            # This class reports overflows; MuJoCo Warp would print a line for every environment.
            self._model.opt.warn_overflow = 0
            self._chosen = wp.zeros(num_envs, dtype=wp.bool)
            works = (self._advance, self._update_sensors, self._clear)
            self._graphs = {work: self._capture(work) for work in works}
        names = ("qpos", "qvel", "ctrl", "sensordata")
        self._fields = {name: wp.to_torch(getattr(self._data, name)) for name in names}
        self._overflow = wp.to_torch(self._data.overflow)
        self._chosen_rows = wp.to_torch(self._chosen)
        self._bad = torch.zeros(num_envs, dtype=torch.bool, device=self.device)
        # From here on work is ordered by torch's stream, not by Warp's.
        wp.synchronize_device(self._device)
        self._chosen_rows.fill_(True)  # undoes the step that capturing has run
        self._replay(self._clear)

    def step(self, ctrl: Tensor, substeps: int) -> PhysicsView:
        """See `Engine.step`."""
        self._fields["ctrl"].copy_(ctrl)
        for _ in range(substeps):
            self._replay(self._advance)
        self._replay(self._update_sensors)
        view = self._view()
        good = torch.isfinite(view.ctrl).all(dim=1)
        for state in (view.qpos, view.qvel):
            # The check of MuJoCo C; false for NaN.
            good &= (state.abs() <= mujoco.mjMAXVAL).all(dim=1)
        self._bad = ~good
        self._report_overflow()
        return view

    def reset(self, ids: Tensor, initial: InitialState) -> PhysicsView:
        """See `Engine.reset`."""
        rows = ids.to(self.device)
        self._chosen_rows.zero_()
        self._chosen_rows[rows] = True
        self._replay(self._clear)
        state = {"qpos": initial.qpos, "qvel": initial.qvel, "ctrl": initial.ctrl}
        for name, value in state.items():
            if value is not None:
                self._fields[name][rows] = value.to(self.device)
        # Computes the sensors of all environments; those of the others do not change.
        self._replay(self._update_sensors)
        return self._view(rows)

    def keep(self, ids: Tensor) -> WarpEngine:
        """See `Engine.keep`. A GPU may find contacts in another order afterwards."""
        kept = WarpEngine(self.model, len(ids), device=str(self._device), **self._room)
        kept.restore(self.snapshot()[ids.to(self.device)])
        kept.overflows = self.overflows
        kept._warned = self._warned
        return kept

    def positions(self) -> Tensor:
        """See `Engine.positions`."""
        positions: Tensor = self._fields["qpos"].clone()
        return positions

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

    # ------------------------------------------------------------------ captured work
    def _advance(self) -> None:
        mjw.step(self._model, self._data)

    def _update_sensors(self) -> None:
        """Update positions, velocities and their sensors; force sensors keep the step's values."""
        model, data = self._model, self._data
        mjw.fwd_kinematics(model, data)
        mjw.transmission(model, data)
        mjw.sensor_pos(model, data)
        mjw.fwd_velocity(model, data)
        mjw.sensor_vel(model, data)

    def _clear(self) -> None:
        """Reset the chosen environments to the model's defaults."""
        mjw.reset_data(self._model, self._data, self._chosen)

    def _capture(self, work: Callable[[], None]) -> wp.Graph:
        work()  # compiles: modules cannot be loaded while capturing
        with _no_garbage_collection(), wp.ScopedCapture() as capture:
            work()
        return capture.graph

    def _replay(self, work: Callable[[], None]) -> None:
        """Run captured work; on a GPU in torch's stream."""
        stream = None
        if self._device.is_cuda:
            stream = wp.stream_from_torch(torch.cuda.current_stream(self.device))
        wp.capture_launch(self._graphs[work], stream=stream)

    # ------------------------------------------------------------------ results
    def _view(self, rows: Tensor | None = None) -> PhysicsView:
        copies = {
            name: field.clone() if rows is None else field[rows]
            for name, field in self._fields.items()
        }
        return PhysicsView(model=self.model, **copies)

    def _report_overflow(self) -> None:
        """Count overflows, and warn the first time for each kind."""
        for what, bits in _OVERFLOWS.items():
            count = int((self._overflow & int(bits)).count_nonzero())
            if count and what not in self._warned:
                self._warned.add(what)
                _logger.warning(
                    "MuJoCo Warp ran out of room for %s in %d of %d environments: some were left"
                    " out, so the physics is wrong there. Build WarpEngine with more room. This"
                    " warning is not repeated; `overflows` counts.",
                    what,
                    count,
                    self.num_envs,
                )
            self.overflows += count
        self._overflow.zero_()


def _warp_device(name: str) -> wp.Device:
    """Return Warp's device of this name. Raises SimulationError when there is none."""
    wp.config.log_level = wp.LOG_WARNING  # otherwise Warp prints every module that it loads
    try:
        return wp.get_device(name)
    except (ValueError, RuntimeError) as error:
        raise SimulationError(
            f"MuJoCo Warp does not find the device {name!r} on this machine: {error}"
        ) from error


def _demand_support(model: mujoco.MjModel) -> None:
    """Raise SimulationError for models that this engine would simulate wrongly."""
    updated = model.sensor_type[model.sensor_needstage < int(mujoco.mjtStage.mjSTAGE_ACC)]
    stale = {mujoco.mjtSensor(kind) for kind in updated} & _STALE_SENSORS
    if stale:
        names = ", ".join(sorted(kind.name for kind in stale))
        raise SimulationError(f"The GPU engine cannot keep these sensors up to date: {names}.")
    if model.nhistory:
        raise SimulationError("The GPU engine does not support delayed sensors or controls.")


def _constraint_rows(model: mujoco.MjModel, contacts: int) -> int:
    """Return the most constraint rows that an environment with `contacts` contacts can have."""
    equality = {mujoco.mjtEq.mjEQ_CONNECT: 3, mujoco.mjtEq.mjEQ_WELD: 6}
    rows: int = sum(equality.get(mujoco.mjtEq(kind), 1) for kind in model.eq_type)
    rows += int((model.dof_frictionloss > 0).sum() + (model.tendon_frictionloss > 0).sum())
    rows += 2 * int(model.jnt_limited.sum() + model.tendon_limited.sum())  # lower and upper
    condim = int(max([1, *model.geom_condim, *model.pair_dim]))
    pyramidal = model.opt.cone == mujoco.mjtCone.mjCONE_PYRAMIDAL
    return rows + contacts * (max(1, 2 * (condim - 1)) if pyramidal else condim)


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Switch garbage collection off: freeing GPU memory would break the capture of a graph."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
