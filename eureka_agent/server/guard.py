"""Who may use the pages, and what a browser may do with them.

The pages are for the person at this machine. Other pages in the same browser, other programs on the
network and text in a run must not read or send anything:

- a name other than this machine's in `Host` is refused (DNS rebinding);
- every request needs the secret, from the address once and then from a cookie that no other site's
  request carries (`SameSite=Strict`) and no script can read (`HttpOnly`);
- a form is accepted only from our own pages: `Origin`, and a token in the form;
- the content security policy lets a page load and send nothing elsewhere, and run no script that is
  not a file of ours.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_OUR_NAME = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?")
"""Any port: a tunnel changes the port that a browser names, and other sites cannot use the name."""
_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:;"
        " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_ENTRANCE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>eureka_agent</title>
<link rel="icon" href="data:,"><meta http-equiv="refresh" content="0; url={path}"></head>
<body><p><a href="{path}">Open the page</a></p></body></html>
"""
"""A page that opens the same page: a redirect from another site would not carry the cookie."""


@dataclass(frozen=True)
class Access:
    """What a browser has to know to use the pages; new for each process."""

    cookie: str
    """Name of the cookie."""
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    """Stands in the address that the terminal shows, then in a cookie."""
    form_token: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    """Stands in every form."""

    @classmethod
    def on_port(cls, port: int) -> Access:
        """Return new secrets for a server on this machine's port.

        Servers on other ports share a browser's cookies, and so do those on other machines that a
        tunnel leads to. So the cookie has a name of its own for each.
        """
        place = hashlib.sha256(f"{socket.gethostname()}:{port}".encode()).hexdigest()
        return cls(f"eureka_{place[:8]}")

    def allows_form(self, token: str) -> bool:
        """Return whether a form came from our own page."""
        return _same(token, self.form_token)

    def knows_secret(self, headers: Headers) -> bool:
        """Return whether a request carries our cookie."""
        try:
            morsel = SimpleCookie(headers.get("cookie", "")).get(self.cookie)
        except CookieError:
            return False
        return morsel is not None and _same(morsel.value, self.secret)


class Guard:
    """The outermost part of the application: refuses requests, and adds headers to every answer."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(_HEADERS)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        if scope["type"] != "http":
            return
        answer = self._refusal(scope) or self._entrance(scope)
        await (answer or self._app)(scope, receive, send_guarded)

    def _refusal(self, scope: Scope) -> Response | None:
        """Return why a request is refused; None if it is not."""
        headers, method = Headers(scope=scope), scope["method"]
        host = headers.get("host", "")
        if len(headers.getlist("host")) != 1 or not _OUR_NAME.fullmatch(host):
            return _refused("This server answers only as 127.0.0.1 or localhost.")
        if method not in ("GET", "HEAD", "POST"):
            return PlainTextResponse("This server knows GET and POST only.", 405)
        if method == "POST" and not _from_our_page(headers, host):
            return _refused("This form does not come from a page of this server.")
        if not self._access.knows_secret(headers) and not self._given(scope):
            return _refused(
                "The secret is missing or wrong: open the address that the terminal shows. A"
                " program that was started again shows a new one."
            )
        return None

    def _entrance(self, scope: Scope) -> Response | None:
        """Return the page that takes the secret out of the address; None if it is not there."""
        if not self._given(scope):
            return None
        answer = HTMLResponse(_ENTRANCE.format(path=_plain_path(scope)))
        answer.set_cookie(
            self._access.cookie, self._access.secret, path="/", httponly=True, samesite="strict"
        )
        return answer

    def _given(self, scope: Scope) -> bool:
        """Return whether the address of a page holds the right secret."""
        name, _, value = scope["query_string"].decode("latin-1").partition("=")
        return scope["method"] == "GET" and name == "secret" and _same(value, self._access.secret)


def _plain_path(scope: Scope) -> str:
    """Return a request's path without its query, as it stands in an attribute."""
    path = scope.get("raw_path", b"/").partition(b"?")[0].decode("ascii", "replace")
    safe = "".join(c for c in path if c.isalnum() or c in "/%._~-")
    return "/" + safe.lstrip("/")  # two slashes would begin another machine's address


def _from_our_page(headers: Headers, host: str) -> bool:
    """Return whether a page of this server sent a form.

    Under the policy `no-referrer` browsers hide the origin of a form (`null`). Then they say
    whether it is the same in a header that no page can set.
    """
    origin = headers.get("origin", "")
    if origin == "null":
        return headers.get("sec-fetch-site") == "same-origin"
    return origin == f"http://{host}"


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())


def _refused(why: str) -> Response:
    return PlainTextResponse(why, 403)
