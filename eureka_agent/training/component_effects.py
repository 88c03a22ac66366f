"""What a reward's components do over the episodes of an evaluation."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from eureka_agent.errors import CandidateError
from eureka_agent.records import ComponentEffect
from eureka_agent.rewards.runner import RewardBatch, RewardRunner
from eureka_agent.simulation.batched_env import Step
from eureka_agent.tasks.task import State
from eureka_agent.training.history import correlation

MOST_EPISODES = 16
"""Episodes of each policy whose rewards are computed; more would cost more time than they tell."""
_MOST_PROCESSOR_S = 5.0
"""Processor time for all calls of a reward here; ordinary rewards need a few hundredths."""

_EQUAL = 1e-12
"""Variance of returns that counts as rounding, as a share of their mean square."""


@dataclass
class _Member:
    """One policy's reward and what it gave so far."""

    runner: RewardRunner
    first_env: int
    """Its first environment; its episodes are in this one and the following ones."""
    processor_s: float
    """What the reward had used before the evaluation."""
    returns: Tensor
    """`(episodes,)` float64: the sum of the rewards."""
    sums: dict[str, Tensor] = field(default_factory=dict)
    """`(episodes,)` float64 of each component."""
    failed: bool = False
    kept: dict[str, list[Tensor]] = field(default_factory=dict)
    """States of the steps since the last call, `(episodes, *shape)` each."""
    paid: list[tuple[Tensor, dict[str, Tensor]]] = field(default_factory=list)
    """Of each call: the episode of each row, and what the rows were paid by name, all `(rows,)`;
    rows of an episode are in the order of its steps."""


