"""The CPU engine: MuJoCo C's batch, stepped in native threads."""

from __future__ import annotations

from collections.abc import Sequence

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
"""The warnings about bad positions, velocities, accelerations and controls are adjacent."""
_NONE, _VEL = mujoco.mjtStage.mjSTAGE_NONE.value, mujoco.mjtStage.mjSTAGE_VEL.value
_ACC = mujoco.mjtStage.mjSTAGE_ACC.value
_CONTACT_WRENCHES = "cfrc_ext"


class CpuEngine:
    """`num_envs` environments of `model` on MuJoCo C: float64 inside, float32 tensors outside.

    MuJoCo resets an environment that diverges and counts a warning; `diverged_envs` reports these.
    """

    def __init__(
        self,
        model: mujoco.MjModel,
        num_envs: int,
        *,
        threads: int | None = None,
        data_fields: Sequence[str] = (),
    ) -> None:
        """Build the environments.

        Args:
            model: The compiled scene.
            num_envs: Number of environments.
            threads: Physics threads, by default one per core that this process may use.
            data_fields: Fields of `MjData` that views have (`MujocoTask.data_fields`).

        Raises:
            SimulationError: `num_envs` is less than 1, or there is no such field.
        """
        if num_envs < 1:
            raise SimulationError(f"num_envs must be at least 1, got {num_envs}.")
        self.model = model
        self.num_envs = num_envs
        self.device = torch.device("cpu")
        self._on_request = _CONTACT_WRENCHES in data_fields
        self._batch = Batch(
            model, num_envs, nthread=threads or cpu_count(), persistent=self._on_request
        )
        self._data_fields = self._bind(data_fields)
        self._fields = {
            name: self._batch.bind(name) for name in ("qpos", "qvel", "ctrl", "sensordata")
        }
        self._warnings = self._batch.warning[:, _BAD, 1]
        self._bad = self._none_bad = torch.zeros(num_envs, dtype=torch.bool)
        self._default = self._batch.state[0].copy()
        self._forces = torch.from_numpy(np.repeat(model.sensor_needstage == _ACC, model.sensor_dim))
        # Only sensors need a forward pass on the new state, which costs up to a third of a step;
        # force sensors keep the step's own values. A persistent batch would make that pass free,
        # but its MjData do not stay in the caches, which costs small models as much. A hand's step
        # would gain about a tenth, for 1.5 GB at 4096 environments.
        self._stage = _NONE if self._forces.all() or data_fields else _VEL
        self._first_stage = _ACC if data_fields else self._stage

    def step(self, ctrl: Tensor, substeps: int) -> PhysicsView:
        """See `Engine.step`."""
        self._fields["ctrl"][:] = ctrl.numpy()
        failed: NDArray[np.bool_] | bool = False
        try:
            self._batch.step(nstep=substeps, stage=self._stage)
        except BatchError:  # the failed environments kept their state; the others ran
            failed = self._batch.status != 0
        if self._warnings.any() or failed is not False:
            self._bad = torch.from_numpy(self._warnings.any(axis=1) | failed)
            self._warnings[:] = 0  # as MuJoCo's own reset of a bad environment does
        else:
            self._bad = self._none_bad
        if self._on_request:
            self._compute_contact_wrenches()
        return self._view(slice(None), ctrl)

    def reset(self, ids: Tensor, initial: InitialState) -> PhysicsView:
        """See `Engine.reset`."""
        rows = ids.numpy()
        # Same result as `Batch.reset`, which would wake its threads.
        self._batch.state[rows] = self._default
        self._fields["qpos"][rows] = initial.qpos.numpy()
        self._fields["qvel"][rows] = initial.qvel.numpy()
        if initial.ctrl is not None:
            self._fields["ctrl"][rows] = initial.ctrl.numpy()
        if self._first_stage != _NONE:
            self._compute_first(rows)
        view = self._view(rows)
        # There is no force yet; the forward pass leaves what another environment had there.
        view.sensordata[:, self._forces] = 0.0
        if self._on_request:
            view.data(_CONTACT_WRENCHES).zero_()
        return view

    def keep(self, ids: Tensor) -> CpuEngine:
        """See `Engine.keep`."""
        kept = CpuEngine(
            self.model, len(ids), threads=self._batch.nthread, data_fields=tuple(self._data_fields)
        )
        kept._batch.state[:] = self._batch.state[ids.numpy()]
        return kept

    def positions(self) -> Tensor:
        """See `Engine.positions`."""
        return self._cast("qpos", slice(None))

    def snapshot(self) -> Tensor:
        """See `Engine.snapshot`."""
        return torch.from_numpy(np.array(self._batch.state))

    def restore(self, snapshot: Tensor) -> None:
        """See `Engine.restore`."""
        self._batch.state[:] = snapshot.numpy()

    def diverged_envs(self) -> Tensor:
        """See `Engine.diverged_envs`."""
        return self._bad

    def _bind(self, names: Sequence[str]) -> dict[str, NDArray[np.float64]]:
        """Return live arrays `(num_envs, …)` of fields of `MjData`."""
        bound = {}
        for name in names:
            try:
                bound[name] = self._batch.bind(name)
            except ValueError as error:
                raise SimulationError(f"The task has data_fields {name!r}: {error}") from error
        if self._on_request:
            bound[_CONTACT_WRENCHES] = np.zeros((self.num_envs, self.model.nbody, 6))
            self._contacts = self._batch.bind("ncon")
            self._scratch = mujoco.MjData(self.model)
        return bound

    def _compute_contact_wrenches(self) -> None:
        """Compute `cfrc_ext`, which stepping leaves out, from the constraint forces in `MjData`.

        Without contacts and equality constraints it is 0.
        """
        wrenches = self._data_fields[_CONTACT_WRENCHES]
        wrenches[:] = 0.0
        pushed = np.ones(self.num_envs) if self.model.neq else self._contacts
        for env in np.flatnonzero(pushed).tolist():
            self._batch.get_data(env, self._scratch)
            mujoco.mj_rnePostConstraint(self.model, self._scratch)
            wrenches[env] = self._scratch.cfrc_ext

    def _compute_first(self, rows: NDArray[np.int64]) -> None:
        """Compute the sensors and the fields of initial states."""
        try:
            self._batch.forward(rows, stage=self._first_stage)
        except BatchError as error:
            raise SimulationError(
                f"An initial state of the task cannot be simulated: {error}"
            ) from error

    def _view(self, rows: slice | NDArray[np.int64], ctrl: Tensor | None = None) -> PhysicsView:
        """Return a view of some environments; `ctrl` saves reading their controls if known."""
        ctrl = self._cast("ctrl", rows) if ctrl is None else ctrl
        qpos, qvel, sensordata = (self._cast(name, rows) for name in ("qpos", "qvel", "sensordata"))
        data = {
            name: torch.from_numpy(values[rows].astype(np.float32))
            for name, values in self._data_fields.items()
        }
        return PhysicsView(self.model, qpos, qvel, ctrl, sensordata, data_fields=data)

    def _cast(self, field: str, rows: slice | NDArray[np.int64]) -> Tensor:
        return torch.from_numpy(self._fields[field][rows].astype(np.float32))
