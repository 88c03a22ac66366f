"""What the tests of all tasks share: running the human reward, and the contract of every task."""

from __future__ import annotations

import inspect

import torch
from torch import Tensor

from eureka_agent.tasks.task import State, Task


def reward_of(task: Task, state: State) -> tuple[Tensor, dict[str, Tensor]]:
    """Run the task's human reward in this process (our own code, so it needs no sandbox)."""
    namespace: dict[str, object] = {}
    exec(task.human_reward, namespace)
    function = namespace["compute_reward"]
    assert callable(function)
    known = {**task.state_spec.constants, **state}
    reward, components = function(*(known[name] for name in inspect.signature(function).parameters))
    return reward, components


def check_contract(task: Task, *, num_envs: int = 4, steps: int = 30, seed: int = 0) -> None:
    """Check that a task keeps its contract.

    The state is finite and has the variables and shapes of its spec; the same seed gives the same
    numbers; the human reward runs.
    """
    assert set(task.state_spec.shapes) >= {variable.name for variable in task.state_spec.variables}
    for variable in task.state_spec.tensors:
        if variable.elements:
            assert len(variable.elements) == variable.shape[-1], variable.name
        if variable.goal_for is not None:
            assert variable.shape == task.state_spec[variable.goal_for].shape, variable.name
    first, second = (task.make_env(num_envs, seed=seed) for _ in range(2))
    _check_state(task, first.state, num_envs)
    generator = torch.Generator().manual_seed(seed)
    before = first.state
    for _ in range(steps):
        action = torch.rand(num_envs, task.action_size, generator=generator) * 2.0 - 1.0
        step, again = first.step(action), second.step(action)
        _check_state(task, step.state, num_envs)
        assert torch.isfinite(step.observation).all()
        assert step.observation.shape == (num_envs, first.observation_size)
        assert step.fitness.shape == step.terminated.shape == (num_envs,)
        assert step.terminated.dtype == torch.bool
        assert not step.bad.any()
        assert torch.equal(step.final_observation, again.final_observation)
        assert torch.equal(step.state["obs_buf"], step.final_observation)
        reward, components = reward_of(task, _with_previous(step.state, before))
        for value in (reward, *components.values()):
            assert value.shape == (num_envs,)
            assert torch.isfinite(value).all()
        before = first.state


def _check_state(task: Task, state: State, num_envs: int) -> None:
    variables = task.reward_inputs.tensors
    assert set(state) == {variable.name for variable in variables}
    for variable in variables:
        value = state[variable.name]
        assert value.shape == (num_envs, *variable.shape), variable.name
        assert value.dtype == torch.float32, variable.name
        assert torch.isfinite(value).all(), variable.name


def _with_previous(state: State, before: State) -> dict[str, Tensor]:
    return {**state, **{f"prev_{name}": value for name, value in before.items()}}