class ComponentRecorder:
    """Computes the rewards of the first episodes in the sandbox while policies are evaluated.

    A reward that fails or is too slow has no figures; nothing else depends on it. `watch` is for
    `run_episodes`; call `finish` after it.
    """

    def __init__(
        self, runners: Sequence[RewardRunner | None], *, episodes: int, max_rows: int
    ) -> None:
        """Create a recorder.

        Args:
            runners: The reward of each policy; None: no figures for it.
            episodes: Number of episodes of each policy.
            max_rows: The most rows that a call of a reward may have.
        """
        self._episodes = min(episodes, MOST_EPISODES, max_rows)
        self._chunk = max_rows // self._episodes
        self._members = [
            None if runner is None else self._member(runner, index * episodes)
            for index, runner in enumerate(runners)
        ]
        self._going: Tensor | None = None
        """`(num_envs,)` bool on the device: whether an environment's first episode goes on."""
        self._valid: list[Tensor] = []
        """`(num_envs,)` bool of each kept step: rows that belong to a first episode."""

    def watch(self, before: State, step: Step) -> None:
        """Keep a step that started from the state `before`, and call the rewards now and then."""
        if self._going is None:
            self._going = torch.ones_like(step.terminated)
        self._valid.append(self._going & ~step.bad)
        for member in self._able():
            self._keep(member, before, step)
        self._going = self._going & ~(step.terminated | step.truncated)
        if len(self._valid) == self._chunk:
            self.finish()

    def finish(self) -> None:
        """Call the rewards with the steps that are kept, all at the same time."""
        called: list[tuple[_Member, Tensor]] = []
        for member in self._able():
            rows = self._rows(member)
            state = {name: torch.cat(values)[rows] for name, values in member.kept.items()}
            member.kept = {}
            if len(rows) and self._submit(member, state):
                called.append((member, rows % self._episodes))
        for member, episode in called:
            self._collect(member, episode.cpu())
        self._valid = []

    def effects(self, policy: int, fitness: Tensor) -> tuple[ComponentEffect, ...]:
        """Return what each component of a policy's reward did; empty without figures.

        Args:
            policy: Index of the policy.
            fitness: `(episodes,)` of this policy.
        """
        member = self._members[policy]
        if member is None or member.failed:
            return ()
        return component_effects(member.sums, member.returns, fitness[: self._episodes])

    def returns(self, policy: int) -> Tensor | None:
        """Return `(episodes,)` float64: the sum of a policy's reward over each episode.

        Args:
            policy: Index of the policy.

        Returns:
            The sums, or None if the reward failed or there is none.
        """
        member = self._members[policy]
        return None if member is None or member.failed else member.returns

    def series(self, policy: int, episode: int) -> dict[str, Tensor]:
        """Return what each step of an episode was paid.

        Args:
            policy: Index of the policy.
            episode: Index of the episode, below `episodes`.

        Returns:
            `(steps,)` each: the reward as `reward`, then each component by name; empty without
            figures. A component that is called `reward` itself is left out.
        """
        member = self._members[policy]
        if member is None or member.failed:
            return {}
        parts: dict[str, list[Tensor]] = {}
        for of_rows, values in member.paid:
            own = of_rows == episode
            for name, value in values.items():
                parts.setdefault(name, []).append(value[own])
        return {name: torch.cat(values) for name, values in parts.items()}

    @property
    def episodes(self) -> int:
        """Number of episodes of each policy whose rewards are computed."""
        return self._episodes

    def _member(self, runner: RewardRunner, first_env: int) -> _Member:
        returns = torch.zeros(self._episodes, dtype=torch.float64)
        return _Member(runner, first_env, runner.processor_s, returns)

    def _able(self) -> list[_Member]:
        return [member for member in self._members if member is not None and not member.failed]

    def _own(self, member: _Member) -> slice:
        return slice(member.first_env, member.first_env + self._episodes)

    def _keep(self, member: _Member, before: State, step: Step) -> None:
        own = self._own(member)
        for name in member.runner.parameters:
            now = step.state.get(name)
            value = before[name.removeprefix("prev_")] if now is None else now
            member.kept.setdefault(name, []).append(value[own])

    def _rows(self, member: _Member) -> Tensor:
        """Return which rows of the kept steps, one after the other, belong to first episodes."""
        if not self._valid:
            return torch.zeros(0, dtype=torch.int64)
        own = self._own(member)
        return torch.cat([valid[own] for valid in self._valid]).nonzero()[:, 0]

    def _submit(self, member: _Member, state: Mapping[str, Tensor]) -> bool:
        try:
            member.runner.submit(state)
        except CandidateError:
            member.failed = True
        return not member.failed

    def _collect(self, member: _Member, episode: Tensor) -> None:
        """Add the answer to the sums of the episodes `(rows,)` that its rows belong to."""
        try:
            batch = member.runner.collect()
        except CandidateError:
            member.failed = True
            return
        used_s = member.runner.processor_s - member.processor_s
        if used_s > _MOST_PROCESSOR_S:
            member.failed = True
            return
        self._add(member, batch, episode)

    def _add(self, member: _Member, batch: RewardBatch, episode: Tensor) -> None:
        paid = {"reward": batch.reward.cpu().float()}
        for name, values in batch.components.items():
            paid.setdefault(name, values.cpu().float())
        member.paid.append((episode, paid))
        member.returns.index_add_(0, episode, batch.reward.cpu().double())
        for name, values in batch.components.items():
            total = member.sums.setdefault(name, torch.zeros_like(member.returns))
            total.index_add_(0, episode, values.cpu().double())


def component_effects(
    sums: Mapping[str, Tensor], returns: Tensor, fitness: Tensor
) -> tuple[ComponentEffect, ...]:
    """Return what each component explains of the returns, and how it goes with the fitness.

    Args:
        sums: `(episodes,)` float64: each component's sum over an episode, by name.
        returns: `(episodes,)` float64: the sum of the rewards.
        fitness: `(episodes,)`.
    """
    centred = returns - returns.mean()
    variance = float(centred.square().sum())
    varies = variance > _EQUAL * float(returns.square().sum())
    measured = fitness.double().tolist()
    effects: list[ComponentEffect] = []
    for name, values in sums.items():
        together = float((values - values.mean()) @ centred)
        effect = ComponentEffect(
            name,
            mean=float(values.mean()),
            variance_share=together / variance if varies else math.nan,
            fitness_correlation=correlation(values.tolist(), measured),
        )
        effects.append(effect)
    return tuple(effects)
