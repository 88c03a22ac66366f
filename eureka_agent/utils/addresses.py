"""Server addresses: whether one is on this machine, and which may not be used."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from eureka_agent.errors import UsageError


def is_local(url: str) -> bool:
    """Return whether `url` is on this machine. Raises UsageError if it is not a URL."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in ("http", "https"):
        raise UsageError(f"The base URL must look like http://localhost:8000/v1, got {url!r}.")
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def refuse_user_information(url: str, option: str) -> None:
    """Raise UsageError for `http://user:password@host`: addresses are stored and shown.

    `option`: the option that holds the address. The message does not repeat the address.
    """
    if "@" in url.partition("://")[2].partition("/")[0]:
        raise UsageError(
            f"{option} holds a user name or a password (the part before the @), and addresses"
            " are stored and shown: leave it out, and give a key in OPENAI_API_KEY."
        )
