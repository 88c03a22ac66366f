"""Rewards from language models: several requests at a time, retried, within what the run may
spend."""

from __future__ import annotations

import asyncio
import queue
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace

from eureka_agent.errors import (
    AuthenticationError,
    ContextTooLongError,
    FilteredError,
    LimitReachedError,
    ProposerError,
    QuotaError,
    RateLimitedError,
    RefusedError,
    UnknownModelError,
)
from eureka_agent.proposers.answers import Answer
from eureka_agent.proposers.backend import event_loop
from eureka_agent.proposers.bandit import ModelSelector, WeightedSelector
from eureka_agent.proposers.model import Model, ServerProfile
from eureka_agent.proposers.refusals import late
from eureka_agent.proposers.retries import Retries
from eureka_agent.proposers.spending import NOTHING, Usage, UsageLimits
from eureka_agent.proposers.told import Adapted, AskedAgain, Told
from eureka_agent.records import Completion, Message, Prompt, candidate_name

FATAL_ERRORS = (AuthenticationError, UnknownModelError, QuotaError)
PROMPT_ERRORS = (ContextTooLongError, FilteredError)
"""Errors of one prompt with one model: to ask the same again is no use, and others may be
answered."""
_TRIAL = Prompt(0, (Message("user", "Say yes."),))
_TRIAL_TOKENS = 16
"""Some servers refuse a lower limit."""


@dataclass(frozen=True)
class _Request:
    """A sample to ask for, and how that went so far."""

    index: int
    name: str
    """What is asked for, for messages."""
    messages: Sequence[Message]
    model: Model
    worst: Usage = NOTHING
    """What is reserved for it, once it is sent."""
    siblings: tuple[_Request, ...] = ()
    """Samples with the same prompt that its further choices are for."""
    answers_before: int = 0
    """How many answers had come when it was sent."""
    at_once: int = 0
    """How many requests were allowed at a time then."""
    failures: int = 0
    unanswered: int = 0
    """Of the failures: those that may have been billed all the same."""
    pause_s: float = 0.0


