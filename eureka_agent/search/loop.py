"""The search from top to bottom: propose, check, train, evaluate, reflect, judge, select, repeat.

This is Eureka's loop (Ma et al., ICLR 2024, algorithm 1). Every step is stored when it is done, so
a run that was killed continues where it stopped: what the store holds is read, the rest is made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial

from eureka_agent.errors import RewardFileError
from eureka_agent.proposers.base import Proposer
from eureka_agent.records import INITIAL, Completion, Generation, Outcome, Prompt
from eureka_agent.runs.store import Store
from eureka_agent.search.baselines import measure_baselines
from eureka_agent.search.evaluator import Evaluator
from eureka_agent.search.events import (
    GenerationFinished,
    GenerationStarted,
    InitialRewardEvaluated,
    Listener,
)
from eureka_agent.search.feedback import Judge
from eureka_agent.search.intensify import Intensifier
from eureka_agent.search.judging import ask_judge
from eureka_agent.search.outcomes import OutcomeWriter
from eureka_agent.search.preparing import prepare_candidates
from eureka_agent.search.proposals import Proposals
from eureka_agent.search.reevaluation import reevaluate
from eureka_agent.search.screening import Screening
from eureka_agent.search.selection import best_so_far
from eureka_agent.search.time_limit import TimeLimit

_Answers = tuple[Mapping[int, Prompt], Sequence[Completion]]
"""The prompts of an attempt by sample index, and the completions."""


class Search:
    """One run of the loop."""

    def __init__(
        self,
        store: Store,
        proposer: Proposer,
        evaluator: Evaluator,
        emit: Listener,
        judge: Judge | None = None,
    ) -> None:
        """Create the search; `run` does the work.

        Args:
            store: The run's database, with its config. What it holds is not done again.
            proposer: Writes the rewards.
            evaluator: Checks, trains and evaluates them.
            emit: Called with every event.
            judge: Asked after each generation. Without a fitness for the instruction, its rankings
                alone choose the parents.
        """
        self.store = store
        self.evaluator = evaluator
        self.config = store.config
        self._emit = emit
        self._proposals = Proposals(store, proposer, evaluator.task, emit)
        self._screening = Screening(store, evaluator)
        self._outcomes = OutcomeWriter(store, evaluator, emit)
        self._intensifier = Intensifier(store, evaluator, self._outcomes, emit)
        self._ask_judge = partial(ask_judge, judge, store, evaluator.task, self._best, emit)
        self._time = TimeLimit(self.config.run.max_wall_min)
        self.best: Outcome | None = None
        """The best candidate so far."""

    def run(self) -> Iterator[Generation]:
        """Yield each generation when it is finished.

        No generation starts after a limit of the run is reached or the judge stops the search.

        Raises:
            ProposerError: The proposer failed for good.
            RewardFileError: The initial reward failed.
            StoreError: The database cannot be read or written.
            TaskError: The task's code failed.
        """
        first_answers = self._ask_before_training()
        if self.config.search.baselines and self.config.task.has_fitness:
            measure_baselines(self.store, self.evaluator, self._emit)
        history = self._evaluate_initial_reward()
        self.best = self._best(history)
        for g in range(self.config.search.generations):
            outcomes = self._generation(g, history, first_answers if g == 0 else None)
            if not outcomes:  # a limit left no room for any
                break
            self._intensifier.run(g, self._is_over)
            history = self.store.outcomes_until(g)
            outcomes = self.store.outcomes(g)
            feedback = self._ask_judge(g, outcomes, history)
            self.best = self._best(history)
            generation = Generation(g, tuple(outcomes), self.best, feedback)
            self._emit(GenerationFinished(generation))
            yield generation
            if feedback is not None and feedback.stop:
                break
            if g + 1 < self.config.search.generations and self._is_over():
                break
        if self.best is not None and self.config.search.final_seeds:
            reevaluate(self.store, self.evaluator, self.best, self._emit, enough=self._time.is_over)

    @property
    def stopped(self) -> str | None:
        """Which limit ended the run early, in one sentence; None if none did."""
        return self._proposals.stopped or self._time.reached

    # ------------------------------------------------------------------ propose
    def _ask_before_training(self) -> _Answers | None:
        """Ask for the first generation before anything trains, so that model errors show early.

        Models that write none of its samples get a short test request each. With an initial reward,
        whose training the first prompt reports, all models get one, and the result is None.
        """
        first = None if self.config.search.starts_from_reward else self._ask(0, 0, ())
        if not self.store.outcomes() and not self.store.baselines():
            self._proposals.test_models(first[1] if first else ())
        return first

    def _ask(self, g: int, attempt: int, history: Sequence[Outcome]) -> _Answers:
        """Return the prompts of an attempt at generation `g` and their completions."""
        prompts = self._proposals.prompts(g, attempt, history, self._best)
        self._emit(GenerationStarted(g, attempt))
        return prompts, self._proposals.ask(g, prompts)

    def _generation(
        self, g: int, history: Sequence[Outcome], first_answers: _Answers | None
    ) -> list[Outcome]:
        """Ask for candidates and evaluate them until at least one was trained.

        `first_answers`: answers to the first attempt, if it was asked already.
        """
        outcomes: list[Outcome] = []
        champion = self._best(history)
        for attempt in range(self.config.search.attempts):
            answers = first_answers if attempt == 0 else None
            prompts, completions = answers or self._ask(g, attempt, (*history, *outcomes))
            edited = self._proposals.edited(g) if attempt == 0 else []
            outcomes += self._evaluate(g, prompts, [*completions, *edited], champion)
            trained = any(outcome.evaluation for outcome in outcomes)
            if trained or self._is_over():
                break
        return outcomes

    def _evaluate_initial_reward(self) -> list[Outcome]:
        """Evaluate the initial reward like a candidate; return nothing if there is none."""
        initial = self._proposals.initial_reward()
        if initial is None:
            return []
        (outcome,) = self._evaluate(INITIAL, {}, [initial], None)
        if outcome.failure is not None:
            raise RewardFileError(
                f"The search cannot start from {self.config.search.initial_reward}:"
                f" {outcome.failure.message}"
            )
        self._emit(InitialRewardEvaluated(outcome))
        return [outcome]

    # ------------------------------------------------------------------ check, train, evaluate
    def _evaluate(
        self,
        g: int,
        prompts: Mapping[int, Prompt],
        completions: Sequence[Completion],
        champion: Outcome | None,
    ) -> list[Outcome]:
        """Return the outcome of each completion; a failure affects that candidate only.

        `prompts`: by sample index, for repairs. `champion`: the run's best, for races.
        """
        stored = {outcome.candidate.index: outcome for outcome in self.store.outcomes(g)}
        outcomes = [stored[c.index] for c in completions if c.index in stored]
        new = [completion for completion in completions if completion.index not in stored]
        with ExitStack() as open_rewards:
            prepared, failed = prepare_candidates(
                self.store, self.evaluator, self._proposals, g, prompts, new, open_rewards
            )
            outcomes += [self._outcomes.skip(outcome) for outcome in failed]
            originals, duplicates = self._screening.deduplicate(prepared)
            accepted, rejected = self._screening.screen(originals)
            outcomes += [self._outcomes.skip(outcome) for outcome in rejected]
            distances = [self._screening.distance_to_human(each.reward) for each in accepted]
        # The training opens the rewards again, wherever it runs.
        outcomes += self._outcomes.train([e.candidate for e in accepted], distances, champion)
        outcomes += [self._outcomes.copy(*duplicate) for duplicate in duplicates]
        return sorted(outcomes, key=lambda outcome: outcome.candidate.index)

    # ------------------------------------------------------------------ select
    def _best(self, history: Sequence[Outcome]) -> Outcome | None:
        return best_so_far(history, self.store.feedback(), has_fitness=self.config.task.has_fitness)

    def _is_over(self) -> bool:
        return self._time.is_over() or self.stopped is not None
