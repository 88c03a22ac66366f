"""Rewards from language models: parallel requests with retries, within the limits of the run."""

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
from eureka_agent.proposers.events import ProposerEvent, RequestRetried, RequestsAdapted
from eureka_agent.proposers.model import Model, ServerProfile
from eureka_agent.proposers.refusals import timeout_error
from eureka_agent.proposers.retries import Retries
from eureka_agent.proposers.spending import NOTHING, Usage, UsageLimits
from eureka_agent.records import Completion, Message, Prompt, candidate_name

FATAL_ERRORS = (AuthenticationError, UnknownModelError, QuotaError)
PROMPT_ERRORS = (ContextTooLongError, FilteredError)
"""Errors of one prompt with one model: repeating the prompt is useless, other prompts may work."""
_TEST = Prompt(0, (Message("user", "Say yes."),))
_TEST_TOKENS = 16
"""Some servers refuse a lower limit."""


@dataclass(frozen=True)
class _Request:
    """A requested sample and its progress."""

    index: int
    name: str
    """The candidate's name, for messages."""
    messages: Sequence[Message]
    model: Model
    worst: Usage = NOTHING
    """The usage that is reserved for it, once it is sent."""
    siblings: tuple[_Request, ...] = ()
    """Samples with the same prompt that get its further choices."""
    answers_before: int = 0
    """Number of answers that had arrived when it was sent."""
    parallel_limit: int = 0
    """Number of parallel requests that were allowed when it was sent."""
    failures: int = 0
    maybe_billed: int = 0
    """How many of the failures may have been billed nevertheless."""
    pause_s: float = 0.0


