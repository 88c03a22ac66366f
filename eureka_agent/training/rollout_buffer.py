"""The rollout that a population collects between two updates, and its rewards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from eureka_agent.errors import CandidateError
from eureka_agent.rewards.runner import OWN_REWARD, SPARSE_REWARD, RewardRunner, reward_failed
from eureka_agent.simulation.batched_env import Step
from eureka_agent.tasks.task import State

_FREE_S = 10.0
"""Seconds of processor time that a reward may use in a training in addition to the simulation's."""


class StateRecorder:
    """Records at every step the state tensors that the rewards of a population read."""

    def __init__(self, rewards: Sequence[RewardRunner], known: Sequence[str]) -> None:
        """`known`: the names of all tensors; any other name that a reward reads is a constant."""
        wanted = {name for reward in rewards for name in reward.parameters}
        self._now = [name for name in known if name in wanted]
        self._before = [
            n for n in wanted if n.startswith("prev_") and n not in self._now and n[5:] in known
        ]
        self._sparse = SPARSE_REWARD in wanted
        self._own = OWN_REWARD in wanted
        self._kept: dict[str, list[Tensor]] = {}

    def record(self, before: State, step: Step) -> None:
        """Record one step; `before` is the state that it started from."""
        for name in self._now:
            self._kept.setdefault(name, []).append(step.state[name])
        for name in self._before:
            self._kept.setdefault(name, []).append(before[name[5:]])
        if self._sparse:
            self._kept.setdefault(SPARSE_REWARD, []).append(step.sparse_reward)
        if self._own:
            assert step.own_reward is not None, "the task has no reward of its own"
            self._kept.setdefault(OWN_REWARD, []).append(step.own_reward)

    def take(self) -> dict[str, Tensor]:
        """Return `(steps, num_envs, *shape)` of each name, and clear the record."""
        kept, self._kept = self._kept, {}
        return {name: torch.stack(values) for name, values in kept.items()}


@dataclass
class Rollout:
    """T steps of K candidates with N environments each; each list has T tensors `(K, N, …)`.

    Observations are the critic's: first the entries that the policy sees. `outputs` are those of
    the policy (`Population.output`).
    """

    observations: list[Tensor] = field(default_factory=list)
    outputs: list[Tensor] = field(default_factory=list)
    actions: list[Tensor] = field(default_factory=list)
    terminated: list[Tensor] = field(default_factory=list)
    truncated: list[Tensor] = field(default_factory=list)
    final_observations: list[Tensor] = field(default_factory=list)
    bad: list[Tensor] = field(default_factory=list)

    def add(self, step: Step, k: int) -> None:
        """Add what the environments of `k` candidates returned."""
        self.terminated.append(step.terminated.view(k, -1))
        self.truncated.append(step.truncated.view(k, -1))
        self.final_observations.append(
            step.final_critic_observation.view(k, step.truncated.numel() // k, -1)
        )
        self.bad.append(step.bad.view(k, -1))


def rewards_of(
    runners: Sequence[RewardRunner], state: Mapping[str, Tensor], bad: Tensor
) -> tuple[Tensor, list[dict[str, float]], list[CandidateError | None]]:
    """Compute the rewards of a rollout, all candidates in parallel.

    Args:
        runners: One per candidate.
        state: `(T, K N, *shape)` each, by name.
        bad: `(T, K, N)` bool: rows whose physics diverged; their reward is 0.

    Returns:
        The rewards `(T, K, N)`, the mean of each component per candidate, and the error of each
        candidate, whose rewards are then 0.
    """
    steps, candidates, num_envs = bad.shape
    rewards = torch.zeros(steps, candidates, num_envs, device=bad.device)
    means: list[dict[str, float]] = [{} for _ in runners]
    errors: list[CandidateError | None] = [None for _ in runners]
    for k, runner in enumerate(runners):
        rows = slice(k * num_envs, (k + 1) * num_envs)
        own = {name: value[:, rows].flatten(0, 1) for name, value in state.items()}
        errors[k] = _attempt_submit(runner, own)
    for k, runner in enumerate(runners):
        if errors[k] is not None:
            continue
        try:
            batch = runner.collect()
        except CandidateError as error:
            errors[k] = error
            continue
        rewards[:, k] = batch.reward.view(steps, num_envs)
        means[k] = {name: float(value.mean()) for name, value in batch.components.items()}
    return torch.where(bad, 0.0, rewards), means, errors


def too_slow(runner: RewardRunner, simulated_s: float) -> CandidateError | None:
    """Return the error of a reward that has used too much processor time, or None.

    The limit is the time of the simulation plus some seconds. The limit of a single call alone
    would let a reward make a training many times as slow.

    Args:
        runner: The reward.
        simulated_s: Seconds that the simulation has taken in this training so far.
    """
    if runner.processor_s <= _FREE_S + simulated_s:
        return None
    return reward_failed(
        f"it has used {runner.processor_s:.0f} s of processor time so far, and the simulation took"
        f" only {simulated_s:.0f} s: it must be cheaper, with tensor operations on all rows and"
        " without loops"
    )


def _attempt_submit(runner: RewardRunner, state: Mapping[str, Tensor]) -> CandidateError | None:
    try:
        runner.submit(state)
    except CandidateError as error:
        return error
    return None
