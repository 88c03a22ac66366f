"""A generation's completions: the strategy's plans become prompts, the prompts completions, and all
of it is stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from eureka_agent.errors import EmptyAnswersError, LimitReachedError
from eureka_agent.extract.files import load_reward_file
from eureka_agent.prompting.examples import choose_examples
from eureka_agent.prompting.prompt import fenced, repair_prompt, write_prompt
from eureka_agent.proposers.base import Proposer
from eureka_agent.proposers.chat import PROMPT_ERRORS, ChatProposer, refused_completion
from eureka_agent.records import INITIAL, Completion, Example, Outcome, Prompt, PromptRecord
from eureka_agent.runs.store import Store
from eureka_agent.search.events import CompletionReceived, Listener, RepairRequested
from eureka_agent.search.strategies import Best, Plan, make_strategy
from eureka_agent.tasks.task import Task

_CUT_OFF = "The answer was cut off at the token limit and has to be shorter, thoughts included."


class Proposals:
    """Asks a run's proposer, and nothing twice: what the store has is read, what it lacks is asked
    for."""

    def __init__(self, store: Store, proposer: Proposer, task: Task, emit: Listener) -> None:
        self._store, self._proposer, self._task, self._emit = store, proposer, task, emit
        self._config = store.config
        self._strategy = make_strategy(self._config)
        self.stopped = ""
        """Which limit left no room for another request, in one sentence; empty when none did."""

    def start(self) -> Completion | None:
        """Return the reward that the search was given, as an answer; None where it starts from
        nothing.

        A file is read once: what the store has stays. Raises RewardFileError.
        """
        known = self._store.completions(INITIAL).get(0)
        if known is not None or self._config.initial_reward is None:
            return known
        if self._config.initial_reward == "human":
            code = self._task.human_reward
        else:
            code = load_reward_file(self._config.initial_reward, self._task).code
        given = Completion(0, fenced(code), "given", cost_usd=0.0)
        self._store.save_completion(INITIAL, given)
        return given

    def try_out(self, answered: Iterable[Completion]) -> None:
        """Send a short request to each model that wrote none of the completions. Raises
        ProposerError."""
        if isinstance(self._proposer, ChatProposer) and not self.stopped:
            writers = {completion.proposer for completion in answered}
            self._proposer.try_out([name for name in self._proposer.models if name not in writers])

    def prompts(
        self, g: int, attempt: int, history: Sequence[Outcome], best: Best
    ) -> dict[int, Prompt]:
        """Return an attempt's prompts by sample, each as the strategy plans it; once stored, its
        words stay.

        `history`: every outcome so far, those of the attempts before at this generation among them.
        """
        first = attempt * self._config.samples
        known = {
            asked.prompt_index: asked for asked in self._store.asked(g) if asked.attempt == attempt
        }
        before = [outcome for outcome in history if outcome.candidate.generation < g]
        failed = [outcome for outcome in history if outcome.candidate.generation == g]
        prompts: dict[int, Prompt] = {}
        plans = self._strategy(g, self._config.samples, before, best)
        unknown = self._spoken_of(g, plans, before)
        for number, plan in enumerate(plans):
            prompt = replace(
                self._prompt(g, plan, failed, unknown), run=tuple(self._told((*before, *failed)))
            )
            samples = tuple(first + place for place in plan.samples)
            if number in known:
                prompt = replace(prompt, messages=known[number].messages)
            else:
                parents = tuple(parent.candidate.name for parent in plan.parents)
                self._store.save_prompt(
                    PromptRecord(g, attempt, number, samples, prompt.messages, parents)
                )
            prompts |= dict.fromkeys(samples, prompt)
        return dict(sorted(prompts.items()))

    def _spoken_of(self, g: int, plans: Sequence[Plan], before: Sequence[Outcome]) -> list[Outcome]:
        """Return whom the last words are on but no plan knows, after a restart: what a person says
        is always told."""
        words = said.words if (said := self._store.feedback().get(g - 1)) else {}
        known = {
            outcome.candidate.name for plan in plans for outcome in (*plan.history, *plan.parents)
        }
        return [o for o in before if o.candidate.name in words and o.candidate.name not in known]

    def _told(self, outcomes: Iterable[Outcome]) -> list[Outcome]:
        """Leave out what no proposer may know: the human reward, and a fitness that is not the
        wish's."""
        told = [replace(_explained(outcome), distance_to_human=None) for outcome in outcomes]
        return told if self._config.has_fitness else [outcome.without_fitness() for outcome in told]

    def _prompt(
        self, g: int, plan: Plan, failed: Iterable[Outcome], spoken_of: Iterable[Outcome]
    ) -> Prompt:
        """Write a plan's prompt."""
        told, parents = self._told((*plan.history, *failed)), self._told(plan.parents)
        others = self._told(spoken_of)
        names = {outcome.candidate.name for outcome in (*told, *parents, *others)}
        # A resumed run knows more than was said then, and a strategy's samples need not know of all
        # candidates.
        said = [
            said.about(names) for said in self._store.feedback().values() if said.generation < g
        ]
        instruction, examples = (
            self._config.instruction(self._task),
            examples_of(self._store, self._task),
        )
        return write_prompt(
            self._task,
            instruction,
            g,
            parents,
            told,
            said,
            spoken_of=others,
            operator=plan.operator,
            examples=examples,
            asked_as=self._config.asked_as(self._task),
        )

    def ask(self, g: int, prompts: dict[int, Prompt]) -> list[Completion]:
        """Return the completions in the order of the samples.

        When a limit is reached, those that were paid for are all that there will be. Raises
        EmptyAnswersError when all of them are empty; a resumed run asks for these again. What is
        refused for its prompt is one more failed sample when others were answered, be it before a
        resume.
        """
        have = {
            i: completion for i, completion in self._store.completions(g).items() if i in prompts
        }
        if len(have) == len(prompts) and not _any_text(have.values()):
            have = {}
        missing = {i: prompt for i, prompt in prompts.items() if i not in have}
        for completion in have.values():
            self._emit(CompletionReceived(g, completion))
        try:
            for completion in self._answers(g, missing):
                have[completion.index] = completion
        except PROMPT_ERRORS as refused:
            if not _any_text(have.values()):
                raise
            for index in missing.keys() - have.keys():
                have[index] = self._kept(g, refused_completion(index, self._proposer.name, refused))
        if not self.stopped and not _any_text(have.values()):
            raise EmptyAnswersError(
                f"Every answer of {self._proposer.name} was empty ({len(prompts)} asked): ask it"
                " something by hand, and check that it writes text and that its server leaves room"
                " for more than its thoughts."
            )
        return [have[i] for i in prompts if i in have]

    def repair(
        self, g: int, prompts: Mapping[int, Prompt], failed: Sequence[Outcome]
    ) -> list[Completion]:
        """Send answers that failed before training back, each with its reason, and return what came
        in their place.

        An answer is sent back `--repairs` times at most. Those for which a limit or the model's
        context leaves no room, or which a content filter refuses, stay as they are, and so does
        what nobody proposed.
        """
        most = 0 if self.stopped else self._config.repairs
        hopeful = [
            o for o in failed if o.candidate.completion.repair < most and not o.candidate.is_initial
        ]
        hopeful = [o for o in hopeful if not o.candidate.completion.error]
        again = {o.candidate.index: self._sent_back(prompts[o.candidate.index], o) for o in hopeful}
        repaired: list[Completion] = []
        with suppress(*PROMPT_ERRORS):
            repaired.extend(self._answers(g, again))  # keeps what came before the error
        return repaired

    def _sent_back(self, prompt: Prompt, failed: Outcome) -> Prompt:
        """Return the prompt that sends an answer back; once stored, its words stay."""
        candidate, samples = failed.candidate, self._config.samples
        prompt = repair_prompt(prompt, _explained(failed))
        stored = [a for a in self._store.asked(candidate.generation) if a.repair == prompt.repair]
        known = next((asked for asked in stored if candidate.index in asked.samples), None)
        if known is not None:
            prompt = replace(prompt, messages=known.messages)
        else:
            attempt, place = divmod(candidate.index, samples)
            parents = tuple(parent.candidate.name for parent in prompt.parents)
            number = prompt.repair * samples + place  # beyond the attempt's plans
            asked = PromptRecord(
                candidate.generation,
                attempt,
                number,
                (candidate.index,),
                prompt.messages,
                parents,
                prompt.repair,
            )
            self._store.save_prompt(asked)
        self._emit(RepairRequested(failed))
        return prompt

    def _answers(self, g: int, prompts: Mapping[int, Prompt]) -> Iterator[Completion]:
        """Yield the completions as they arrive, stored; when a limit leaves no room for more, no
        more."""
        try:
            for completion in self._proposer.propose(prompts) if prompts else ():
                repair = prompts[completion.index].repair
                if not (repair and completion.error):  # then the answer that was sent back stays
                    yield self._kept(g, replace(completion, repair=repair))
        except LimitReachedError as limit:
            self.stopped = str(limit)

    def _kept(self, g: int, completion: Completion) -> Completion:
        """Store a completion and tell of it."""
        self._store.save_completion(g, completion)
        self._emit(CompletionReceived(g, completion))
        return completion


def examples_of(store: Store, task: Task) -> tuple[Example, ...]:
    """Return the examples that a run's prompts show; chosen once, for what the store has stays.
    Raises UsageError."""
    examples = store.examples
    if not examples and (examples := choose_examples(store.config, task)):
        store.save_examples(examples)
    return examples


def _any_text(completions: Iterable[Completion]) -> bool:
    """Whether a model wrote anything; before a repair it did."""
    return any(c.text.strip() or c.repair for c in completions)


def _explained(outcome: Outcome) -> Outcome:
    """Return an outcome whose failure says that the answer was cut off, where it was: it may be the
    reason."""
    failure = outcome.failure
    if (
        failure is None
        or failure.stage not in ("extract", "check")
        or not outcome.candidate.completion.truncated
    ):
        return outcome
    return replace(outcome, failure=replace(failure, message=f"{_CUT_OFF} {failure.message}"))
