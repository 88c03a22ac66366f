"""Join a streamed answer into the body of an ordinary one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

_TEXTS = ("content", "reasoning_content", "reasoning", "refusal")


class Stream:
    """Collects the chunks of a streamed chat completion, in order."""

    def __init__(self) -> None:
        self._body: dict[str, Any] = {}
        self._choices: dict[int, dict[str, Any]] = {}
        self._ended = False

    @property
    def complete(self) -> bool:
        """Whether the answer has ended; otherwise the stream was cut off."""
        finished = [
            choice.get("finish_reason") or choice.get("error") for choice in self._choices.values()
        ]
        return self._ended or bool(self._body.get("error")) or (bool(finished) and all(finished))

    def end(self) -> None:
        """Record the end mark of the stream."""
        self._ended = True

    def take(self, chunk: object) -> None:
        """Add a decoded chunk; anything else is ignored."""
        if not isinstance(chunk, dict):
            return
        self._body |= {name: chunk[name] for name in ("model", "usage", "error") if chunk.get(name)}
        choices = chunk.get("choices")
        for position, part in enumerate(choices if isinstance(choices, list) else ()):
            if isinstance(part, dict):
                index = part.get("index")
                self._add(self._choice(index if isinstance(index, int) else position), part)

    def body(self) -> dict[str, Any]:
        """Return the body of the whole answer."""
        choices = [self._choices[index] for index in sorted(self._choices)]
        error = self._body.get("error")
        if error and choices:  # the model had started to write
            choices = [choice | {"error": error} for choice in choices]
        return self._body | {"choices": choices}

    def _choice(self, index: int) -> dict[str, Any]:
        return self._choices.setdefault(
            index, {"index": index, "message": {"role": "assistant", "content": ""}}
        )

    def _add(self, choice: dict[str, Any], part: Mapping[str, Any]) -> None:
        """Append a part of a choice; some servers send the whole message as one part."""
        choice |= {name: part[name] for name in ("finish_reason", "error") if part.get(name)}
        delta = part.get("delta") or part.get("message")
        message = choice["message"]
        if not isinstance(delta, dict):
            return
        for name in _TEXTS:
            if isinstance(delta.get(name), str):
                message[name] = (message.get(name) or "") + delta[name]
        if isinstance(delta.get("tool_calls"), list):
            calls = message.setdefault("tool_calls", [])
            for position, call in enumerate(delta["tool_calls"]):
                _add_call(calls, position, call)


def _add_call(calls: list[dict[str, Any]], position: int, call: object) -> None:
    """Append a part of a tool call; its arguments come in pieces."""
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(call, dict) or not isinstance(function, dict):
        return
    index = call.get("index", position)
    known = next((known for known in calls if known["index"] == index), None)
    if known is None:
        known = {"index": index, "function": {"arguments": ""}}
        calls.append(known)
    arguments = function.get("arguments")
    if isinstance(arguments, str):
        known["function"]["arguments"] += arguments


def is_stream(text: str) -> bool:
    """Whether a body is a stream of events (WHATWG HTML, section 9.2) rather than JSON."""
    return text.lstrip("\ufeff \r\n").startswith(("data:", "event:", ":", "id:", "retry:"))


def read_stream(text: str) -> Stream:
    """Return the stream in a body's text."""
    stream = Stream()
    for data in _events(text):
        if data.strip() == "[DONE]":
            stream.end()
            continue
        for chunk in _chunks(data):
            stream.take(chunk)
    return stream


def _chunks(data: str) -> list[object]:
    """Return an event's chunks: one, or one a line if the server omits the empty lines.

    A chunk that was cut off is left out; `Stream.complete` reports it.
    """
    chunks: list[object] = []
    for piece in (data, *data.split("\n")):
        try:
            chunks.append(json.loads(piece))
        except (ValueError, RecursionError):
            continue
        if piece is data:
            break
    return chunks


def _events(text: str) -> Iterator[str]:
    """Yield the data of each event."""
    data: list[str] = []
    lines = text.lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for line in (*lines, ""):
        if line.startswith("data:"):
            data.append(line.removeprefix("data:").removeprefix(" "))
        elif not line and data:
            yield "\n".join(data)
            data.clear()
