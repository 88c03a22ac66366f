"""What a server sent, as an answer: the body of a chat completion is trusted in nothing."""

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
    """A chat completion; token counts are None where the server does not say."""

    text: str
    served_by: str
    """What the server calls the model; empty where it does not say."""
    prompt_tokens: int | None
    completion_tokens: int | None
    truncated: bool
    others: tuple[Answer, ...] = ()
    """Further choices that came with this one. Its token counts hold theirs, so they count 0
    themselves."""


def read_answer(body: object, model: str, where: str) -> Answer:
    """Return the answer in the decoded JSON `body` that `where` sent for `model`.

    Thoughts (`<think>`, `reasoning_content`) are left out, unless the answer is nowhere else; a
    refusal in words is an answer. Of several choices those without text come last. Raises
    BadResponseError for what is no chat completion, and the error it speaks of for an error that
    came with status 200, also in a choice.
    """
    if not isinstance(body, dict):
        raise _no_completion(where, body)
    choices = body.get("choices")
    choices = choices if isinstance(choices, list) else []
    good = [choice for choice in choices if _is_good(choice)]
    if not good:
        raise _why_none(choices[0] if choices else None, body, model, where)
    messages = [choice["message"] for choice in good]
    prompt_tokens, completion_tokens = _usage(body.get("usage"), wrote=any(map(_wrote, messages)))
    served_by = body.get("model")
    first = Answer(
        text="",
        served_by=served_by if isinstance(served_by, str) else "",
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
    """Whether a choice holds a message, and no error."""
    return (
        isinstance(choice, dict) and isinstance(choice.get("message"), dict) and not _wrong(choice)
    )


def _why_none(choice: object, body: Mapping[str, Any], model: str, where: str) -> ProposerError:
    """Return the error for a body without a usable choice; `choice` is its first one."""
    if isinstance(choice, dict) and (wrong := _wrong(choice)):
        broken = _error_inside(wrong, model, where)
        broken.may_be_billed = True  # it had begun to write
        return broken
    if body.get("error"):
        return _error_inside(body["error"], model, where)
    return _no_completion(where, body)


def _wrote(message: Mapping[str, Any]) -> bool:
    """Whether the model wrote anything, be it thoughts or a call."""
    names = ("content", "refusal", "tool_calls", "function_call", *_THOUGHTS)
    return any(message.get(name) for name in names)


def _whole_text(message: Mapping[str, Any], truncated: bool) -> str:
    """Return a message's text, wherever a server puts it.

    An answer without content is looked for in the calls of tools, and then in the thoughts: some
    servers file all of an answer there. Thoughts that were cut off, or hold no function, are no
    answer.
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
    """Return the arguments of a message's calls; they are JSON, which the extraction reads."""
    calls = message.get("tool_calls")
    lookup: Sequence[Any] = calls if isinstance(calls, list) else ()
    named = [call.get("function") for call in lookup if isinstance(call, dict)]
    arguments = [_arguments(function) for function in (*named, message.get("function_call"))]
    return "\n\n".join(filter(None, arguments))


def _arguments(function: object) -> str:
    """Return a call's arguments as text; some servers send them as an object."""
    given = function.get("arguments") if isinstance(function, dict) else None
    return json.dumps(given) if isinstance(given, dict) and given else _text(given)


def without_thoughts(text: str) -> str:
    """Return `text` without the `<think>` block that it begins with; one that never ends is all
    thought.

    Some chat templates write the opening tag themselves, so that an answer only holds the closing
    one.
    """
    begins = text.lstrip().startswith("<think>")
    thoughts, end, answer = text.partition("</think>")
    if end and (begins or "<think>" not in thoughts):
        return answer.lstrip()
    return "" if begins else text


def _usage(usage: object, *, wrote: bool) -> tuple[int | None, int | None]:
    """Return the tokens of the prompt and of the answer, thoughts included; None for what is not
    said.

    Some servers count thoughts in the total alone; one that counts nothing, although it `wrote`,
    has not counted.
    """
    if not isinstance(usage, dict) or not usage.get(
        "prompt_tokens"
    ):  # LiteLLM writes 0 for unknown
        return None, None
    counts = [
        _count(usage.get(name)) for name in ("prompt_tokens", "completion_tokens", "total_tokens")
    ]
    prompt, answer, total = counts
    if prompt is not None and total is not None:
        answer = max(answer or 0, total - prompt)
    return prompt, None if wrote and answer == 0 else answer


def _text(content: object) -> str:
    """Return a message's text: None is no text, a list holds parts, of which only text matters."""
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


def _no_completion(where: str, got: object) -> BadResponseError:
    return BadResponseError(
        f"{where} did not answer with a chat completion: check --base-url. It sent: {excerpt(got)}",
        may_be_billed=True,
    )


def _wrong(choice: dict[str, Any]) -> object:
    """Return the error that a gateway put into a choice; LiteLLM puts it, and the finish reason,
    into a dict there."""
    beside = choice.get("provider_specific_fields")
    beside = beside if isinstance(beside, dict) else {}
    broke_off = "error" in (choice.get("finish_reason"), beside.get("native_finish_reason"))
    unnamed = {"code": "error", "message": "it broke the answer off"} if broke_off else None
    return choice.get("error") or beside.get("error") or unnamed


def _error_inside(error: Any, model: str, where: str) -> ProposerError:
    """Return what a gateway means that answers 200 and puts the real status, or its name, into the
    body."""
    facts = error if isinstance(error, dict) else {"message": error}
    names = [facts.get(name) for name in ("code", "status", "type")]
    status = next(filter(None, map(status_from_code, names)), 200)
    said = excerpt(facts.get("message") or error)
    if status == 200 and not any(isinstance(name, str) for name in names[:2]):
        return _no_completion(where, error)
    return error_from_status(
        status, said, f"{' '.join(map(str, names))} {said}", model=model, where=where
    )