class ChatProposer:
    """Asks for each sample with a request of its own, `concurrency` at a time.

    All that is decided (which model, whether there is money left, whether to ask again) is decided
    in the caller's thread; a loop in another thread only sends requests. No request goes on after
    `deadline_s`.
    """

    def __init__(
        self,
        models: Sequence[Model],
        *,
        choice: ModelSelector | None = None,
        spending: UsageLimits | None = None,
        retries: Retries | None = None,
        concurrency: int = 8,
        deadline_s: float = 600.0,
    ) -> None:
        """`choice`: which of several models writes a sample, by default each as many; `spending`:
        the limits."""
        self.name = ", ".join(model.name for model in models)
        self.models = {model.name: model for model in models}
        self.spending = spending or UsageLimits()
        self.concurrency, self.deadline_s = concurrency, deadline_s
        self.emit: Callable[[Told], None] = lambda told: None
        """Is called, in the thread that asks, with what happens on the way."""
        self.keep_habits: Callable[[dict[str, ServerProfile]], None] = lambda habits: None
        """Is called with what is known of each model whenever that changed."""
        self._choice = choice or WeightedSelector(dict.fromkeys(self.models, 1.0), seed=0)
        self._retries = retries or Retries()
        self._at_once = concurrency
        self._answers = 0

    def worst_case(self, messages: Sequence[Message]) -> Usage:
        """Return what a request takes at most, with the model that may take most."""
        cases = [model.worst_case(messages) for model in self.models.values()]
        return Usage(max(case.tokens for case in cases), max(case.usd for case in cases))

    def propose(self, prompts: Mapping[int, Prompt]) -> Iterator[Completion]:
        """Yield the completions as they arrive.

        A request that fails for good does not stop the others, unless the user has to mend it first
        (key, model name, credit): then no further one starts. One that is refused for its prompt
        (`PROMPT_ERRORS`) is an answer without a reward when others are answered, and an error when
        none is. The first error is raised after the last completion; LimitReachedError, which tells
        of it, when there was no room left for some of them.
        """
        waiting = deque(self._request(prompt, index) for index, prompt in prompts.items())
        under_way: dict[Future[list[Completion]], _Request] = {}
        done: queue.SimpleQueue[Future[list[Completion]]] = queue.SimpleQueue()
        errors: list[BaseException] = []
        refused: list[tuple[_Request, ProposerError]] = []
        answered = False
        try:
            while True:
                while request := self._next(waiting, len(under_way)):
                    future = asyncio.run_coroutine_threadsafe(self._attempt(request), event_loop())
                    under_way[future] = request
                    future.add_done_callback(done.put)
                if not under_way:
                    break
                future = done.get()
                request = under_way.pop(future)
                self._tell_adapted(request.model)
                error = future.exception()
                if error is None:
                    answered, choices = True, future.result()
                    yield from self._shared_out(request, choices, waiting)
                    self._settle(
                        request, choices[0]
                    )  # when it is kept: a run killed here counts the worst case
                elif again := self._again(request, error, len(under_way)):
                    waiting.appendleft(again)
                elif isinstance(error, PROMPT_ERRORS):
                    refused += [(each, error) for each in (request, *request.siblings)]
                else:
                    errors.append(error)
                    if isinstance(error, FATAL_ERRORS) or not isinstance(error, ProposerError):
                        waiting.clear()
                if answered:
                    yield from (
                        refused_completion(request.index, request.model.name, error)
                        for request, error in refused
                    )
                    refused.clear()
        finally:
            for future in under_way:
                future.cancel()
        if waiting:  # the limit ends the run in order, and an error before it must not hide that
            before = f" Before that, a request failed: {errors[0]}" if errors else ""
            room = self._no_room(waiting[0].model.worst_case(waiting[0].messages))
            raise LimitReachedError(room + before) from (errors[0] if errors else None)
        if errors := errors or [error for _, error in refused]:
            raise errors[0]

    def try_out(self, names: Collection[str]) -> None:
        """Send each model named a short request, so that what the user has to mend is known before
        any work.

        It counts against the limits; where they leave no room for it, it is left out. Raises
        ProposerError for a key, a name or an address that is wrong, an empty account, and a server
        that does not answer.
        """
        for name in names:
            brief = self.models[name].brief(_TRIAL_TOKENS)
            trial = ChatProposer(
                [brief],
                spending=self.spending,
                retries=self._retries,
                deadline_s=self.deadline_s,
            )
            trial.emit = self._told_of_trial(name)
            try:
                for _ in trial.propose({0: _TRIAL}):
                    pass
            except (LimitReachedError, RefusedError, ContextTooLongError, RateLimitedError):
                continue  # whatever is wrong with this request need not be wrong with a real one
            self.models[name].take_up(brief.profile)

    def _told_of_trial(self, name: str) -> Callable[[Told], None]:
        def emit(told: Told) -> None:
            self.emit(
                replace(told, sample=f"the test of {name}")
                if isinstance(told, AskedAgain)
                else told
            )

        return emit

    def _request(self, prompt: Prompt, index: int) -> _Request:
        model = self.models[self._choice(prompt, index)]
        return _Request(index, candidate_name(prompt.generation, index), prompt.messages, model)

    def _next(self, waiting: deque[_Request], running: int) -> _Request | None:
        """Take the request that is to be sent now from those waiting, and reserve what it may take;
        None: none is."""
        if not waiting or running >= self._at_once:
            return None
        worst = waiting[0].model.worst_case(waiting[0].messages)
        if not self.spending.reserve(worst):
            return None
        request = waiting.popleft()
        siblings = _alike(waiting, request, request.model.choices - 1 - len(request.siblings))
        return replace(
            request,
            worst=worst,
            siblings=(*request.siblings, *siblings),
            answers_before=self._answers,
            at_once=self._at_once,
        )

    def _shared_out(
        self, request: _Request, choices: Sequence[Completion], waiting: deque[_Request]
    ) -> Iterator[Completion]:
        """Yield a completion for each choice that there is a sample for; samples without one wait
        for their own."""
        asked = [request, *request.siblings]
        further = [choice for choice in choices[len(asked) :] if choice.text.strip()]
        waiting.extendleft(reversed(asked[len(choices) :]))
        asked = [*asked[: len(choices)], *_alike(waiting, request, len(further))]
        self._answers += 1
        for each, choice in zip(
            asked, [*choices[: 1 + len(request.siblings)], *further], strict=False
        ):
            yield replace(choice, index=each.index)

    async def _attempt(self, request: _Request) -> list[Completion]:
        """Send a request once, after its pause; return a completion for each choice of the
        answer."""
        await asyncio.sleep(request.pause_s)
        started, model = time.monotonic(), request.model
        try:
            async with asyncio.timeout(self.deadline_s):
                answer = await model.ask(request.messages)
        except TimeoutError as error:
            raise late(model.where) from error
        seconds = time.monotonic() - started
        return [_completion(request, choice, seconds) for choice in (answer, *answer.others)]

    def _settle(self, request: _Request, completion: Completion) -> None:
        """Count what an answer took; one that does not say so stays counted with its worst case."""
        used = request.model.used(completion)
        if used is not None:
            self.spending.settle(request.worst, used)

    def _again(self, request: _Request, error: BaseException, beside: int) -> _Request | None:
        """Return the request as it is to be asked again; None when that is no use. `beside`: those
        still under way."""
        if not isinstance(error, ProposerError):
            return None
        if not error.may_be_billed:
            self.spending.settle(request.worst, NOTHING)
        if error.late:
            self._ask_fewer(request, beside)
        failures, unanswered = request.failures + 1, request.unanswered + error.may_be_billed
        pause_s = self._retries.pause_s(error, failures, unanswered)
        if pause_s is None:
            return None
        last = failures + 1 if error.may_be_billed else self._retries.most + 1
        self.emit(AskedAgain(request.name, str(error), failures + 1, last, pause_s))
        return replace(request, failures=failures, unanswered=unanswered, pause_s=pause_s)

    def _ask_fewer(self, request: _Request, beside: int) -> None:
        """Lower the number of requests at a time after one was late: many servers answer one after
        the other.

        Half of those that were answered while it waited, or, where none was, of those under way. A
        request that was alone, or was sent before the last change, says nothing about the number.
        """
        meanwhile = self._answers - request.answers_before
        fewer = max(1, min(self._at_once, meanwhile or beside + 1) // 2)
        if request.at_once > self._at_once or fewer == self._at_once or not (meanwhile or beside):
            return
        self._at_once = fewer
        self.emit(
            Adapted(
                f"{request.model.where} did not answer {request.name} in time: {fewer}"
                f" {'request runs' if fewer == 1 else 'requests run'} at a time from now on"
                " (--concurrency)."
            )
        )

    def take_up(self, habits: Mapping[str, ServerProfile]) -> None:
        """Begin with what is known of the models."""
        for name in habits.keys() & self.models.keys():
            self.models[name].take_up(habits[name])

    def _tell_adapted(self, model: Model) -> None:
        if model.adapted:
            self.keep_habits({name: model.profile for name, model in self.models.items()})
        while model.adapted:
            self.emit(Adapted(model.adapted.popleft()))

    def _no_room(self, worst: Usage) -> str:
        return (
            f"{self.spending.exceeded_by(worst)} leaves no room for another request:"
            f" {self.spending.reserved} are spent, or reserved for requests whose answer did not"
            f" say what they took, and one more may take up to {worst}."
        )


def _alike(waiting: deque[_Request], request: _Request, most: int) -> list[_Request]:
    """Take up to `most` requests with the same prompt for the same model, not asked so far, from
    those waiting."""
    same = [
        other
        for other in waiting
        if other.model is request.model
        and other.messages == request.messages
        and not other.failures
    ][: max(0, most)]
    for other in same:
        waiting.remove(other)
    return same


def _completion(request: _Request, answer: Answer, seconds: float) -> Completion:
    model = request.model
    used = model.used(answer)
    return Completion(
        index=request.index,
        text=answer.text,
        proposer=model.name,
        prompt_tokens=answer.prompt_tokens,
        completion_tokens=answer.completion_tokens,
        cost_usd=used.usd if used and model.price else None,
        truncated=answer.truncated,
        seconds=seconds,
        served_by=answer.served_by,
    )


def refused_completion(index: int, model: str, error: ProposerError) -> Completion:
    """Return what stands for the answer to a request that was refused for its prompt; it took
    nothing, if that is sure.

    It counts as asked: a resumed run does not send the same prompt again.
    """
    nothing = None if error.may_be_billed else 0
    cost = None if error.may_be_billed else 0.0
    return Completion(index, "", model, nothing, nothing, cost, error=str(error))
