"""A chat completions server on 127.0.0.1 with scripted answers and failures."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, Self


@dataclass(frozen=True)
class Reply:
    """One HTTP answer; the functions below create it."""

    status: int = 200
    body: str | bytes = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    delay_s: float = 0.0
    reset: bool = False
    """Cut the connection instead of answering."""
    declared: int | None = None
    """A Content-Length that is not the body's."""
    stop_after: int | None = None
    """Send this many bytes of the body, and then..."""
    then: Literal["close", "stall", "reset"] = "close"
    drip_s: float = 0.0
    """Pause after each byte of the body."""
    endless: bool = False
    """Send the body over and over again, until the reader goes away."""
    protocol: bool = True
    """False: send the body without a status line and headers."""


def completion(
    content: object,
    *,
    finish_reason: str = "stop",
    usage: Mapping[str, int] | None = None,
    model: str = "test-model",
    delay_s: float = 0.0,
) -> Reply:
    """Return a chat completion; `content` may be text, None, a list of parts, or invalid."""
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": content},
        "finish_reason": finish_reason,
    }
    body = {
        "id": "c",
        "object": "chat.completion",
        "created": 1,
        "model": model,
        "choices": [choice],
    }
    return Reply(body=json.dumps(body | ({"usage": dict(usage)} if usage else {})), delay_s=delay_s)


def choices(*contents: object, usage: Mapping[str, int] | None = None) -> Reply:
    """Return a chat completion with several choices, each a text or a whole message."""
    body = json.loads(str(completion("", usage=usage).body))
    messages = [
        content if isinstance(content, dict) else {"content": content} for content in contents
    ]
    parts = [
        {"index": index, "message": {"role": "assistant", **message}, "finish_reason": "stop"}
        for index, message in enumerate(messages)
    ]
    return Reply(body=json.dumps(body | {"choices": parts}))


def streamed(
    *deltas: Mapping[str, Any],
    usage: Mapping[str, int] | None = None,
    finish_reason: str | None = "stop",
) -> Reply:
    """Return a stream of events: a chunk for each delta, then the end, the usage and the mark.

    Without a `finish_reason` it breaks off after the last delta.
    """
    head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "test-model"}
    chunks: list[dict[str, Any]] = [
        head | {"choices": [{"index": 0, "delta": dict(delta), "finish_reason": None}]}
        for delta in deltas
    ]
    if finish_reason is not None:
        chunks.append(
            head | {"choices": [{"index": 0, "delta": {}, "finish_reason": finish_reason}]}
        )
        chunks += [head | {"choices": [], "usage": dict(usage)}] if usage else []
    events = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks]
    events += ["data: [DONE]\n\n"] if finish_reason is not None else []
    return Reply(body=": ping\n\n" + "".join(events), content_type="text/event-stream")


def error(
    status: int, message: str = "an error", *, code: str | None = None, **headers: str
) -> Reply:
    """Return an error in OpenAI's form; `retry_after="1"` sets the header Retry-After."""
    body = {"error": {"message": message, "type": code or "error", "param": None, "code": code}}
    named = {name.replace("_", "-").title(): value for name, value in headers.items()}
    return Reply(status, json.dumps(body), named)


def raw(body: str, *, status: int = 200, content_type: str = "application/json") -> Reply:
    """Return any body, such as a proxy's HTML page."""
    return Reply(status, body, content_type=content_type)


def reset() -> Reply:
    """Return no answer: the connection is reset."""
    return Reply(reset=True)


def broken(reply: Reply, **how: Any) -> Reply:
    """Return a reply with a transport failure; see `Reply`."""
    return replace(reply, **how)


class ChatServer:
    """The server, a context manager.

    `script` holds the replies in the order of requests; `default` (a reply, or a function of the
    request) answers when the script is empty.
    """

    def __init__(self) -> None:
        self.script: list[Reply] = []
        self.default: Reply | Callable[[dict[str, Any]], Reply] = completion("hello")
        self.requests: list[dict[str, Any]] = []
        """Each request's JSON body."""
        self.headers: list[dict[str, str]] = []
        """Each request's headers, names in lower case."""
        self.paths: list[str] = []
        """Each request's path, with its query."""
        self.max_in_flight = 0
        self.stopping = threading.Event()
        self._in_flight = 0
        self._lock = threading.Lock()
        self._http = _QuietServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    @property
    def base_url(self) -> str:
        """The base URL for a client."""
        return f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    def order(self, replies: Iterable[Reply]) -> None:
        """Append to the script."""
        self.script += replies

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def take(self, path: str, request: dict[str, Any], headers: dict[str, str]) -> Reply:
        """Record a request and return its reply; `done` must follow after the reply's delay."""
        with self._lock:
            self._in_flight += 1
            self.max_in_flight = max(self.max_in_flight, self._in_flight)
            self.requests.append(request)
            self.headers.append(headers)
            self.paths.append(path)
            if path.partition("?")[0] not in (
                "/v1/chat/completions",
                "/openai/deployments/d/chat/completions",
            ):
                return raw('{"detail": "Not Found"}', status=404)
            if self.script:
                return self.script.pop(0)
        return self.default(request) if callable(self.default) else self.default

    def done(self) -> None:
        """Count a request as answered."""
        with self._lock:
            self._in_flight -= 1


class _QuietServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a test must not wait for a reply that nobody reads any more
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing when a client went away."""


def _handler(server: ChatServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            reply = server.take(
                self.path, body, {name.lower(): value for name, value in self.headers.items()}
            )
            time.sleep(reply.delay_s)
            server.done()
            _write(self, reply, server.stopping)

        def do_GET(self) -> None:
            """Where a redirected POST would end."""
            server.take(self.path, {}, {})
            server.done()
            self.send_error(405)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def _write(handler: BaseHTTPRequestHandler, reply: Reply, stopping: threading.Event) -> None:
    """Send a reply with the failure that it orders."""
    if reply.reset:
        return _reset(handler)
    data = reply.body.encode() if isinstance(reply.body, str) else reply.body
    if reply.protocol:
        _write_headers(handler, reply, len(data))
    while reply.endless:
        handler.wfile.write(data)
    if reply.drip_s:
        for i in range(len(data)):
            handler.wfile.write(data[i : i + 1])
            time.sleep(reply.drip_s)
        return
    handler.wfile.write(data[: reply.stop_after])
    if reply.stop_after is not None or reply.declared is not None or not reply.protocol:
        handler.close_connection = True
        if reply.then == "stall":
            stopping.wait(30.0)
        if reply.then == "reset":
            _reset(handler)


def _write_headers(handler: BaseHTTPRequestHandler, reply: Reply, length: int) -> None:
    handler.send_response(reply.status)
    for name, value in {"Content-Type": reply.content_type, **reply.headers}.items():
        handler.send_header(name, value)
    if not reply.endless:
        handler.send_header(
            "Content-Length", str(length if reply.declared is None else reply.declared)
        )
    handler.end_headers()


def _reset(handler: BaseHTTPRequestHandler) -> None:
    # A linger time of 0 makes close() send RST instead of FIN.
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.close_connection = True
    handler.connection.close()
