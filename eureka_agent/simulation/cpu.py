"""The CPU engine: MuJoCo's own batch, stepped in native threads."""

from __future__ import annotations

import mujoco
import numpy as np
import torch
from mujoco.batch import Batch
from mujoco.batch import SimulationError as BatchError
from numpy.typing import NDArray
from torch import Tensor

from eureka_agent.errors import SimulationError
from eureka_agent.simulation.physics import InitialState
from eureka_agent.simulation.view import PhysicsView
from eureka_agent.utils.cpu import cpu_count

_BAD = slice(int(mujoco.mjtWarning.mjWARN_BADQPOS), int(mujoco.mjtWarning.mjWARN_BADCTRL) + 1)
"""Warnings of bad positions, velocities, accelerations and controls, one after the other."""
_NONE, _VEL = mujoco.mjtStage.mjSTAGE_NONE.value, mujoco.mjtStage.mjSTAGE_VEL.value
_ACC = mujoco.mjtStage.mjSTAGE_ACC.value


class CpuEngine:
    """`num_envs` worlds of `model` on MuJoCo C; float64 inside, cast once at the edge.

    MuJoCo resets a world whose numbers go bad and counts a warning; `diverged_envs` reports these.
    """

    def __init__(self, model: mujoco.MjModel, num_envs: int, *, threads: int | None = None) -> None:
        """`threads`: physics threads, by default every core this process may use."""
        if num_envs < 1:
            raise SimulationError(f"num_envs must be at least 1, got {num_envs}.")
        self.model = model
        self.num_envs = num_envs
        self.device = torch.device("cpu")
        self._batch = Batch(model, num_envs, nthread=threads or cpu_count())
        self._fields = {
            name: self._batch.bind(name) for name in ("qpos", "qvel", "ctrl", "sensordata")
        }
        self._warnings = self._batch.warning[:, _BAD, 1]
        self._bad = self._none_bad = torch.zeros(num_envs, dtype=torch.bool)
        self._default = self._batch.state[0].copy()
        self._forces = torch.from_numpy(np.repeat(model.sensor_needstage == _ACC, model.sensor_dim))
        # Only sensors need a look at the new state, which costs up to a third of a step; those of
        # forces keep the step's own values. A persistent batch gives the look for nothing, but its
        # MjData leave the caches, which costs small models as much; a hand's step would gain about
        # a tenth, for 1.5 GB at 4096 worlds.
        self._stage = _NONE if self._forces.all() else _VEL

    def step(self, ctrl: Tensor, substeps: int) -> PhysicsView:
        """See `Engine.step`."""
        self._fields["ctrl"][:] = ctrl.numpy()
        failed: NDArray[np.bool_] | bool = False
        try:
            self._batch.step(nstep=substeps, stage=self._stage)
        except BatchError:  # these worlds kept their state; the others ran
            failed = self._batch.status != 0
        if self._warnings.any() or failed is not False:
            self._bad = torch.from_numpy(self._warnings.any(axis=1) | failed)
            self._warnings[:] = 0  # MuJoCo's own reset of a bad world does it too
        else:
            self._bad = self._none_bad
        return self._view(slice(None), ctrl)

    def reset(self, ids: Tensor, start: InitialState) -> PhysicsView:
        """See `Engine.reset`."""
        rows = ids.numpy()
        self._batch.state[rows] = (
            self._default
        )  # as `Batch.reset` does, which wakes its threads for it
        self._fields["qpos"][rows] = start.qpos.numpy()
        self._fields["qvel"][rows] = start.qvel.numpy()
        if start.ctrl is not None:
            self._fields["ctrl"][rows] = start.ctrl.numpy()
        if self._stage != _NONE:
            self._look(rows)
        view = self._view(rows)
        view.sensordata[:, self._forces] = (
            0.0  # no force yet; a look leaves there what another world had
        )
        return view

    def keep(self, ids: Tensor) -> CpuEngine:
        """See `Engine.keep`."""
        kept = CpuEngine(self.model, len(ids), threads=self._batch.nthread)
        kept._batch.state[:] = self._batch.state[ids.numpy()]
        return kept

    def snapshot(self) -> Tensor:
        """See `Engine.snapshot`."""
        return torch.from_numpy(np.array(self._batch.state))

    def restore(self, snapshot: Tensor) -> None:
        """See `Engine.restore`."""
        self._batch.state[:] = snapshot.numpy()

    def diverged_envs(self) -> Tensor:
        """See `Engine.diverged_envs`."""
        return self._bad

    def _look(self, rows: NDArray[np.int64]) -> None:
        """Compute the sensors of start states."""
        try:
            self._batch.forward(rows, stage=self._stage)
        except BatchError as error:
            raise SimulationError(
                f"A start state of the task cannot be simulated: {error}"
            ) from error

    def _view(self, rows: slice | NDArray[np.int64], ctrl: Tensor | None = None) -> PhysicsView:
        """`ctrl`: the controls of these worlds, where they are known. After a step little is in the
        caches."""
        ctrl = self._cast("ctrl", rows) if ctrl is None else ctrl
        qpos, qvel, sensordata = (self._cast(name, rows) for name in ("qpos", "qvel", "sensordata"))
        return PhysicsView(self.model, qpos, qvel, ctrl, sensordata)

    def _cast(self, field: str, rows: slice | NDArray[np.int64]) -> Tensor:
        return torch.from_numpy(self._fields[field][rows].astype(np.float32))
