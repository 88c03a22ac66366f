"""A chat completions server on 127.0.0.1 that answers, or misbehaves, on order."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


@dataclass(frozen=True)
class Reply:
    """One HTTP answer. Build it with the functions below."""

    status: int = 200
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    delay_s: float = 0.0
    reset: bool = False
    """Cut the connection instead of answering."""


def completion(
    content: object,
    *,
    finish_reason: str = "stop",
    usage: Mapping[str, int] | None = None,
    model: str = "test-model",
    delay_s: float = 0.0,
) -> Reply:
    """A chat completion; `content` may be text, None, a list of parts, or anything wrong."""
    choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": finish_reason}
    body = {"id": "c", "object": "chat.completion", "created": 1, "model": model, "choices": [choice]}
    return Reply(body=json.dumps(body | ({"usage": dict(usage)} if usage else {})), delay_s=delay_s)


def error(status: int, message: str = "an error", *, code: str | None = None, **headers: str) -> Reply:
    """An error as OpenAI words it; `retry_after="1"` becomes the header Retry-After."""
    body = {"error": {"message": message, "type": code or "error", "param": None, "code": code}}
    named = {name.replace("_", "-").title(): value for name, value in headers.items()}
    return Reply(status, json.dumps(body), named)


def raw(body: str, *, status: int = 200, content_type: str = "application/json") -> Reply:
    """Any body, such as a proxy's HTML page."""
    return Reply(status, body, content_type=content_type)


def reset() -> Reply:
    """No answer: the connection is reset."""
    return Reply(reset=True)


class ChatServer:
    """The server; use it as a context manager.

    `script` holds the replies for the requests in the order of their arrival, `default` (a reply, or a function
    of the request) answers when it is empty.
    """

    def __init__(self) -> None:
        self.script: list[Reply] = []
        self.default: Reply | Callable[[dict[str, Any]], Reply] = completion("hello")
        self.requests: list[dict[str, Any]] = []
        """Each request's JSON body."""
        self.headers: list[dict[str, str]] = []
        """Each request's headers, names in lower case."""
        self.max_in_flight = 0
        self._in_flight = 0
        self._lock = threading.Lock()
        self._http = _QuietServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    @property
    def base_url(self) -> str:
        """What a client takes as its base URL."""
        return f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    def order(self, replies: Iterable[Reply]) -> None:
        """Append to the script."""
        self.script += replies

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def take(self, path: str, request: dict[str, Any], headers: dict[str, str]) -> Reply:
        """Record a request and return what to answer; after its delay, call `done`."""
        with self._lock:
            self._in_flight += 1
            self.max_in_flight = max(self.max_in_flight, self._in_flight)
            self.requests.append(request)
            self.headers.append(headers)
            if path != "/v1/chat/completions":
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
            reply = server.take(self.path, body, {name.lower(): value for name, value in self.headers.items()})
            time.sleep(reply.delay_s)
            server.done()
            if reply.reset:
                # A linger time of 0 makes close() send RST instead of FIN.
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.close_connection = True
                self.connection.close()
                return
            data = reply.body.encode()
            self.send_response(reply.status)
            for name, value in {"Content-Type": reply.content_type, **reply.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    return Handler
