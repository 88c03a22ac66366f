"""Parse a chat completion. Every field is validated, because servers deviate from the protocol."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from eureka_agent.errors import BadResponseError, ProposerError
from eureka_agent.proposers.refusals import error_from_status, excerpt, status_from_code

_THOUGHTS = ("reasoning_content", "reasoning")


@dataclass(frozen=True)
class Answer:
    """A chat completion; token counts are None if the server does not report them."""

    text: str
    served_by: str | None
    """The server's name for the model; empty if it gives none."""
    prompt_tokens: int | None
    completion_tokens: int | None
    truncated: bool
    others: tuple[Answer, ...] = ()
    """Further choices of the same completion. This answer's token counts include theirs; their own
    are 0."""


def read_answer(body: object, model: str, where: str) -> Answer:
    """Return the answer in the decoded JSON `body` that `where` sent for `model`.

    Thoughts (`<think>`, `reasoning_content`) are left out unless the answer is found nowhere else;
    a refusal in words is an answer. Of several choices, those without text come last.

    Raises BadResponseError if the body is not a chat completion. For an error that came with status
    200, also inside a choice, it raises the error for the reported status.
    """
    if not isinstance(body, dict):
        raise _not_a_completion(where, body)
    choices = body.get("choices")
    choices = choices if isinstance(choices, list) else []
    good = [choice for choice in choices if _is_good(choice)]
    if not good:
        raise _error_without_choice(choices[0] if choices else None, body, model, where)
    messages = [choice["message"] for choice in good]
    prompt_tokens, completion_tokens = _usage(
        body.get("usage"), wrote=any(map(_has_output, messages))
    )
    served_by = body.get("model")
    first = Answer(
        text="",
        served_by=served_by if isinstance(served_by, str) else None,
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
        truncated=False,
    )
    cut = [choice.get("finish_reason") in ("length", "max_tokens") for choice in good]
    texts = [_whole_text(*pair) for pair in zip(messages, cut, strict=True)]
    answers = [
        replace(first, text=text, truncated=was_cut)
        for text, was_cut in zip(texts, cut, strict=True)
    ]
    answers.sort(key=lambda answer: not answer.text.strip())
    nothing = None if completion_tokens is None or prompt_tokens is None else 0
    others = [
        replace(answer, prompt_tokens=nothing, completion_tokens=nothing) for answer in answers[1:]
    ]
    return replace(answers[0], others=tuple(others))


def _is_good(choice: object) -> bool:
    """Whether a choice holds a message and no error."""
    return (
        isinstance(choice, dict)
        and isinstance(choice.get("message"), dict)
        and not _error_in(choice)
    )


def _error_without_choice(
    choice: object, body: Mapping[str, Any], model: str, where: str
) -> ProposerError:
    """Return the error for a body without a usable choice; `choice` is its first choice."""
    if isinstance(choice, dict) and (found := _error_in(choice)):
        broken = _reported_error(found, model, where)
        broken.may_be_billed = True  # the model had started to write
        return broken
    if body.get("error"):
        return _reported_error(body["error"], model, where)
    return _not_a_completion(where, body)


def _has_output(message: Mapping[str, Any]) -> bool:
    """Whether the model wrote anything, including thoughts or a tool call."""
    names = ("content", "refusal", "tool_calls", "function_call", *_THOUGHTS)
    return any(message.get(name) for name in names)


def _whole_text(message: Mapping[str, Any], truncated: bool) -> str:
    """Return a message's text, wherever the server puts it.

    If there is no content, it may be in the tool calls or in the thoughts, because some servers put
    a whole answer there. Thoughts that were cut off or hold no function are not an answer.
    """
    content = _text(message.get("content"))
    text = without_thoughts(content) or _text(message.get("refusal"))
    if text.strip():
        return text
    if calls := _calls(message):
        return calls
    for thoughts in (*(_text(message.get(name)) for name in _THOUGHTS), content):
        if not truncated and "def " in thoughts:
            return thoughts
    return text


def _calls(message: Mapping[str, Any]) -> str:
    """Return the arguments of a message's calls: JSON, which the extraction reads."""
    calls = message.get("tool_calls")
    entries: Sequence[Any] = calls if isinstance(calls, list) else ()
    functions = [call.get("function") for call in entries if isinstance(call, dict)]
    arguments = [_arguments(function) for function in (*functions, message.get("function_call"))]
    return "\n\n".join(filter(None, arguments))


def _arguments(function: object) -> str:
    """Return a call's arguments as text; some servers send them as an object."""
    given = function.get("arguments") if isinstance(function, dict) else None
    return json.dumps(given) if isinstance(given, dict) and given else _text(given)


def without_thoughts(text: str) -> str:
    """Return `text` without its leading `<think>` block; a block without an end is all thought.

    Some chat templates write the opening tag themselves, so that an answer holds only the closing
    tag.
    """
    begins = text.lstrip().startswith("<think>")
    thoughts, end, answer = text.partition("</think>")
    if end and (begins or "<think>" not in thoughts):
        return answer.lstrip()
    return "" if begins else text


def _usage(usage: object, *, wrote: bool) -> tuple[int | None, int | None]:
    """Return the tokens of the prompt and of the answer with its thoughts; None if not reported.

    Some servers count thoughts only in the total. A count of 0 for an answer with output (`wrote`)
    means that the server did not count.
    """
    # LiteLLM writes 0 for unknown.
    if not isinstance(usage, dict) or not usage.get("prompt_tokens"):
        return None, None
    counts = [
        _count(usage.get(name)) for name in ("prompt_tokens", "completion_tokens", "total_tokens")
    ]
    prompt, answer, total = counts
    if prompt is not None and total is not None:
        answer = max(answer or 0, total - prompt)
    return prompt, None if wrote and answer == 0 else answer


def _text(content: object) -> str:
    """Return a message's text: "" for None, the joined text parts of a list."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    parts = (part.get("text") if isinstance(part, dict) else part for part in content)
    return "".join(part for part in parts if isinstance(part, str))


def _count(tokens: object) -> int | None:
    return (
        tokens if isinstance(tokens, int) and not isinstance(tokens, bool) and tokens >= 0 else None
    )


def _not_a_completion(where: str, got: object) -> BadResponseError:
    return BadResponseError(
        f"{where} did not answer with a chat completion: check --base-url. It sent: {excerpt(got)}",
        may_be_billed=True,
    )


def _error_in(choice: dict[str, Any]) -> object:
    """Return the error that a gateway put into a choice.

    LiteLLM puts it, and the finish reason, into `provider_specific_fields`.
    """
    fields = choice.get("provider_specific_fields")
    fields = fields if isinstance(fields, dict) else {}
    aborted = "error" in (choice.get("finish_reason"), fields.get("native_finish_reason"))
    unnamed = {"code": "error", "message": "it broke the answer off"} if aborted else None
    return choice.get("error") or fields.get("error") or unnamed


def _reported_error(error: Any, model: str, where: str) -> ProposerError:
    """Return the error of a gateway that answers 200 and puts the real status into the body."""
    facts = error if isinstance(error, dict) else {"message": error}
    names = [facts.get(name) for name in ("code", "status", "type")]
    status = next(filter(None, map(status_from_code, names)), 200)
    quote = excerpt(facts.get("message") or error)
    if status == 200 and not any(isinstance(name, str) for name in names[:2]):
        return _not_a_completion(where, error)
    return error_from_status(
        status, quote, f"{' '.join(map(str, names))} {quote}", model=model, where=where
    )
