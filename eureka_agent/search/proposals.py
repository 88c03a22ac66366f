"""Turn the strategy's plans into prompts and the prompts into completions, and store both."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from eureka_agent.errors import EmptyAnswersError, LimitReachedError
from eureka_agent.extract.files import load_reward_file
from eureka_agent.prompting.examples import choose_examples
from eureka_agent.prompting.facts import RunFacts
from eureka_agent.prompting.prompt import fenced, repair_prompt, write_prompt
from eureka_agent.proposers.base import Proposer
from eureka_agent.proposers.chat import PROMPT_ERRORS, ChatProposer, refused_completion
from eureka_agent.proposers.grammar import GrammarProposer
from eureka_agent.records import (
    INITIAL,
    Completion,
    Example,
    Outcome,
    Prompt,
    PromptRecord,
    candidate_name,
)
from eureka_agent.runs.store import Store
from eureka_agent.search.estimates import estimates_of
from eureka_agent.search.events import CompletionReceived, Listener, RepairRequested
from eureka_agent.search.state_figures import figures_of
from eureka_agent.search.strategies import Best, Plan, make_strategy
from eureka_agent.tasks.task import Task
from eureka_agent.training.budgets import training_budget

JUDGE = "judge"
"""The proposer of a reward that a judge wrote."""
_CUT_OFF = "The answer was cut off at the token limit and has to be shorter, thoughts included."


class Proposals:
    """Asks a run's proposer for completions, stores them, and asks for none twice."""

    def __init__(self, store: Store, proposer: Proposer, task: Task, emit: Listener) -> None:
        self._store = store
        self._proposer = proposer
        self._task = task
        self._emit = emit
        self._config = store.config
        self._strategy = make_strategy(self._config)
        self.stopped: str | None = None
        """Which limit left no room for another request, in one sentence; None if none did."""

    def initial_reward(self) -> Completion | None:
        """Return the initial reward as a completion, or None if the search has none.

        A file is read once; later the stored reward is used. Raises RewardFileError.
        """
        stored = self._store.completions(INITIAL).get(0)
        if stored is not None or self._config.search.initial_reward is None:
            return stored
        if self._config.search.initial_reward == "human":
            code = self._task.human_reward
        else:
            code = load_reward_file(self._config.search.initial_reward, self._task).code
        initial = Completion(0, fenced(code), "given", cost_usd=0.0)
        self._store.save_completion(INITIAL, initial)
        return initial

    def test_models(self, completions: Iterable[Completion]) -> None:
        """Send a short request to each model that wrote none of `completions`.

        Raises ProposerError.
        """
        if isinstance(self._proposer, ChatProposer) and not self.stopped:
            writers = {completion.proposer for completion in completions}
            self._proposer.try_out([name for name in self._proposer.models if name not in writers])

    # ------------------------------------------------------------------ prompts
    def prompts(
        self, g: int, attempt: int, history: Sequence[Outcome], best: Best
    ) -> dict[int, Prompt]:
        """Return an attempt's prompts by sample index, as the strategy plans them.

        A stored prompt keeps its messages. `history`: every outcome so far, including those of
        earlier attempts at this generation.
        """
        first = attempt * self._config.search.samples
        stored = {
            record.prompt_index: record
            for record in self._store.prompts(g)
            if record.attempt == attempt
        }
        before = [
            outcome
            for outcome in history
            if outcome.candidate.generation < g and self._may_be_shown(outcome)
        ]
        failed = [outcome for outcome in history if outcome.candidate.generation == g]
        run = tuple(self._visible((*before, *failed)))
        prompts: dict[int, Prompt] = {}
        facts = self._facts(before)
        plans = self._strategy(g, self._config.search.samples, before, best)
        commented = self._commented_but_unplanned(g, plans, before)
        for number, plan in enumerate(plans):
            prompt = replace(self._prompt(g, plan, failed, commented, facts), run=run)
            samples = tuple(first + place for place in plan.samples)
            if number in stored:
                prompt = replace(prompt, messages=stored[number].messages)
            else:
                parents = tuple(parent.candidate.name for parent in plan.parents)
                self._store.save_prompt(
                    PromptRecord(g, attempt, number, samples, prompt.messages, parents)
                )
            prompts |= dict.fromkeys(samples, prompt)
        return dict(sorted(prompts.items()))

    def _may_be_shown(self, outcome: Outcome) -> bool:
        hidden = self._config.search.hide_initial_reward
        return not (hidden and outcome.candidate.is_initial)

    def _commented_but_unplanned(
        self, g: int, plans: Sequence[Plan], before: Sequence[Outcome]
    ) -> list[Outcome]:
        """Return candidates that the latest feedback comments on but that no plan includes.

        This happens after a restart; their comments still have to reach the prompt.
        """
        feedback = self._store.feedback().get(g - 1)
        comments = feedback.words if feedback else {}
        planned = {
            outcome.candidate.name for plan in plans for outcome in (*plan.history, *plan.parents)
        }
        return [o for o in before if o.candidate.name in comments.keys() - planned]

    def _visible(self, outcomes: Iterable[Outcome]) -> list[Outcome]:
        """Return outcomes without what no proposer may know.

        That is the distance to the human reward, and a fitness that does not measure the
        instruction.
        """
        visible = [replace(_explained(o), distance_to_human=None) for o in outcomes]
        if self._config.task.has_fitness:
            return visible
        return [outcome.without_fitness() for outcome in visible]

    def _facts(self, before: Sequence[Outcome]) -> RunFacts:
        """Return what the prompts of a generation tell about the run."""
        training = self._config.training
        estimates = {}
        if self._config.task.has_fitness:
            estimates = estimates_of(before, self._store.baselines())
        # The grammar reads no text, so that the seconds for the figures would be lost.
        reads_text = not isinstance(self._proposer, GrammarProposer)
        return RunFacts(
            budget=training_budget(self._config, self._task),
            algorithm=training.algorithm,
            figures=figures_of(self._store, self._task) if reads_text else None,
            estimates=estimates,
            built_on={
                candidate_name(record.generation, sample): record.parents[0]
                for record in self._store.prompts()
                for sample in record.samples
                if record.parents
            },
        )

    def _prompt(
        self,
        g: int,
        plan: Plan,
        failed: Iterable[Outcome],
        commented: Iterable[Outcome],
        facts: RunFacts,
    ) -> Prompt:
        """Write a plan's prompt."""
        history = self._visible((*plan.history, *failed))
        parents = self._visible(plan.parents)
        others = self._visible(commented)
        names = {outcome.candidate.name for outcome in (*history, *parents, *others)}
        # Only earlier feedback, since a resumed run has later feedback, too; and only on candidates
        # of this plan, since the strategy may hide the others.
        feedback = [
            each.about(names) for each in self._store.feedback().values() if each.generation < g
        ]
        return write_prompt(
            self._task,
            self._config.task.instruction(self._task),
            g,
            parents,
            history,
            feedback,
            spoken_of=others,
            role=plan.role,
            examples=examples_of(self._store, self._task),
            asked_as=self._config.task.asked_as(self._task),
            facts=facts,
        )

    # ------------------------------------------------------------------ completions
    def ask(self, g: int, prompts: dict[int, Prompt]) -> list[Completion]:
        """Return the completions in the order of the samples.

        When a limit is reached, only the completions up to then are returned. If the proposer
        refuses some prompts and others were answered (also before a resume), the refused samples
        are failures. Raises EmptyAnswersError if all completions are empty; a resumed run asks for
        these again.
        """
        stored = self._store.completions(g)
        have = {index: stored[index] for index in stored if index in prompts}
        if len(have) == len(prompts) and not _any_text(have.values()):
            have = {}
        missing = {index: prompt for index, prompt in prompts.items() if index not in have}
        for completion in have.values():
            self._emit(CompletionReceived(g, completion))
        try:
            for completion in self._completions(g, missing):
                have[completion.index] = completion
        except PROMPT_ERRORS as error:
            if not _any_text(have.values()):
                raise
            for index in missing.keys() - have.keys():
                refused = refused_completion(index, self._proposer.name, error)
                have[index] = self._save_completion(g, refused)
        if not self.stopped and not _any_text(have.values()):
            raise EmptyAnswersError(
                f"Every answer of {self._proposer.name} was empty ({len(prompts)} requested): send"
                " it a request by hand, and check that it writes text and that its server allows"
                " more tokens than its reasoning takes."
            )
        return [have[index] for index in prompts if index in have]

    def edited(self, g: int) -> list[Completion]:
        """Return the rewards that the judge wrote after the generation before `g`, as completions.

        Their samples come after those of every attempt. They are stored, and not sent back when
        they fail.
        """
        feedback = self._store.feedback().get(g - 1)
        if feedback is None or not feedback.edited:
            return []
        stored = self._store.completions(g)
        first = self._config.search.attempts * self._config.search.samples
        completions = []
        for index, code in enumerate(feedback.edited.values(), first):
            completion = stored.get(index) or Completion(index, fenced(code), JUDGE, cost_usd=0.0)
            if index not in stored:
                self._store.save_completion(g, completion)
            self._emit(CompletionReceived(g, completion))
            completions.append(completion)
        return completions

    def repair(
        self, g: int, prompts: Mapping[int, Prompt], failed: Sequence[Outcome]
    ) -> list[Completion]:
        """Send completions that failed before training back, each with its reason.

        Returns the completions that replace them. Each is sent back `--repairs` times at most. A
        failure stays if a limit or the model's context leaves no room, if a content filter refuses
        the request, or if it is the initial reward.
        """
        most = 0 if self.stopped else self._config.models.repairs
        repair_prompts: dict[int, Prompt] = {}
        for outcome in failed:
            candidate, completion = outcome.candidate, outcome.candidate.completion
            ours = candidate.index not in prompts  # the initial reward, or a judge's
            if completion.repair < most and not ours and not completion.error:
                prompt = prompts[candidate.index]
                repair_prompts[candidate.index] = self._repair_prompt(prompt, outcome)
        repaired: list[Completion] = []
        with suppress(*PROMPT_ERRORS):
            repaired.extend(self._completions(g, repair_prompts))  # keeps what came before an error
        return repaired

    def _repair_prompt(self, prompt: Prompt, failed: Outcome) -> Prompt:
        """Return the prompt that sends a completion back; a stored one keeps its messages."""
        candidate, samples = failed.candidate, self._config.search.samples
        prompt = repair_prompt(prompt, _explained(failed))
        stored = next(
            (
                record
                for record in self._store.prompts(candidate.generation)
                if record.repair == prompt.repair and candidate.index in record.samples
            ),
            None,
        )
        if stored is not None:
            prompt = replace(prompt, messages=stored.messages)
        else:
            attempt, place = divmod(candidate.index, samples)
            record = PromptRecord(
                candidate.generation,
                attempt,
                prompt_index=prompt.repair * samples + place,  # above those of the plans
                samples=(candidate.index,),
                messages=prompt.messages,
                parents=tuple(parent.candidate.name for parent in prompt.parents),
                repair=prompt.repair,
            )
            self._store.save_prompt(record)
        self._emit(RepairRequested(failed))
        return prompt

    def _completions(self, g: int, prompts: Mapping[int, Prompt]) -> Iterator[Completion]:
        """Yield and store completions as they arrive, until a limit leaves no room for more."""
        try:
            for completion in self._proposer.propose(prompts) if prompts else ():
                repair = prompts[completion.index].repair
                # With an error, the completion that was sent back stays.
                if not (repair and completion.error):
                    yield self._save_completion(g, replace(completion, repair=repair))
        except LimitReachedError as limit:
            self.stopped = str(limit)

    def _save_completion(self, g: int, completion: Completion) -> Completion:
        self._store.save_completion(g, completion)
        self._emit(CompletionReceived(g, completion))
        return completion


def examples_of(store: Store, task: Task) -> tuple[Example, ...]:
    """Return the examples of a run's prompts, chosen once and stored. Raises UsageError."""
    examples = store.examples
    if not examples and (examples := choose_examples(store.config, task)):
        store.save_examples(examples)
    return examples


def _any_text(completions: Iterable[Completion]) -> bool:
    """Whether a model wrote anything; a repaired sample had text before."""
    return any(c.text.strip() or c.repair for c in completions)


def _explained(outcome: Outcome) -> Outcome:
    """Return the outcome; if its completion was cut off, its failure mentions that."""
    failure = outcome.failure
    if (
        failure is None
        or failure.stage not in ("extract", "check")
        or not outcome.candidate.completion.truncated
    ):
        return outcome
    return replace(outcome, failure=replace(failure, message=f"{_CUT_OFF} {failure.message}"))
