"""One model: how it is asked, what it does not understand, what it may cost."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from eureka_agent.errors import (
    BadResponseError,
    ContextTooLongError,
    FilteredError,
    ProposerError,
    RefusedError,
    UnavailableError,
)
from eureka_agent.proposers.answer_limits import LEAST, shorter
from eureka_agent.proposers.answers import Answer, read_answer
from eureka_agent.proposers.backend import Backend
from eureka_agent.proposers.prices import Price
from eureka_agent.proposers.spending import Usage
from eureka_agent.records import Completion, Message

ANSWER_TOKENS = 16_384
"""How long an answer may be, thoughts included, where the cost needs a limit and none is given."""
_LIMITS = ("max_tokens", "max_completion_tokens")
_CHANGES = 12
"""A request is made in so many ways at most; usually two are enough."""
_NO_SYSTEM = re.compile(
    r"(?:system|developer)['\"` ]*(?:role|message|prompt|instruction)s?.{0,40}(?:not|n't)"
    r" (?:supported|enabled|allowed)"
    r"|(?:not|n't) (?:support|allow|accept)\S* .{0,20}(?:system|developer)['\"` ]*"
    r"(?:role|message|prompt|instruction|with)"
    r"|(?:only|unexpected|invalid|unsupported).{0,20} roles?\b.{0,40}(?:user|system)"
    r"|roles must alternate"
)
_NO_STREAM_OPTIONS = re.compile(r"stream_options|include_usage")
_ONLY_STREAMS = re.compile(
    r"(?:only|must|require|enable).{0,40}\bstream|\bstream\w*\W.{0,40}(?:only|must|required|enable)"
)


_NO_STREAM = re.compile(
    r"\bstream\w* .{0,20}(?:not|n't)\b|(?:not|n't) (?:support|allow)\w* \bstream"
)


@dataclass(frozen=True)
class ServerProfile:
    """What a run has learnt of a model and its server, to begin with after a resume."""

    folded: bool = False
    """The system message is part of the user's."""
    streams: bool = False
    """Answers are streamed."""
    answer_tokens: int | None = None
    """The limit of an answer's tokens, where it was lowered."""


@dataclass(frozen=True)
class _RequestOptions:
    """How requests are made: it changes when a server complains."""

    options: Mapping[str, object]
    renamed: bool = False
    """Whether the limit goes by its other name already."""
    folded: bool = False
    """Whether the system message is part of the user's."""

    def without(self, name: str) -> _RequestOptions:
        """Return the manner without an option."""
        return replace(
            self,
            options={option: value for option, value in self.options.items() if option != name},
        )

    def having(self, **options: object) -> _RequestOptions:
        """Return the manner with other options."""
        return replace(self, options={**self.options, **options})

    @property
    def limit(self) -> str | None:
        """What the limit of an answer's tokens is called; None where there is none."""
        return next((name for name in _LIMITS if name in self.options), None)


