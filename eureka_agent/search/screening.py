"""What is found out about rewards without training: whom to refuse before it, and how far they are
from the human's."""

from __future__ import annotations

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
from eureka_agent.search.evaluator import Evaluator
from eureka_agent.simulation.rollouts import random_actions
from eureka_agent.training.budgets import budgets_of
from eureka_agent.training.policy import Policy
from eureka_agent.utils.torch_threads import one_torch_thread

_POLICIES, _EPISODES = 15, 4
"""So many earlier policies, spread over their fitness, give episodes to the preference check, and
random actions."""
_LEAST_GAP = 0.1
"""Share of the fitness that solves the task by which the best and the worst episode must differ at
least."""

PreparedCandidate = tuple[Candidate, RewardRunner]


class Screening:
    """Compares the rewards of one run with each other, with its human reward and with what its
    policies did.

    All of a task's rewards are compared on the same transitions, whatever the run's seed is.
    """

    def __init__(self, store: Store, evaluator: Evaluator) -> None:
        self._store, self._evaluator = store, evaluator
        self._config = store.config
        self._canonical: dict[str, Tensor] = {}
        self._human: Tensor | None = None
        self._rollouts: tuple[tuple[str, ...], Rollouts] | None = None

    def deduplicate(
        self, ready: Sequence[PreparedCandidate]
    ) -> tuple[list[PreparedCandidate], list[tuple[Candidate, str]]]:
        """Return who is new, and who computes what a candidate before it does, with that one's
        name."""
        first = {
            o.candidate.fingerprint: o.candidate.name
            for o in self._store.outcomes()
            if not o.duplicate_of
        }
        originals: list[PreparedCandidate] = []
        repeats: list[tuple[Candidate, str]] = []
        for candidate, reward in ready:
            duplicate_of = first.setdefault(candidate.fingerprint, candidate.name)
            if duplicate_of == candidate.name:
                originals.append((candidate, reward))
            else:
                repeats.append((candidate, duplicate_of))
        return originals, repeats

    def screen(
        self, ready: Sequence[PreparedCandidate]
    ) -> tuple[list[PreparedCandidate], list[Outcome]]:
        """Return who may train, and the outcomes of those that are refused."""
        accepted: list[PreparedCandidate] = []
        refused: list[Outcome] = []
        for candidate, reward in ready:
            try:
                reason = self._rejection_reason(candidate, reward)
            except CandidateError as error:
                refused.append(Outcome(candidate, Failure("contract", str(error))))
                continue
            if reason:
                refused.append(Outcome(candidate, Failure("screening", reason)))
            else:
                accepted.append((candidate, reward))
        return accepted, refused

    def distance_to_human(self, reward: RewardRunner) -> float | None:
        """Return how far a reward is from the task's human reward; None where there is none for the
        wish.

        None, too, where the reward fails on the transitions: that it was trained without is no
        reason to stop.
        """
        if not (self._config.has_fitness and self._evaluator.task.has_human_reward):
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

    # ------------------------------------------------------------------ reasons to refuse
    def _rejection_reason(self, candidate: Candidate, reward: RewardRunner) -> str:
        """Return why a candidate should not train, in one sentence for its proposer; empty if it
        should."""
        reason = self._fails_preference_check(reward) if self._config.preference_check else ""
        return reason or (self._too_similar(candidate, reward) if self._config.novelty else "")

    def _fails_preference_check(self, reward: RewardRunner) -> str:
        gap = _LEAST_GAP * abs(self._evaluator.task.fitness_solved)
        found = preference(reward, self._episodes(), least_gap=gap)
        return found.reason if found.verdict == "fail" else ""

    def _too_similar(self, candidate: Candidate, reward: RewardRunner) -> str:
        """Compare a candidate with all that were accepted before it; one that is far enough is one
        of these then."""
        own = self._canonical_of(reward)
        found = nearest(own, self._accepted_before())
        if found is None or found[1] >= self._config.novelty:
            self._canonical[candidate.name] = own
            return ""
        name, distance = found
        return (
            f"It rewards nearly the same as {name}: from 0 for the same to 1 for the opposite they"
            f" are {distance:.3f} apart, and {self._config.novelty:g} is asked for. Scaling and"
            " potential shaping change nothing: reward something else."
        )

    # ------------------------------------------------------------------ what they are compared with
    def _accepted_before(self) -> dict[str, Tensor]:
        """Return the canonical form of every reward that got to training; a resumed run computes
        them anew."""
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
            seed, task = self._config.seed, self._evaluator.task
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
        """Return a policy that the run's database holds. Raises StoreError."""
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
    """Return `count` of them at equal distances, the first and the last among them."""
    if len(ordered) <= count:
        return list(ordered)
    return [ordered[i] for i in torch.linspace(0, len(ordered) - 1, count).round().int().tolist()]
