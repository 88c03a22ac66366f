"""Checks that a seed decides everything, and that no episode leaves a trace in the next one."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from eureka_agent.authoring.validation.findings import Finding, failed, listed, ok, warning
from eureka_agent.simulation.batched_env import BatchedEnv
from eureka_agent.simulation.mujoco_environment import MujocoEnvironment
from eureka_agent.simulation.rollouts import random_actions
from eureka_agent.tasks.task import Task

_ENVIRONMENTS = 6
_STEPS = 40
_RESTARTED = (1, 4)

Numbers = dict[str, Tensor]
"""`(steps, environments, …)` each: state, observation, fitness and ends, by name."""


def check_resets(task: Task) -> Iterator[Finding]:
    """Check determinism and resets by comparing episodes bit for bit."""
    yield _same_seed(task)
    yield _other_seed(task)
    yield _reset(task)
    if isinstance(task.make_env(1, seed=0), MujocoEnvironment):
        yield _single_restart(task)


def _same_seed(task: Task) -> Finding:
    first, second = (_run(_env(task, 0), task, _STEPS) for _ in range(2))
    different = _different(first, second)
    if different:
        return failed(
            "same seed",
            f"two runs with the same seed and actions differ in {listed(different)}: draw random"
            " numbers from `random` in initial_state() alone, and keep nothing in the task object.",
        )
    return ok("same seed", f"the same {_STEPS} steps twice, bit for bit.")


def _other_seed(task: Task) -> Finding:
    first, second = (_env(task, seed).state for seed in (0, 1))
    if _different(dict(first), dict(second)):
        return ok("other seed", "episodes start differently.")
    return warning(
        "other seed",
        "episodes of all seeds start in the same state: draw the initial state from `random`,"
        " unless this is meant.",
    )


def _reset(task: Task) -> Finding:
    """Compare the second episodes of environments whose first episodes differ."""
    runs = []
    untouched = torch.ones(_ENVIRONMENTS, dtype=torch.bool)
    for seed in (0, 1):
        env = _env(task, 0)
        act = random_actions(task, seed=seed)
        for _ in range(_STEPS // 4):
            step = env.step(act(env.critic_observation.cpu()).to(env.device))
            untouched[step.finished.env_ids.cpu()] = False
        env.reset()
        runs.append({**_now(env), **_run(env, task, _STEPS // 4)})
    rows = untouched.nonzero()[:, 0]
    if not len(rows):
        return warning(
            "reset",
            "it was not checked, because every episode ended within"
            f" {_STEPS // 4} random steps: see `episode length`.",
        )
    different = _different(*({k: _rows(v, rows) for k, v in run.items()} for run in runs))
    if different:
        return failed(
            "reset",
            f"after a reset {listed(different)} depend on the episode before: keep what an episode"
            " remembers in the episode state, not in the task object.",
        )
    return ok("reset", "a new episode has no trace of the one before.")


def _single_restart(task: Task) -> Finding:
    """Compare environments that restart while others continue with fresh ones."""
    fresh, used = _env(task, 0), _env(task, 0)
    _run(used, task, _STEPS // 2)
    ids = torch.tensor(_RESTARTED)
    assert isinstance(used, MujocoEnvironment)
    used.restart(ids.to(used.device), ids)
    runs = [{**_now(env), **_run(env, task, _STEPS // 2)} for env in (fresh, used)]
    different = _different(*({k: _rows(v, ids) for k, v in run.items()} for run in runs))
    if different:
        return failed(
            "restart of some",
            f"environments that restart while others continue differ from fresh ones in"
            f" {listed(different)}: compute each row from its own row alone.",
        )
    return ok("restart of some", "environments that restart alone are like fresh ones.")


def _env(task: Task, seed: int) -> BatchedEnv:
    return task.make_env(_ENVIRONMENTS, seed=seed)


def _now(env: BatchedEnv) -> Numbers:
    """Return the state now as one step, under names of its own."""
    return {f"initial {name}": value.cpu()[None] for name, value in env.state.items()}


@torch.no_grad()
def _run(env: BatchedEnv, task: Task, steps: int) -> Numbers:
    """Step with the same random actions each time."""
    act = random_actions(task, seed=7)
    kept: dict[str, list[Tensor]] = {}
    for _ in range(steps):
        step = env.step(act(env.critic_observation.cpu()).to(env.device))
        now = {
            **step.state,
            "the observation": step.observation,
            "the fitness": step.fitness,
            "the end": step.terminated,
        }
        for name, value in now.items():
            kept.setdefault(name, []).append(value.cpu())
    return {name: torch.stack(values) for name, values in kept.items()}


def _rows(values: Tensor, rows: Tensor) -> Tensor:
    return values[:, rows]


def _different(first: Numbers, second: Numbers) -> list[str]:
    """Return the names whose numbers are not the same, NaN being the same as NaN."""
    return [
        name
        for name, value in first.items()
        if not torch.equal(torch.nan_to_num(value.float()), torch.nan_to_num(second[name].float()))
    ]
