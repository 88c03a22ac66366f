"""Turn candidates into stored outcomes: train and evaluate, copy a duplicate's result, or skip."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from eureka_agent.prompting.reflection import reflect
from eureka_agent.records import Candidate, Outcome
from eureka_agent.runs.store import Store
from eureka_agent.search.evaluator import Evaluator
from eureka_agent.search.events import CandidateSkipped, Listener
from eureka_agent.search.initial_policies import InitialPolicies
from eureka_agent.training.job import JobReward


class OutcomeWriter:
    """Makes the outcomes of a run's candidates and stores each when it is known."""

    def __init__(self, store: Store, evaluator: Evaluator, emit: Listener) -> None:
        self._store = store
        self._evaluator = evaluator
        self._emit = emit
        self._initial_policies = InitialPolicies(store)

    def skip(self, outcome: Outcome) -> Outcome:
        """Store the outcome of a candidate that does not train; return it with its reflection."""
        outcome = self.reflected(outcome)
        self._store.save_outcomes([(outcome, None)])
        self._emit(CandidateSkipped(outcome))
        return outcome

    def copy(self, candidate: Candidate, duplicate_of: str) -> Outcome:
        """Store the result of the candidate that `candidate` duplicates as its own.

        Training is deterministic, so its own training would end the same.
        """
        outcomes = self._store.outcomes()
        original = next(each for each in outcomes if each.candidate.name == duplicate_of)
        policy = self._store.policy(original.candidate.generation, original.candidate.index)
        outcome = replace(original, candidate=candidate, duplicate_of=duplicate_of)
        replays = {candidate.name: self._store.replay(duplicate_of)}
        self._store.save_outcomes([(outcome, policy)], replays=replays)
        self._emit(CandidateSkipped(outcome))
        return outcome

    def train(
        self,
        candidates: Sequence[Candidate],
        distances: Sequence[float | None],
        champion: Outcome | None,
    ) -> list[Outcome]:
        """Train the candidates, as one population if the trainer can, and store the outcomes.

        `distances`: how far each reward is from the human one, None where that is not known.
        """
        pairs = list(zip(candidates, distances, strict=True))
        groups = [pairs] if self._evaluator.trains_together else [[pair] for pair in pairs]
        outcomes: list[Outcome] = []
        for group in groups:
            if group:
                outcomes += self._train_group(group, champion)
        return outcomes

    def _train_group(
        self, pairs: Sequence[tuple[Candidate, float | None]], champion: Outcome | None
    ) -> list[Outcome]:
        """Train and evaluate candidates, and store all outcomes at once."""
        started = time.monotonic()
        candidates = [candidate for candidate, _ in pairs]
        rewards = [
            JobReward(each.name, each.reward, self._initial_policies.of(each), races=True)
            for each in candidates
        ]
        trained = self._evaluator.train(rewards, candidates, champion)
        finished: list[tuple[Outcome, bytes | None]] = []
        for (candidate, distance), result in zip(pairs, trained, strict=True):
            outcome = Outcome.of(result, candidate=candidate)
            if outcome.evaluation is not None:
                outcome = replace(outcome, distance_to_human=distance)
            finished.append((self.reflected(outcome), result.policy))
        replays = {result.name: result.replay for result in trained}
        self._store.save_outcomes(finished, replays=replays, seconds=time.monotonic() - started)
        return [outcome for outcome, _ in finished]

    def reflected(self, outcome: Outcome) -> Outcome:
        """Return the outcome with what the next prompt says about it."""
        task = self._evaluator.task
        reflection = reflect(
            outcome,
            max_episode_steps=task.max_episode_steps,
            fitness_unit=task.fitness_unit if self._store.config.task.has_fitness else None,
            ends_early=task.ends_early,
        )
        return replace(outcome, reflection=reflection, sandbox=self._evaluator.sandbox.layers.held)
