"""Find out about rewards without training: duplicates, near duplicates, distance to the human."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import ExitStack
from functools import cached_property

import torch
from torch import Tensor

from eureka_agent.checks import check_source
from eureka_agent.errors import CandidateError, StoreError
from eureka_agent.extract.reading import checked_again
from eureka_agent.records import Candidate, Failure, Outcome, RewardSource
from eureka_agent.rewards.distance import (
    Transitions,
    canonical,
    distance_of,
    nearest,
    sample_transitions,
)
from eureka_agent.rewards.preference_check import Rollouts, preference, roll_out
from eureka_agent.rewards.runner import RewardRunner
from eureka_agent.runs.store import Store
from eureka_agent.search.evaluator import Evaluator, PreparedCandidate
from eureka_agent.simulation.rollouts import random_actions
from eureka_agent.training.budgets import budgets_of
from eureka_agent.training.policy import Policy
from eureka_agent.utils.torch_threads import one_torch_thread

_POLICIES = 15
"""Number of earlier policies, evenly spaced by fitness, that the preference check rolls out; random
actions come on top."""
_EPISODES = 4
"""Episodes of each of them."""
_LEAST_GAP = 0.1
"""The best and the worst episode must differ by this share of the fitness that solves the task."""


class Screening:
    """Compares a run's rewards with each other, the human reward and the episodes of its policies.

    All rewards of a task are compared on the same transitions, whatever the run's seed is.
    """

    def __init__(self, store: Store, evaluator: Evaluator) -> None:
        self._store = store
        self._evaluator = evaluator
        self._config = store.config
        self._canonical: dict[str, Tensor] = {}
        self._human: Tensor | None = None
        self._rollouts: tuple[tuple[str, ...], Rollouts] | None = None

    def deduplicate(
        self, prepared: Sequence[PreparedCandidate]
    ) -> tuple[list[PreparedCandidate], list[tuple[Candidate, str]]]:
        """Split candidates into new ones and duplicates.

        Each duplicate comes with the name of the earlier candidate that computes the same function.
        """
        first = {
            o.candidate.fingerprint: o.candidate.name
            for o in self._store.outcomes()
            if o.duplicate_of is None
        }
        originals: list[PreparedCandidate] = []
        duplicates: list[tuple[Candidate, str]] = []
        for each in prepared:
            name = each.candidate.name
            duplicate_of = first.setdefault(each.candidate.fingerprint, name)
            if duplicate_of == name:
                originals.append(each)
            else:
                duplicates.append((each.candidate, duplicate_of))
        return originals, duplicates

    def screen(
        self, prepared: Sequence[PreparedCandidate]
    ) -> tuple[list[PreparedCandidate], list[Outcome]]:
        """Return the candidates that may train, and the outcomes of those that are rejected."""
        accepted: list[PreparedCandidate] = []
        rejected: list[Outcome] = []
        for each in prepared:
            try:
                reason = self._rejection_reason(each)
            except CandidateError as error:
                failure = Failure("contract", str(error))
                rejected.append(Outcome(each.candidate, failure=failure))
                continue
            if reason is not None:
                rejected.append(Outcome(each.candidate, failure=Failure("screening", reason)))
            else:
                accepted.append(each)
        return accepted, rejected

    def distance_to_human(self, reward: RewardRunner) -> float | None:
        """Return the distance of a reward to the task's human reward.

        None if there is no human reward for the instruction, or if a reward fails on the
        transitions; that alone does not stop a run.
        """
        if not (self._config.task.has_fitness and self._evaluator.task.has_human_source):
            return None
        try:
            if self._human is None:
                task = self._evaluator.task
                self._human = self._canonical_of_source(
                    check_source(task.human_reward, task.reward_inputs)
                )
            return distance_of(self._canonical_of(reward), self._human)
        except CandidateError:
            return None

    # ------------------------------------------------------------------ reasons to reject
    def _rejection_reason(self, prepared: PreparedCandidate) -> str | None:
        """Return why a candidate is rejected, for its proposer; None if it is not."""
        reason = None
        if self._config.screening.preference_check:
            reason = self._fails_preference_check(prepared.reward)
        if reason is None and self._config.screening.novelty:
            reason = self._too_similar(prepared)
        return reason

    def _fails_preference_check(self, reward: RewardRunner) -> str | None:
        solved = self._evaluator.task.fitness_solved
        gap = 0.0 if math.isnan(solved) else _LEAST_GAP * abs(solved)
        found = preference(reward, self._episodes(), least_gap=gap)
        return found.reason if found.verdict == "fail" else None

    def _too_similar(self, prepared: PreparedCandidate) -> str | None:
        """Return why the reward is too similar to an accepted one; None if it is not.

        With None it counts as accepted from then on.
        """
        own = self._canonical_of(prepared.reward)
        found = nearest(own, self._accepted_before())
        if found is None or found[1] >= self._config.screening.novelty:
            self._canonical[prepared.candidate.name] = own
            return None
        name, distance = found
        return (
            f"It rewards nearly the same as {name}: their distance is {distance:.3f} (0 is the"
            f" same, 1 the opposite), and at least {self._config.screening.novelty:g} is required."
            " Scaling and potential shaping do not change it: reward something else."
        )

    # ------------------------------------------------------------------ comparisons
    def _accepted_before(self) -> dict[str, Tensor]:
        """Return the canonical form of every reward that got to training.

        A resumed run computes them again.
        """
        for outcome in self._store.outcomes():
            name, source = outcome.candidate.name, outcome.candidate.reward
            trained = outcome.failure is None or outcome.failure.stage == "training"
            if trained and source and not outcome.duplicate_of and name not in self._canonical:
                self._canonical[name] = self._canonical_of_source(
                    checked_again(source, self._evaluator.task.reward_inputs)
                )
        return self._canonical

    def _episodes(self) -> Rollouts:
        """Return episodes of the policies that the run has trained, and of random actions."""
        trained = [o for o in self._store.outcomes() if o.evaluation and not o.duplicate_of]
        chosen = _spread(sorted(trained, key=lambda outcome: outcome.fitness), _POLICIES)
        names = tuple(outcome.candidate.name for outcome in chosen)
        if self._rollouts is None or self._rollouts[0] != names:
            seed, task = self._config.search.seed, self._evaluator.task
            stored = [self._store.policy(o.candidate.generation, o.candidate.index) for o in chosen]
            policies = [self._policy(data) for data in stored if data is not None]
            with one_torch_thread():
                episodes = roll_out(
                    task,
                    [random_actions(task, seed=seed), *policies],
                    episodes=_EPISODES,
                    seed=seed,
                )
            self._rollouts = names, episodes
        return self._rollouts[1]

    def _policy(self, data: bytes) -> Policy:
        """Return a stored policy. Raises StoreError if it is damaged."""
        try:
            return Policy.from_bytes(data)
        except ValueError as error:
            raise StoreError(f"The run holds a damaged policy: {error}.") from error

    @cached_property
    def _transitions(self) -> Transitions:
        return sample_transitions(
            self._evaluator.task,
            discount=budgets_of(self._evaluator.task)["normal"].discount,
        )

    def _canonical_of(self, reward: RewardRunner) -> Tensor:
        return canonical(reward, self._transitions)

    def _canonical_of_source(self, source: RewardSource) -> Tensor:
        with ExitStack() as open_rewards:
            return self._canonical_of(self._evaluator.open(source, open_rewards))


def _spread(ordered: Sequence[Outcome], count: int) -> list[Outcome]:
    """Return `count` evenly spaced outcomes, including the first and the last."""
    if len(ordered) <= count:
        return list(ordered)
    return [ordered[i] for i in torch.linspace(0, len(ordered) - 1, count).round().int().tolist()]
