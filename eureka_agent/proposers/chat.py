"""Rewards from language models: several requests at a time, retried, within what the run may spend."""

from __future__ import annotations

import asyncio
import queue
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace

from eureka_agent.errors import (
    AuthenticationError,
    ContextTooLongError,
    FilteredError,
    LimitReachedError,
    ProposerError,
    QuotaError,
    UnknownModelError,
)
from eureka_agent.proposers.backend import event_loop
from eureka_agent.proposers.bandit import Choice, Weighted
from eureka_agent.proposers.model import Model
from eureka_agent.proposers.refusals import late
from eureka_agent.proposers.retries import Retries
from eureka_agent.proposers.spending import Amount, Spending
from eureka_agent.records import Completion, Message, Prompt

_HOPELESS = (AuthenticationError, UnknownModelError, QuotaError)
ITS_OWN = (ContextTooLongError, FilteredError)
"""Errors of one prompt with one model: to ask the same again is no use, and others may be answered."""


@dataclass(frozen=True)
class _Request:
    """A sample to ask for, and how that went so far."""

    index: int
    messages: Sequence[Message]
    model: Model
    worst: Amount
    failures: int = 0
    unanswered: int = 0
    """Of the failures: those that may have been billed all the same."""
    pause_s: float = 0.0


class ChatProposer:
    """Asks for each sample with a request of its own, `concurrency` at a time.

    All that is decided (which model, whether there is money left, whether to ask again) is decided in the caller's
    thread; a loop in another thread only sends requests. No request goes on after `deadline_s`.
    """

    def __init__(
        self,
        models: Sequence[Model],
        *,
        choice: Choice | None = None,
        spending: Spending | None = None,
        retries: Retries | None = None,
        concurrency: int = 8,
        deadline_s: float = 600.0,
    ) -> None:
        """`choice`: which of several models writes a sample, by default each as many; `spending`: the limits."""
        self.name = ", ".join(model.name for model in models)
        self.models = {model.name: model for model in models}
        self.spending = spending or Spending()
        self.concurrency, self.deadline_s = concurrency, deadline_s
        self._choice = choice or Weighted(dict.fromkeys(self.models, 1.0), seed=0)
        self._retries = retries or Retries()

    def worst_case(self, messages: Sequence[Message]) -> Amount:
        """Return what a request takes at most, with the model that may take most."""
        cases = [model.worst_case(messages) for model in self.models.values()]
        return Amount(max(case.tokens for case in cases), max(case.usd for case in cases))

    def propose(self, prompts: Mapping[int, Prompt]) -> Iterator[Completion]:
        """Yield the completions as they arrive.

        A request that fails for good does not stop the others, unless the user has to mend it first (key, model name,
        credit): then no further one starts. One that is refused for its prompt (`ITS_OWN`) is an answer without a
        reward when others are answered, and an error when none is. The first error is raised after the last completion;
        LimitReachedError, which tells of it, when there was no room left for some of them.
        """
        waiting = deque(self._request(prompt, index) for index, prompt in prompts.items())
        under_way: dict[Future[Completion], _Request] = {}
        done: queue.SimpleQueue[Future[Completion]] = queue.SimpleQueue()
        errors: list[BaseException] = []
        refused: list[tuple[_Request, ProposerError]] = []
        answered = False
        try:
            while True:
                while waiting and len(under_way) < self.concurrency and self.spending.reserve(waiting[0].worst):
                    request = waiting.popleft()
                    future = asyncio.run_coroutine_threadsafe(self._attempt(request), event_loop())
                    under_way[future] = request
                    future.add_done_callback(done.put)
                if not under_way:
                    break
                future = done.get()
                request = under_way.pop(future)
                error = future.exception()
                if error is None:
                    answered, completion = True, future.result()
                    yield completion
                    self._settle(request, completion)  # when it is kept: a run killed here counts the worst case
                elif again := self._again(request, error):
                    waiting.appendleft(again)
                elif isinstance(error, ITS_OWN):
                    refused.append((request, error))
                else:
                    errors.append(error)
                    if isinstance(error, _HOPELESS) or not isinstance(error, ProposerError):
                        waiting.clear()
                if answered:
                    yield from (no_answer(request.index, request.model.name, error) for request, error in refused)
                    refused.clear()
        finally:
            for future in under_way:
                future.cancel()
        if waiting:  # the limit ends the run in order, and an error before it must not hide that
            before = f" Before that, a request failed: {errors[0]}" if errors else ""
            raise LimitReachedError(self._no_room(waiting[0].worst) + before) from (errors[0] if errors else None)
        if errors := errors or [error for _, error in refused]:
            raise errors[0]

    def _request(self, prompt: Prompt, index: int) -> _Request:
        model = self.models[self._choice(prompt, index)]
        return _Request(index, prompt.messages, model, model.worst_case(prompt.messages))

    async def _attempt(self, request: _Request) -> Completion:
        """Send a request once, after its pause."""
        await asyncio.sleep(request.pause_s)
        started, model = time.monotonic(), request.model
        try:
            async with asyncio.timeout(self.deadline_s):
                answer = await model.ask(request.messages)
        except TimeoutError as error:
            raise late(model.where) from error
        used = model.used(answer)
        return Completion(
            index=request.index,
            text=answer.text,
            proposer=model.name,
            prompt_tokens=answer.prompt_tokens,
            completion_tokens=answer.completion_tokens,
            cost_usd=used.usd if used and model.price else None,
            truncated=answer.truncated,
            seconds=time.monotonic() - started,
            served_by=answer.served_by,
        )

    def _settle(self, request: _Request, completion: Completion) -> None:
        """Count what an answer took; one that does not say so stays counted with its worst case."""
        used = request.model.used(completion)
        if used is not None:
            self.spending.settle(request.worst, used)

    def _again(self, request: _Request, error: BaseException) -> _Request | None:
        """Return the request as it is to be asked again; None when that is no use."""
        if not isinstance(error, ProposerError):
            return None
        if not error.may_be_billed:
            self.spending.settle(request.worst, Amount())
        failures, unanswered = request.failures + 1, request.unanswered + error.may_be_billed
        pause_s = self._retries.pause_s(error, failures, unanswered)
        if pause_s is None:
            return None
        return replace(request, failures=failures, unanswered=unanswered, pause_s=pause_s)

    def _no_room(self, worst: Amount) -> str:
        return (
            f"{self.spending.exceeded_by(worst)} leaves no room for another request: "
            f"{self.spending.committed} are spent, or reserved for requests whose answer did not say what they took, "
            f"and one more may take up to {worst}."
        )


def no_answer(index: int, model: str, error: ProposerError) -> Completion:
    """Return what stands for the answer to a request that was refused for its prompt; it took nothing, if that is sure.

    It counts as asked: a resumed run does not send the same prompt again.
    """
    nothing = None if error.may_be_billed else 0
    cost = None if error.may_be_billed else 0.0
    return Completion(index, "", model, nothing, nothing, cost, unanswered=str(error))
