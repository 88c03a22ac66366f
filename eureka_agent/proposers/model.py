"""One model: how it is asked, what it does not understand, what it may cost."""

from __future__ import annotations

from collections.abc import Sequence

from eureka_agent.errors import BadResponseError, RefusedError
from eureka_agent.proposers.answers import Answer, read_answer
from eureka_agent.proposers.backend import Backend
from eureka_agent.proposers.prices import Price
from eureka_agent.proposers.spending import Amount
from eureka_agent.records import Completion, Message

ANSWER_TOKENS = 16_384
"""How long an answer may be, thoughts included, where the cost needs a limit and none is given."""
_LIMITS = ("max_tokens", "max_completion_tokens")


class Model:
    """A model behind a backend. None as temperature or as limit of an answer's tokens leaves it to the server.

    Reasoning models refuse a temperature or want the limit under its other name: what a server complains of is left
    out, or renamed, from then on.
    """

    def __init__(
        self,
        name: str,
        backend: Backend,
        *,
        temperature: float | None = 1.0,
        answer_tokens: int | None = None,
        price: Price | None = None,
    ) -> None:
        self.name, self.price = name, price
        self.where = backend.where
        self.answer_tokens = answer_tokens
        self._backend = backend
        options: dict[str, object] = {"temperature": temperature, backend.limit_name: answer_tokens}
        self._options = {option: value for option, value in options.items() if value is not None}
        self._renamed = False

    async def ask(self, messages: Sequence[Message]) -> Answer:
        """Return the model's answer to `messages`. Raises ProposerError."""
        chat = [{"role": message.role, "content": message.content} for message in alternating(messages)]
        for _ in range(4):  # each of the two options is given up once, perhaps by a request that ran beside this one
            options = self._options
            try:
                return read_answer(await self._backend.send(chat, options), self.name, self.where)
            except RefusedError as refused:
                if options is self._options and not self._give_up(str(refused).lower()):
                    raise
        raise BadResponseError(f"{self.where} goes on refusing requests for {self.name!r}.")

    def _give_up(self, complaint: str) -> bool:
        """Leave out, or rename, the option that the server complains of; returns whether there was one."""
        options = dict(self._options)
        limit = next((name for name in _LIMITS if name in options), None)
        if limit and not self._renamed and any(name in complaint for name in _LIMITS):
            other = _LIMITS[1 - _LIMITS.index(limit)]
            options[other] = options.pop(limit)
            self._renamed = True
        elif "temperature" in complaint and "temperature" in options:
            del options["temperature"]
        else:
            return False
        self._options = options
        return True

    def worst_case(self, messages: Sequence[Message]) -> Amount:
        """Return what a request with these messages takes at most, if the server keeps to the limit it is given.

        A token of a prompt stands for one byte at least.
        """
        prompt = sum(len(message.content.encode("utf-8", "replace")) + 16 for message in messages) + 16
        return self._amount(prompt, self.answer_tokens or ANSWER_TOKENS)

    def used(self, answer: Completion | Answer) -> Amount | None:
        """Return what an answer took; None where its server does not say."""
        if answer.prompt_tokens is None or answer.completion_tokens is None:
            return None
        return self._amount(answer.prompt_tokens, answer.completion_tokens)

    def _amount(self, prompt_tokens: int, answer_tokens: int) -> Amount:
        usd = self.price.of(prompt_tokens, answer_tokens) if self.price else 0.0
        return Amount(prompt_tokens + answer_tokens, usd)


def alternating(messages: Sequence[Message]) -> list[Message]:
    """Join neighbours of one role: the chat templates of many open models refuse two in a row."""
    joined: list[Message] = []
    for message in messages:
        if joined and joined[-1].role == message.role:
            message = Message(message.role, f"{joined.pop().content.rstrip()}\n\n{message.content}")
        joined.append(message)
    return joined
