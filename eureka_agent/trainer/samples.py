"""States that a task's worlds really pass through, to try rewards on before any training."""

from __future__ import annotations

import torch
from torch import Tensor

from eureka_agent.simulation import Environment, make_engine
from eureka_agent.task import Task
from eureka_agent.trainer.evaluate import random_actions

_WORLDS, _STEPS = 16, 32


def sample_states(
    task: Task, *, seed: int, worlds: int = _WORLDS, steps: int = _STEPS, device: str = "cpu"
) -> dict[str, Tensor]:
    """Return every tensor that a reward may read, `(rows, *shape)` with `rows = worlds * steps`.

    The transitions come from random actions and cross episode ends where the task has them.
    """
    environment = Environment(task, worlds, seed=seed, engine=make_engine(task.model, worlds, device=device))
    act = random_actions(task, seed=seed)
    kept: dict[str, list[Tensor]] = {}
    for _ in range(steps):
        before = environment.state
        step = environment.step(act(environment.observation).to(environment.device))
        for name, value in step.state.items():
            kept.setdefault(name, []).append(value.cpu())
            kept.setdefault(f"prev_{name}", []).append(before[name].cpu())
    samples = {name: torch.cat(values) for name, values in kept.items()}
    return {name: samples[name] for name in task.reward_inputs.shapes}