class ChatProposer:
    """Requests each sample separately, up to `concurrency` at a time.

    Every decision (which model, whether the limits allow it, whether to retry) is made in the
    caller's thread; a loop in another thread only sends requests.

    Args:
        models: the models to ask.
        choice: which of several models writes a sample; by default all write the same number.
        spending: limits of tokens and cost; by default none.
        retries: when to retry, and after which pauses.
        concurrency: maximum number of requests at a time.
        deadline_s: seconds after which a request has failed.
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
        self.name = ", ".join(model.name for model in models)
        self.models = {model.name: model for model in models}
        self.spending = spending or UsageLimits()
        self.concurrency = concurrency
        self.deadline_s = deadline_s
        self.emit: Callable[[ProposerEvent], None] = lambda event: None
        """Called with each event, in the thread of `propose`."""
        self.save_profiles: Callable[[dict[str, ServerProfile]], None] = lambda profiles: None
        """Called with the profile of each model after a change."""
        self._choice = choice or WeightedSelector(dict.fromkeys(self.models, 1.0), seed=0)
        self._retries = retries or Retries()
        self._parallel_limit = concurrency
        self._answers = 0

    def worst_case(self, messages: Sequence[Message]) -> Usage:
        """Return the largest usage of a request with any of the models."""
        cases = [model.worst_case(messages) for model in self.models.values()]
        return Usage(max(case.tokens for case in cases), max(case.usd for case in cases))

    def propose(self, prompts: Mapping[int, Prompt]) -> Iterator[Completion]:
        """Yield the completions as they arrive.

        A failed request does not stop the others, unless the user has to fix something first (key,
        model name, credit): then no further request starts. If a prompt is refused
        (`PROMPT_ERRORS`), its sample gets an answer without a reward, provided that other samples
        are answered.

        Args:
            prompts: the prompt of each sample, by the sample's index in its generation.

        Returns:
            An iterator over completions, in the order of their arrival.

        Raises:
            LimitReachedError: after the last completion, if the limits left no room for some
                samples; its message includes the first error.
            ProposerError: after the last completion, the first error.
        """
        waiting = deque(self._request(prompt, index) for index, prompt in prompts.items())
        under_way: dict[Future[list[Completion]], _Request] = {}
        done: queue.SimpleQueue[Future[list[Completion]]] = queue.SimpleQueue()
        errors: list[BaseException] = []
        refused: list[tuple[_Request, ProposerError]] = []
        answered = False
        try:
            while True:
                while request := self._next_request(waiting, len(under_way)):
                    future = asyncio.run_coroutine_threadsafe(self._attempt(request), event_loop())
                    under_way[future] = request
                    future.add_done_callback(done.put)
                if not under_way:
                    break
                future = done.get()
                request = under_way.pop(future)
                self._emit_adaptations(request.model)
                error = future.exception()
                if error is None:
                    answered, choices = True, future.result()
                    yield from self._distribute(request, choices, waiting)
                    # Only now are the choices stored: a run killed before counts the worst case.
                    self._settle(request, choices[0])
                elif again := self._retry(request, error, len(under_way)):
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
        if waiting:  # a limit is a regular end of the run; an earlier error must not hide it
            earlier = f" Before that, a request failed: {errors[0]}" if errors else ""
            reason = self._no_room_message(waiting[0].model.worst_case(waiting[0].messages))
            raise LimitReachedError(reason + earlier) from (errors[0] if errors else None)
        if errors := errors or [error for _, error in refused]:
            raise errors[0]

    def try_out(self, names: Collection[str]) -> None:
        """Send each named model a short request, so that the user can fix problems before any work.

        It counts against the limits and is left out if they leave no room. Raises ProposerError for
        a wrong key, name or address, an empty account, and a server that does not answer.
        """
        for name in names:
            brief = self.models[name].with_short_answers(_TEST_TOKENS)
            tester = ChatProposer(
                [brief],
                spending=self.spending,
                retries=self._retries,
                deadline_s=self.deadline_s,
            )
            tester.emit = self._test_listener(name)
            try:
                for _ in tester.propose({0: _TEST}):
                    pass
            except (LimitReachedError, RefusedError, ContextTooLongError, RateLimitedError):
                continue  # the problem of this request need not occur with a real one
            self.models[name].apply_profile(brief.profile)

    def _test_listener(self, name: str) -> Callable[[ProposerEvent], None]:
        def emit(event: ProposerEvent) -> None:
            self.emit(
                replace(event, sample=f"the test of {name}")
                if isinstance(event, RequestRetried)
                else event
            )

        return emit

    def _request(self, prompt: Prompt, index: int) -> _Request:
        model = self.models[self._choice(prompt, index)]
        name = prompt.asks_for or candidate_name(prompt.generation, index)
        return _Request(index, name, prompt.messages, model)

    def _next_request(self, waiting: deque[_Request], running: int) -> _Request | None:
        """Take the next request to send and reserve its worst case; None to send none now."""
        if not waiting or running >= self._parallel_limit:
            return None
        worst = waiting[0].model.worst_case(waiting[0].messages)
        if not self.spending.reserve(worst):
            return None
        request = waiting.popleft()
        siblings = _take_same_prompt(
            waiting, request, request.model.choices - 1 - len(request.siblings)
        )
        return replace(
            request,
            worst=worst,
            siblings=(*request.siblings, *siblings),
            answers_before=self._answers,
            parallel_limit=self._parallel_limit,
        )

    def _distribute(
        self, request: _Request, choices: Sequence[Completion], waiting: deque[_Request]
    ) -> Iterator[Completion]:
        """Yield a completion for each choice that a sample can use; other samples wait again."""
        samples = [request, *request.siblings]
        further = [choice for choice in choices[len(samples) :] if choice.text.strip()]
        waiting.extendleft(reversed(samples[len(choices) :]))
        samples = [*samples[: len(choices)], *_take_same_prompt(waiting, request, len(further))]
        self._answers += 1
        for each, choice in zip(
            samples, [*choices[: 1 + len(request.siblings)], *further], strict=False
        ):
            yield replace(choice, index=each.index)

    async def _attempt(self, request: _Request) -> list[Completion]:
        """Send a request once, after its pause; return a completion for each choice."""
        await asyncio.sleep(request.pause_s)
        started, model = time.monotonic(), request.model
        try:
            async with asyncio.timeout(self.deadline_s):
                answer = await model.ask(request.messages)
        except TimeoutError as error:
            raise timeout_error(model.where) from error
        seconds = time.monotonic() - started
        return [_completion(request, choice, seconds) for choice in (answer, *answer.others)]

    def _settle(self, request: _Request, completion: Completion) -> None:
        """Count an answer's usage; without a report the worst case stays reserved."""
        used = request.model.used(completion)
        if used is not None:
            self.spending.settle(request.worst, used)

    def _retry(
        self, request: _Request, error: BaseException, others_running: int
    ) -> _Request | None:
        """Return the request to be sent again; None if a retry is useless.

        `others_running`: number of other requests under way.
        """
        if not isinstance(error, ProposerError):
            return None
        if not error.may_be_billed:
            self.spending.settle(request.worst, NOTHING)
        if error.late:
            self._lower_concurrency(request, others_running)
        failures, maybe_billed = request.failures + 1, request.maybe_billed + error.may_be_billed
        pause_s = self._retries.pause_s(error, failures, maybe_billed)
        if pause_s is None:
            return None
        last = failures + 1 if error.may_be_billed else self._retries.most + 1
        self.emit(RequestRetried(request.name, str(error), failures + 1, last, pause_s))
        return replace(request, failures=failures, maybe_billed=maybe_billed, pause_s=pause_s)

    def _lower_concurrency(self, request: _Request, others_running: int) -> None:
        """Lower the number of parallel requests after one was late: many servers answer one by one.

        The new limit is half of the requests that were answered while it waited, or, if none was,
        of those under way. A request that ran alone, or was sent before the last change, is
        ignored.
        """
        meanwhile = self._answers - request.answers_before
        fewer = max(1, min(self._parallel_limit, meanwhile or others_running + 1) // 2)
        if (
            request.parallel_limit > self._parallel_limit
            or fewer == self._parallel_limit
            or not (meanwhile or others_running)
        ):
            return
        self._parallel_limit = fewer
        self.emit(
            RequestsAdapted(
                f"{request.model.where} did not answer {request.name} in time: {fewer}"
                f" {'request runs' if fewer == 1 else 'requests run'} at a time from now on"
                " (--concurrency)."
            )
        )

    def apply_profiles(self, profiles: Mapping[str, ServerProfile]) -> None:
        """Apply stored profiles, by model name."""
        for name in profiles.keys() & self.models.keys():
            self.models[name].apply_profile(profiles[name])

    def _emit_adaptations(self, model: Model) -> None:
        if model.adaptations:
            self.save_profiles({name: model.profile for name, model in self.models.items()})
        while model.adaptations:
            self.emit(RequestsAdapted(model.adaptations.popleft()))

    def _no_room_message(self, worst: Usage) -> str:
        return (
            f"{self.spending.exceeded_by(worst)} leaves no room for another request:"
            f" {self.spending.reserved} are spent, or reserved for requests whose answer did not"
            f" say what they took, and one more may take up to {worst}."
        )


def _take_same_prompt(waiting: deque[_Request], request: _Request, most: int) -> list[_Request]:
    """Take up to `most` waiting requests with the same prompt and model that were not sent yet."""
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
    """Return the completion that stands for a refused prompt; its usage is 0 if that is certain.

    It counts as asked: a resumed run does not send the same prompt again.
    """
    nothing = None if error.may_be_billed else 0
    cost = None if error.may_be_billed else 0.0
    return Completion(index, "", model, nothing, nothing, cost, error=str(error))
