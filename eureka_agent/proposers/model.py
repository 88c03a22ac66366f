"""A model: how it is asked, how requests adapt to its server, what a request may cost."""

from __future__ import annotations

import base64
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
from eureka_agent.proposers.answer_limits import MIN_ANSWER_TOKENS, lower_limit
from eureka_agent.proposers.answers import Answer, read_answer
from eureka_agent.proposers.backend import Backend, ChatMessage
from eureka_agent.proposers.prices import Price
from eureka_agent.proposers.spending import Usage
from eureka_agent.records import Completion, ImageMessage, Message

ANSWER_TOKENS = 16_384
"""Limit of an answer, thoughts included, if the cost needs a limit and none is given."""
IMAGE_TOKENS = 26_000
"""The most that a server counts for an image of a megapixel; most count a tenth of it."""
_LIMITS = ("max_tokens", "max_completion_tokens")
_CHANGES = 12
"""Maximum number of variants of a request; usually two are enough."""
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
    """What a run has learnt about a model and its server; a resumed run starts with it."""

    folded: bool = False
    """The system message is part of the user's."""
    streams: bool = False
    """Answers are streamed."""
    answer_tokens: int | None = None
    """The limit of an answer's tokens, if it was lowered."""


@dataclass(frozen=True)
class _RequestOptions:
    """Options of requests; they change when a server complains."""

    fields: Mapping[str, object]
    """Fields of the request's body, by name."""
    renamed: bool = False
    """Whether the limit already has its other name."""
    folded: bool = False
    """Whether the system message is part of the user's."""

    def without(self, name: str) -> _RequestOptions:
        """Return a copy without the field `name`."""
        return replace(
            self,
            fields={field: value for field, value in self.fields.items() if field != name},
        )

    def updated(self, **fields: object) -> _RequestOptions:
        """Return a copy with these fields added or replaced."""
        return replace(self, fields={**self.fields, **fields})

    @property
    def limit(self) -> str | None:
        """The name of the limit of an answer's tokens; None if there is no limit."""
        return next((name for name in _LIMITS if name in self.fields), None)


