"""The state of a population's training between two iterations: collected and restored."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

import torch
from safetensors import SafetensorError
from torch import Tensor

from eureka_agent.errors import RewardRuntimeError, StoreError
from eureka_agent.simulation.batched_env import SupportsSnapshot
from eureka_agent.text import one_line
from eureka_agent.training.checkpoint import (
    ActiveMember,
    FinishedMember,
    SavedTensors,
    TrainingState,
    add_prefix,
    strip_prefix,
)
from eureka_agent.training.policy import MOST_BYTES, Policy
from eureka_agent.training.racing import FitnessTracker
from eureka_agent.training.results import TrainResult

if TYPE_CHECKING:
    from eureka_agent.training.population import PopulationTraining

_DAMAGED = (
    AttributeError,
    IndexError,
    KeyError,
    OSError,
    RuntimeError,
    SafetensorError,
    TypeError,
    ValueError,
)


def state_of(training: PopulationTraining) -> tuple[TrainingState, dict[str, Tensor]]:
    """Return the whole state of the training: what is not a tensor, and the tensors."""
    assert isinstance(training.env, SupportsSnapshot)
    finished = {k: result for k, result in enumerate(training.finished) if result is not None}
    state = TrainingState(
        done=training.done,
        steps_of_all=training.steps_of_all,
        seconds=time.monotonic() - training.started,
        members=[
            ActiveMember(member.index, member.history, member.tracker.iterations, member.rungs)
            for member in training.members
        ],
        finished=[
            FinishedMember(index, result.record, str(result.error) if result.error else None)
            for index, result in finished.items()
        ],
    )
    tensors = {
        "noise": training.noise.get_state(),
        **add_prefix("ppo", training.ppo.state()),
        **add_prefix("scale", training.scale.state()),
        **add_prefix("envs", training.env.snapshot()),
    }
    for index, result in finished.items():
        if result.policy is not None:
            data = bytearray(result.policy.to_bytes())
            tensors[f"finished.{index}"] = torch.frombuffer(data, dtype=torch.uint8)
    return state, tensors


def restore_training(
    training: PopulationTraining, state: TrainingState, tensors: SavedTensors
) -> None:
    """Put a training that has not begun into a saved state.

    Raises:
        StoreError: The saved state is damaged or of another training. The file is not trusted.
    """
    try:
        _demand_fit(training, state, tensors)
        _restore(training, state, tensors)
    except _DAMAGED as error:
        raise StoreError(
            "The training that was saved in the run's folder (training.safetensors) is damaged:"
            " remove the file, and the training starts from its beginning"
            f" ({one_line(str(error), 200)})."
        ) from error


def _demand_fit(training: PopulationTraining, state: TrainingState, tensors: SavedTensors) -> None:
    """Raise ValueError for a state that this training cannot have, before tensors are read."""
    active = [member.index for member in state.members]
    finished = [member.index for member in state.finished]
    if sorted((*active, *finished)) != list(range(len(training.members))):
        raise ValueError("it has other candidates")
    if not 0 <= state.done <= training.iterations:
        raise ValueError("it has another number of iterations")
    for index in finished:
        name = f"finished.{index}"
        if name in tensors and math.prod(tensors.size_of(name)) > MOST_BYTES:
            raise ValueError("a policy is too large")


def _demand_sizes(training: PopulationTraining, tensors: SavedTensors) -> None:
    """Raise ValueError when a saved tensor differs in size from the one that it replaces."""
    for name, own in state_of(training)[1].items():
        if not name.startswith("finished.") and tensors.size_of(name) != tuple(own.shape):
            raise ValueError(f"{name} has another size")


def _restore(training: PopulationTraining, state: TrainingState, tensors: SavedTensors) -> None:
    assert isinstance(training.env, SupportsSnapshot)
    results = {member.index: _result_of(member, tensors) for member in state.finished}
    training.remove_members(results)
    _demand_sizes(training, tensors)
    for member, known in zip(training.members, state.members, strict=True):
        member.history = known.history
        member.tracker = FitnessTracker(list(known.iterations))
        member.rungs = list(known.rungs)
    training.done = state.done
    training.steps_of_all = state.steps_of_all
    training.started = time.monotonic() - state.seconds
    training.noise.set_state(tensors["noise"])
    training.ppo.restore(strip_prefix("ppo", tensors))
    training.scale.restore(strip_prefix("scale", tensors))
    training.env.restore(strip_prefix("envs", tensors))


def _result_of(member: FinishedMember, tensors: SavedTensors) -> TrainResult:
    data = tensors.get(f"finished.{member.index}")
    policy = Policy.from_bytes(data.numpy().tobytes()) if data is not None else None
    error = RewardRuntimeError(member.error) if member.error is not None else None
    return TrainResult(member.record, policy, error)
