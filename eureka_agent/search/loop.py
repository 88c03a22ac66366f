"""The search, top to bottom: propose, check, probe, train, evaluate, reflect, hear, select, and
again.

Eureka's loop (Ma et al., ICLR 2024, algorithm 1) with every step stored when it is done, so that a
run which was killed goes on where it stopped: what the store has is read, what it lacks is made.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace

from eureka_agent.errors import RewardFileError
from eureka_agent.prompting.reflection import reflect
from eureka_agent.proposers.base import Proposer
from eureka_agent.records import (
    INITIAL,
    Candidate,
    Completion,
    Failure,
    Feedback,
    Generation,
    Outcome,
    Prompt,
)
from eureka_agent.runs.store import Store
from eureka_agent.search.evaluator import Evaluator, measure_baselines
from eureka_agent.search.events import (
    CandidateSkipped,
    GenerationFinished,
    GenerationStarted,
    InitialRewardEvaluated,
    Listener,
)
from eureka_agent.search.feedback import FeedbackRequest, Judge, checked
from eureka_agent.search.proposals import Proposals
from eureka_agent.search.reevaluation import reevaluate
from eureka_agent.search.screening import PreparedCandidate, Screening
from eureka_agent.search.selection import best_so_far

_Answers = tuple[Mapping[int, Prompt], Sequence[Completion]]
"""The prompts of an attempt by sample, and what was answered."""


class Search:
    """One run of the loop. `judge` is asked after each generation; where the wish has no fitness,
    it alone decides."""

    def __init__(
        self,
        store: Store,
        proposer: Proposer,
        evaluator: Evaluator,
        emit: Listener,
        judge: Judge | None = None,
    ) -> None:
        self.store, self.evaluator = store, evaluator
        self.config = store.config
        self._proposals = Proposals(store, proposer, evaluator.task, emit)
        self._screening = Screening(store, evaluator)
        self._emit, self._judge = emit, judge
        self._started = time.monotonic()
        self._out_of_time = ""
        self.best: Outcome | None = None
        """The best candidate so far."""

    def run(self) -> Iterator[Generation]:
        """Yield each generation as it finishes; none begins any more when a limit of the run is
        reached."""
        early = self._ask_early()
        if self.config.baselines and self.config.has_fitness:
            measure_baselines(self.store, self.evaluator, self._emit)
        history = self._start()
        self.best = self._best(history)
        for g in range(self.config.generations):
            outcomes = self._generation(g, history, early if g == 0 else None)
            if not outcomes:  # the limit left no room for any
                break
            history += outcomes
            said = self._ask_judge(g, outcomes, history)
            self.best = self._best(history)
            generation = Generation(g, tuple(outcomes), self.best, said)
            self._emit(GenerationFinished(generation))
            yield generation
            if said is not None and said.stop:
                break
            if g + 1 < self.config.generations and (self._time_is_over() or self.stopped):
                break
        if self.best is not None and self.config.final_seeds:
            reevaluate(self.store, self.evaluator, self.best, self._emit, enough=self._time_is_over)

    @property
    def stopped(self) -> str:
        """Which limit ended the run before all was done, in one sentence; empty when none did."""
        return self._proposals.stopped or self._out_of_time

    def _time_is_over(self) -> bool:
        limit, minutes = self.config.max_wall_min, (time.monotonic() - self._started) / 60.0
        if limit is not None and minutes >= limit:
            self._out_of_time = f"--max-wall-min {limit:g} is over ({minutes:.0f} minutes)."
        return bool(self._out_of_time)

    def _start(self) -> list[Outcome]:
        """Try out the reward that the search was given to start from, as any candidate; there may
        be none."""
        given = self._proposals.start()
        if given is None:
            return []
        (outcome,) = self._try_out(INITIAL, {}, [given], None)
        if outcome.failure is not None:
            raise RewardFileError(
                f"The search cannot start from {self.config.initial_reward}:"
                f" {outcome.failure.message}"
            )
        self._emit(InitialRewardEvaluated(outcome))
        return [outcome]

    def _ask_early(self) -> _Answers | None:
        """Ask for the first generation before anything is trained, so that trouble with a model is
        known by then.

        Models that write none of its samples are tried out with a short request each, and all are
        where the first prompt has to tell of the reward that the search starts from; then it is
        None.
        """
        first = self._ask(0, 0, ()) if self.config.initial_reward is None else None
        if not self.store.outcomes() and not self.store.baselines():
            self._proposals.try_out(first[1] if first else ())
        return first

    def _ask(self, g: int, attempt: int, known: Sequence[Outcome]) -> _Answers:
        """Return an attempt's prompts and their answers."""
        prompts = self._proposals.prompts(g, attempt, known, self._best)
        self._emit(GenerationStarted(g, attempt))
        return prompts, self._proposals.ask(g, prompts)

    def _generation(
        self, g: int, history: Sequence[Outcome], early: _Answers | None
    ) -> list[Outcome]:
        """Ask for candidates and try them out, until at least one could be trained. `early`: what
        is asked already."""
        outcomes: list[Outcome] = []
        champion = self._best(history)
        for attempt in range(self.config.attempts):
            asked = early if early and not attempt else self._ask(g, attempt, (*history, *outcomes))
            outcomes += self._try_out(g, *asked, champion)
            if (
                any(outcome.evaluation for outcome in outcomes)
                or self._time_is_over()
                or self.stopped
            ):
                break
        return outcomes

    # -------------------- check, probe, train, evaluate, reflect
    def _try_out(
        self,
        g: int,
        prompts: Mapping[int, Prompt],
        completions: Sequence[Completion],
        champion: Outcome | None,
    ) -> list[Outcome]:
        """Find out what each completion is worth; a failure costs only itself. `prompts`: what each
        answers."""
        known = {outcome.candidate.index: outcome for outcome in self.store.outcomes(g)}
        outcomes = [known[c.index] for c in completions if c.index in known]
        new = [completion for completion in completions if completion.index not in known]
        with ExitStack() as open_rewards:
            ready, failed = self._seal(g, prompts, new, open_rewards)
            outcomes += [self._keep(outcome) for outcome in failed]
            originals, repeats = self._screening.deduplicate(ready)
            accepted, refused = self._screening.screen(originals)
            outcomes += [self._keep(outcome) for outcome in refused]
            outcomes += self._train(accepted, champion)
            outcomes += [
                self._repeat(candidate, duplicate_of) for candidate, duplicate_of in repeats
            ]
        return sorted(outcomes, key=lambda outcome: outcome.candidate.index)

    def _seal(
        self,
        g: int,
        prompts: Mapping[int, Prompt],
        completions: Sequence[Completion],
        open_rewards: ExitStack,
    ) -> tuple[list[PreparedCandidate], list[Outcome]]:
        """Return who passes checks and probe, and who fails for good: an answer may be sent back
        before that."""
        ready: list[PreparedCandidate] = []
        failed: dict[int, Outcome] = {}
        while completions:
            for completion in completions:
                sealed = self.evaluator.seal(Candidate(g, completion, None), open_rewards)
                if isinstance(sealed, Outcome):
                    failed[completion.index] = sealed
                else:
                    failed.pop(completion.index, None)
                    self.store.save_check(sealed[0])
                    ready.append(sealed)
            again = [
                failed[completion.index] for completion in completions if completion.index in failed
            ]
            completions = self._proposals.repair(g, prompts, again)
        # In the order of the samples, whoever was sent back: of two that compute the same, the
        # first is trained.
        return sorted(ready, key=lambda pair: pair[0].index), list(failed.values())

    def _repeat(self, candidate: Candidate, duplicate_of: str) -> Outcome:
        """Give a candidate what came of its twin; training is deterministic, so its own would end
        in the same."""
        original = next(
            outcome for outcome in self.store.outcomes() if outcome.candidate.name == duplicate_of
        )
        policy = self.store.policy(original.candidate.generation, original.candidate.index)
        outcome = replace(original, candidate=candidate, duplicate_of=duplicate_of)
        self.store.save_outcomes([(outcome, policy)])
        self._emit(CandidateSkipped(outcome))
        return outcome

    def _train(self, ready: Sequence[PreparedCandidate], champion: Outcome | None) -> list[Outcome]:
        """Train the candidates side by side, or one after the other if the trainer does, and store
        each part."""
        parts = [ready] if self.config.trainer == "population" else [[each] for each in ready]
        return [
            outcome for part in parts if part for outcome in self._train_together(part, champion)
        ]

    def _train_together(
        self, ready: Sequence[PreparedCandidate], champion: Outcome | None
    ) -> list[Outcome]:
        """Train candidates, racing each other and the best if the run does, evaluate them, and
        store all at once."""
        started = time.monotonic()
        candidates = [candidate for candidate, _ in ready]
        evaluator = self.evaluator.train(
            [c.name for c in candidates], [reward for _, reward in ready], candidates, champion
        )
        finished = []
        for (candidate, reward), trial in zip(ready, evaluator, strict=True):
            failure = Failure("training", str(trial.result.error)) if trial.result.error else None
            outcome = self._reflected(
                Outcome(candidate, failure, trial.result.record, trial.evaluation)
            )
            if outcome.evaluation:
                outcome = replace(
                    outcome, distance_to_human=self._screening.distance_to_human(reward)
                )
            finished.append(
                (outcome, trial.result.policy.to_bytes() if trial.result.policy else None)
            )
        self.store.save_outcomes(finished, seconds=time.monotonic() - started)
        return [outcome for outcome, _ in finished]

    def _keep(self, outcome: Outcome) -> Outcome:
        outcome = self._reflected(outcome)
        self.store.save_outcomes([(outcome, None)])
        self._emit(CandidateSkipped(outcome))
        return outcome

    def _reflected(self, outcome: Outcome) -> Outcome:
        task = self.evaluator.task
        unit = task.fitness_unit if self.config.has_fitness else None
        words = reflect(
            outcome,
            max_episode_steps=task.max_episode_steps,
            fitness_unit=unit,
            ends_early=task.ends_early,
        )
        return replace(outcome, reflection=words, sandbox=self.evaluator.sandbox.layers.held)

    # ------------------------------------------------------------------ hear, select
    def _ask_judge(
        self, g: int, outcomes: Sequence[Outcome], history: Sequence[Outcome]
    ) -> Feedback | None:
        """Return what the judge says of a generation, asked once; None without judge or anything to
        look at."""
        said = self.store.feedback().get(g)
        trained = [outcome for outcome in outcomes if outcome.evaluation]
        if said is not None or self._judge is None or not trained or self.store.asked(g + 1):
            return said
        task, config = self.evaluator.task, self.config
        best = self._best([outcome for outcome in history if outcome.candidate.generation < g])
        built_on = {asked.parents[0] for asked in self.store.asked(g) if asked.parents}
        rivals = tuple(
            o for o in history if o.candidate.name in built_on and o not in (best, *outcomes)
        )
        shown = [outcome.candidate for outcome in (best, *rivals, *trained) if outcome]
        policies = {c.name: self.store.policy(c.generation, c.index) or b"" for c in shown}
        request = FeedbackRequest(
            task,
            config.instruction(task),
            config.has_fitness,
            g,
            tuple(outcomes),
            best,
            rivals,
            policies,
        )
        said = checked(self._judge(request), request, history)
        self.store.save_feedback(said)
        return said

    def _best(self, history: Sequence[Outcome]) -> Outcome | None:
        return best_so_far(history, self.store.feedback(), has_fitness=self.config.has_fitness)