class Model:
    """A model behind a backend.

    None as temperature or as limit of an answer's tokens leaves it to the server. Requests adapt to
    a server's complaints: a refused temperature is left out, the limit is renamed or lowered, the
    system message becomes part of the user's, answers are streamed. `choices`: number of choices
    that each answer should hold.
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
        self.name = name
        self.price = price
        self.where = backend.where
        self.answer_tokens = answer_tokens
        self.choices = choices
        """Expected number of choices in the next answer."""
        self.adaptations: deque[str] = deque()
        """Changes that were not reported yet, one or two sentences each."""
        self._requested_choices = choices
        self._first_limit = answer_tokens
        self._backend = backend
        fields: dict[str, object] = {"temperature": temperature, backend.limit_name: answer_tokens}
        self._options = _RequestOptions(
            {field: value for field, value in fields.items() if value is not None}
        )
        if stream:
            self._options = self._options.updated(**_STREAM)

    @property
    def profile(self) -> ServerProfile:
        """What is known about the model by now."""
        lowered = self.answer_tokens if self.answer_tokens != self._first_limit else None
        return ServerProfile(self._options.folded, "stream" in self._options.fields, lowered)

    def apply_profile(self, profile: ServerProfile) -> None:
        """Start with a known profile; it can only lower the limit of an answer."""
        self._options = replace(self._options, folded=profile.folded or self._options.folded)
        if profile.streams:
            self._options = self._options.updated(**_STREAM)
        name, lower = self._options.limit, profile.answer_tokens
        if (
            name is not None
            and lower is not None
            and MIN_ANSWER_TOKENS <= lower < (self.answer_tokens or 0)
        ):
            self.answer_tokens = lower
            self._options = self._options.updated(**{name: lower})

    def with_short_answers(self, answer_tokens: int) -> Model:
        """Return the same model with short answers, for a test request."""
        temperature = self._options.fields.get("temperature")
        return Model(
            self.name,
            self._backend,
            temperature=temperature if isinstance(temperature, float) else None,
            answer_tokens=answer_tokens,
            price=self.price,
            stream="stream" in self._options.fields,
            choices=self._requested_choices,
        )

    async def ask(self, messages: Sequence[Message]) -> Answer:
        """Return the model's answer to `messages`. Raises ProposerError."""
        for _ in range(_CHANGES):
            options = self._options
            try:
                answer = read_answer(
                    await self._backend.send(_chat(messages, options), options.fields),
                    self.name,
                    self.where,
                )
            except ProposerError as refused:
                # A parallel request may have changed the options meanwhile.
                if not _is_complaint(refused) or (
                    options is self._options and not self._adapt(refused, messages)
                ):
                    raise
            else:
                self.choices = 1 + len(answer.others)
                return answer
        raise BadResponseError(f"{self.where} keeps refusing requests for {self.name!r}.")

    def _adapt(self, refused: ProposerError, messages: Sequence[Message]) -> bool:
        """Change what the server complains about; return whether there was anything to change."""
        complaint = (refused.words or str(refused)).lower()
        prompt_bytes = sum(len(message.content.encode("utf-8", "replace")) for message in messages)
        limit = self.answer_tokens
        lower = lower_limit(complaint, limit, prompt_bytes) if limit else None
        if lower:
            self._options = self._with_lower_limit(lower)
            return True
        adapted = self._adapted_options(refused, complaint, messages)
        self._options = adapted or self._options
        return adapted is not None

    def _with_lower_limit(self, limit: int) -> _RequestOptions:
        name = self._options.limit
        assert name is not None
        self.adaptations.append(
            f"{self.name!r} at {self.where} has no room for answers of {self.answer_tokens:,}"
            f" tokens: the limit is {limit:,} tokens from now on (--answer-tokens)."
        )
        self.answer_tokens = limit
        return self._options.updated(**{name: limit})

    def _adapted_options(
        self, refused: ProposerError, complaint: str, messages: Sequence[Message]
    ) -> _RequestOptions | None:
        """Return the options that a complaint asks for; None if it asks for nothing known."""
        options = self._options
        if (
            _NO_SYSTEM.search(complaint)
            and not options.folded
            and any(m.role == "system" for m in messages)
        ):
            self.adaptations.append(
                f"{self.name!r} at {self.where} takes no system message: from now on its text is at"
                " the beginning of the user's message."
            )
            return replace(options, folded=True)
        if not isinstance(refused, RefusedError):
            return None
        if options.limit and not options.renamed and any(name in complaint for name in _LIMITS):
            other = _LIMITS[1 - _LIMITS.index(options.limit)]
            renamed = options.without(options.limit).updated(
                **{other: options.fields[options.limit]}
            )
            return replace(renamed, renamed=True)
        if "stream_options" in options.fields and _NO_STREAM_OPTIONS.search(complaint):
            return options.without("stream_options")
        if "stream" not in options.fields and _ONLY_STREAMS.search(complaint):
            self.adaptations.append(
                f"{self.name!r} at {self.where} only streams: its answers are streamed from now on."
            )
            return options.updated(**_STREAM)
        if "stream" in options.fields and _NO_STREAM.search(complaint):
            self.adaptations.append(
                f"{self.name!r} at {self.where} does not stream: its answers are no longer"
                " streamed."
            )
            return options.without("stream_options").without("stream")
        if "temperature" in complaint and "temperature" in options.fields:
            return options.without("temperature")
        return None

    def worst_case(self, messages: Sequence[Message]) -> Usage:
        """Return the largest usage of a request with these messages, if the server obeys its limit.

        A token of a prompt stands for at least one byte.
        """
        sizes = (len(message.content.encode("utf-8", "replace")) + 16 for message in messages)
        images = sum(isinstance(message, ImageMessage) for message in messages)
        prompt = sum(sizes) + 16 + images * IMAGE_TOKENS
        choices = max(self._requested_choices, self.choices)
        return self._usage(prompt, choices * (self.answer_tokens or ANSWER_TOKENS))

    def used(self, answer: Completion | Answer) -> Usage | None:
        """Return the usage of an answer; None if its server does not report it."""
        if answer.prompt_tokens is None or answer.completion_tokens is None:
            return None
        return self._usage(answer.prompt_tokens, answer.completion_tokens)

    def _usage(self, prompt_tokens: int, answer_tokens: int) -> Usage:
        usd = self.price.of(prompt_tokens, answer_tokens) if self.price else 0.0
        return Usage(prompt_tokens + answer_tokens, usd)


_STREAM: Mapping[str, object] = {"stream": True, "stream_options": {"include_usage": True}}


def _is_complaint(refused: ProposerError) -> bool:
    """Whether an error may be about a request's options.

    Some servers answer 500 when a chat template fails.
    """
    if isinstance(refused, UnavailableError):
        return not refused.may_be_billed and _NO_SYSTEM.search(refused.words.lower()) is not None
    return isinstance(refused, RefusedError | ContextTooLongError) and not isinstance(
        refused, FilteredError
    )


def _chat(messages: Sequence[Message], options: _RequestOptions) -> list[ChatMessage]:
    if options.folded:
        messages = [replace(m, role="user") if m.role == "system" else m for m in messages]
    return [
        {"role": message.role, "content": _content(message)} for message in alternating(messages)
    ]


def _content(message: Message) -> object:
    """Return a message's content in the form of the protocol: text, or a list of parts."""
    if not isinstance(message, ImageMessage):
        return message.content
    url = f"data:image/jpeg;base64,{base64.b64encode(message.image).decode('ascii')}"
    return [
        {"type": "text", "text": message.content},
        {"type": "image_url", "image_url": {"url": url}},
    ]


def alternating(messages: Sequence[Message]) -> list[Message]:
    """Join neighbouring messages of one role: many chat templates refuse two in a row."""
    joined: list[Message] = []
    for message in messages:
        if joined and joined[-1].role == message.role:
            before = joined.pop()
            text = f"{before.content.rstrip()}\n\n{message.content}"
            # At most one of them has an image, which stays.
            message = replace(before if isinstance(before, ImageMessage) else message, content=text)
        joined.append(message)
    return joined
