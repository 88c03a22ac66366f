"""Sample states: transitions that the environments really make, to check rewards on."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from eureka_agent.simulation.batched_env import observation_of
from eureka_agent.simulation.rollouts import Act, random_actions
from eureka_agent.tasks.choices import one_hot
from eureka_agent.tasks.task import Task

_ENVS, _STEPS = 16, 32
_NOISE = 0.3
"""Standard deviation, in units of the action range [-1, 1]."""
_OPTION_NOISE = 0.8
"""The same for options: of two, the other one is taken in about a fifth of the steps."""


def sample_states(
    task: Task, *, seed: int, num_envs: int = _ENVS, steps: int = _STEPS, device: str = "cpu"
) -> dict[str, Tensor]:
    """Collect the states that random actions lead to.

    Where an episode ends, the next row belongs to the next episode.

    Args:
        task: The task.
        seed: Seed of initial states and actions.
        num_envs: Number of environments.
        steps: Number of environment steps.
        device: Where the physics runs.

    Returns:
        Every tensor that a reward may read, on the CPU: `(num_envs * steps, *shape)` each, by name.

    Raises:
        UsageError: The device is not supported.
        SimulationError: The task cannot be simulated.
    """
    samples, _, _ = _steps(task, [random_actions(task, seed=seed)], seed, num_envs, steps, device)
    return samples


def sample_steps(
    task: Task,
    acts: Sequence[Act],
    *,
    seed: int,
    num_envs: int,
    steps: int,
    device: str = "cpu",
) -> tuple[dict[str, Tensor], Tensor]:
    """Collect states of several policies, each of which acts in an equal share of the environments.

    Returns what `sample_states` does, and `(rows,)` bool: the step terminated its episode. Rows in
    which the physics diverged are left out.
    """
    samples, terminated, bad = _steps(task, acts, seed, num_envs, steps, device)
    return {name: values[~bad] for name, values in samples.items()}, terminated[~bad]


def with_noise(act: Act, task: Task, *, seed: int) -> Act:
    """Return `act` with normal noise on every action entry, or with some random options."""
    generator = torch.Generator().manual_seed(seed)
    choices = list(task.action_choices)

    def noisy(observation: Tensor) -> Tensor:
        noise = torch.randn(len(observation), task.action_size, generator=generator)
        if choices:
            return one_hot(act(observation) + _OPTION_NOISE * noise, choices)
        return (act(observation) + _NOISE * noise).clamp(-1.0, 1.0)

    return noisy


@torch.no_grad()
def _steps(
    task: Task, acts: Sequence[Act], seed: int, num_envs: int, steps: int, device: str
) -> tuple[dict[str, Tensor], Tensor, Tensor]:
    """Return the tensors that a reward may read, and `(rows,)` bool: terminated, diverged."""
    env = task.make_env(num_envs, seed=seed, device=device)
    kept: dict[str, list[Tensor]] = {}
    terminated, bad = [], []
    for _ in range(steps):
        before = env.state
        parts = observation_of(env).cpu().tensor_split(len(acts))
        actions = torch.cat([act(part) for act, part in zip(acts, parts, strict=True)])
        step = env.step(torch.nan_to_num(actions).to(env.device))
        for name, value in step.state.items():
            kept.setdefault(name, []).append(value.cpu())
            kept.setdefault(f"prev_{name}", []).append(before[name].cpu())
        terminated.append(step.terminated.cpu())
        bad.append(step.bad.cpu())
    samples = {name: torch.cat(values) for name, values in kept.items()}
    return (
        {name: samples[name] for name in task.reward_inputs.shapes},
        torch.cat(terminated),
        torch.cat(bad),
    )