class Model:
    """A model behind a backend. None as temperature or as limit of an answer's tokens leaves it to
    the server.

    What a server complains of is changed from then on: a temperature that it refuses is left out,
    the limit goes by its other name or is lowered, the system message becomes part of the user's,
    answers are streamed.
    """

    def __init__(
        self,
        name: str,
        backend: Backend,
        *,
        temperature: float | None = 1.0,
        answer_tokens: int | None = None,
        price: Price | None = None,
        stream: bool = False,
        choices: int = 1,
    ) -> None:
        """`choices`: how many choices each answer is asked to hold."""
        self.name, self.price = name, price
        self.where = backend.where
        self.answer_tokens = answer_tokens
        self.choices = choices
        """How many choices the next answer is expected to hold."""
        self.adapted: deque[str] = deque()
        """What was changed and not yet told, in one sentence each."""
        self._asked_choices, self._first_limit = choices, answer_tokens
        self._backend = backend
        options: dict[str, object] = {"temperature": temperature, backend.limit_name: answer_tokens}
        self._manner = _RequestOptions(
            {option: value for option, value in options.items() if value is not None}
        )
        if stream:
            self._manner = self._manner.having(**_STREAM)

    @property
    def profile(self) -> ServerProfile:
        """What is known of the model by now."""
        lowered = self.answer_tokens if self.answer_tokens != self._first_limit else None
        return ServerProfile(self._manner.folded, "stream" in self._manner.options, lowered)

    def take_up(self, profile: ServerProfile) -> None:
        """Begin with what is known of the model; a limit is only lowered."""
        self._manner = replace(self._manner, folded=profile.folded or self._manner.folded)
        if profile.streams:
            self._manner = self._manner.having(**_STREAM)
        name, lower = self._manner.limit, profile.answer_tokens
        if name is not None and lower is not None and LEAST <= lower < (self.answer_tokens or 0):
            self.answer_tokens = lower
            self._manner = self._manner.having(**{name: lower})

    def brief(self, answer_tokens: int) -> Model:
        """Return the same model with short answers, to try it out."""
        temperature = self._manner.options.get("temperature")
        return Model(
            self.name,
            self._backend,
            temperature=temperature if isinstance(temperature, float) else None,
            answer_tokens=answer_tokens,
            price=self.price,
            stream="stream" in self._manner.options,
            choices=self._asked_choices,
        )

    async def ask(self, messages: Sequence[Message]) -> Answer:
        """Return the model's answer to `messages`. Raises ProposerError."""
        for _ in range(_CHANGES):
            manner = self._manner
            try:
                answer = read_answer(
                    await self._backend.send(_chat(messages, manner), manner.options),
                    self.name,
                    self.where,
                )
            except ProposerError as refused:
                # Another manner may be the fruit of a request that ran beside this one.
                if not _is_complaint(refused) or (
                    manner is self._manner and not self._give_up(refused, messages)
                ):
                    raise
            else:
                self.choices = 1 + len(answer.others)
                return answer
        raise BadResponseError(f"{self.where} goes on refusing requests for {self.name!r}.")

    def _give_up(self, refused: ProposerError, messages: Sequence[Message]) -> bool:
        """Change what the server complains of; returns whether there was anything."""
        complaint = (refused.words or str(refused)).lower()
        prompt_bytes = sum(len(message.content.encode("utf-8", "replace")) for message in messages)
        lower = shorter(complaint, self.answer_tokens, prompt_bytes) if self.answer_tokens else None
        changed = self._shortened(lower) if lower else self._changed(refused, complaint, messages)
        if changed is None:
            return False
        self._manner = changed
        return True

    def _shortened(self, limit: int) -> _RequestOptions:
        name = self._manner.limit
        assert name is not None
        self.adapted.append(
            f"{self.name!r} at {self.where} has no room for answers of {self.answer_tokens:,}"
            f" tokens: they are {limit:,} tokens long at most from now on (--answer-tokens)."
        )
        self.answer_tokens = limit
        return self._manner.having(**{name: limit})

    def _changed(
        self, refused: ProposerError, complaint: str, messages: Sequence[Message]
    ) -> _RequestOptions | None:
        """Return another manner, as the complaint asks for; None where it asks for none that there
        is."""
        manner = self._manner
        if (
            _NO_SYSTEM.search(complaint)
            and not manner.folded
            and any(m.role == "system" for m in messages)
        ):
            self.adapted.append(
                f"{self.name!r} at {self.where} takes no system message: its text stands at the"
                " beginning of the user's message from now on."
            )
            return replace(manner, folded=True)
        if not isinstance(refused, RefusedError):
            return None
        if manner.limit and not manner.renamed and any(name in complaint for name in _LIMITS):
            other = _LIMITS[1 - _LIMITS.index(manner.limit)]
            renamed = manner.without(manner.limit).having(**{other: manner.options[manner.limit]})
            return replace(renamed, renamed=True)
        if "stream_options" in manner.options and _NO_STREAM_OPTIONS.search(complaint):
            return manner.without("stream_options")
        if "stream" not in manner.options and _ONLY_STREAMS.search(complaint):
            self.adapted.append(
                f"{self.name!r} at {self.where} only streams: --stream is on from now on."
            )
            return manner.having(**_STREAM)
        if "stream" in manner.options and _NO_STREAM.search(complaint):
            self.adapted.append(
                f"{self.name!r} at {self.where} does not stream: --stream is off from now on."
            )
            return manner.without("stream_options").without("stream")
        if "temperature" in complaint and "temperature" in manner.options:
            return manner.without("temperature")
        return None

    def worst_case(self, messages: Sequence[Message]) -> Usage:
        """Return what a request with these messages takes at most, if the server keeps to the limit
        it is given.

        A token of a prompt stands for one byte at least.
        """
        prompt = (
            sum(len(message.content.encode("utf-8", "replace")) + 16 for message in messages) + 16
        )
        choices = max(self._asked_choices, self.choices)
        return self._amount(prompt, choices * (self.answer_tokens or ANSWER_TOKENS))

    def used(self, answer: Completion | Answer) -> Usage | None:
        """Return what an answer took; None where its server does not say."""
        if answer.prompt_tokens is None or answer.completion_tokens is None:
            return None
        return self._amount(answer.prompt_tokens, answer.completion_tokens)

    def _amount(self, prompt_tokens: int, answer_tokens: int) -> Usage:
        usd = self.price.of(prompt_tokens, answer_tokens) if self.price else 0.0
        return Usage(prompt_tokens + answer_tokens, usd)


_STREAM: Mapping[str, object] = {"stream": True, "stream_options": {"include_usage": True}}


def _is_complaint(refused: ProposerError) -> bool:
    """Whether an error may be about the manner of a request; chat templates fail with 500 in some
    servers."""
    if isinstance(refused, UnavailableError):
        return not refused.may_be_billed and _NO_SYSTEM.search(refused.words.lower()) is not None
    return isinstance(refused, RefusedError | ContextTooLongError) and not isinstance(
        refused, FilteredError
    )


def _chat(messages: Sequence[Message], manner: _RequestOptions) -> list[dict[str, str]]:
    if manner.folded:
        messages = [replace(m, role="user") if m.role == "system" else m for m in messages]
    return [{"role": message.role, "content": message.content} for message in alternating(messages)]


def alternating(messages: Sequence[Message]) -> list[Message]:
    """Join neighbours of one role: the chat templates of many open models refuse two in a row."""
    joined: list[Message] = []
    for message in messages:
        if joined and joined[-1].role == message.role:
            message = Message(message.role, f"{joined.pop().content.rstrip()}\n\n{message.content}")
        joined.append(message)
    return joined
