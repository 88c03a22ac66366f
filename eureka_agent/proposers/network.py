"""Address, proxies and certificates. Each error names the environment variable to change."""

from __future__ import annotations

import importlib.util
import os
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit, urlunsplit
from urllib.request import getproxies, proxy_bypass

from eureka_agent.errors import UsageError
from eureka_agent.utils.addresses import is_local

URL_VARIABLE = "OPENAI_BASE_URL"
OLD_URL_VARIABLE = "OPENAI_API_BASE"
_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
_PROXY_SCHEMES = ("http", "https", "socks5", "socks5h")
_CALL = "/chat/completions"
_AZURE = (".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com")


@dataclass(frozen=True)
class Address:
    """The base URL of a server, split into parts."""

    base: str
    """The URL without the query and without the path of the call."""
    query: dict[str, str]
    """Sent with every request, such as Azure's `api-version`."""
    local: bool
    """Whether the server is on this machine."""

    @property
    def azure(self) -> bool:
        """Whether the server is Azure's, which reads the key from its own header."""
        return (urlsplit(self.base).hostname or "").endswith(_AZURE)


def address(url: str) -> Address:
    """Return the parts of a base URL. Raises UsageError if it is not one."""
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in ("http", "https"):
        raise UsageError(f"The base URL must look like http://localhost:8000/v1, got {url!r}.")
    path = parts.path.rstrip("/").removesuffix(_CALL)
    base = urlunsplit((parts.scheme, parts.netloc, path, "", ""))
    return Address(base, dict(parse_qsl(parts.query, keep_blank_values=True)), is_local(base))


def refuse_old_variable() -> None:
    """Raise UsageError if only the variable of old clients names a server.

    Ignoring it would ask another server than the user expects.
    """
    if os.environ.get(OLD_URL_VARIABLE) and not os.environ.get(URL_VARIABLE):
        raise UsageError(
            f"{OLD_URL_VARIABLE} is set, but it is not read here: set {URL_VARIABLE} to its address"
            f" instead, or give the address with --base-url, or unset {OLD_URL_VARIABLE}."
        )


def check_network_settings() -> None:
    """Raise UsageError if the environment names certificates or a proxy that cannot be used."""
    for name in _CERTIFICATES:
        path = os.environ.get(name)
        if path and not Path(path).exists():
            raise UsageError(
                f"{name} is set to {path}, which does not exist: correct it, or unset it."
            )
    for name, proxy in _proxies().items():
        scheme = proxy.partition("://")[0].lower() if "://" in proxy else "http"
        if scheme not in _PROXY_SCHEMES or not _has_host(proxy):
            raise UsageError(
                f"{name} must name a proxy such as http://host:3128 or socks5://host:1080, got "
                f"{_shown(proxy)!r}: correct it, or unset it."
            )
        if scheme.startswith("socks") and importlib.util.find_spec("socksio") is None:
            raise UsageError(
                f"{name} names a SOCKS proxy ({_shown(proxy)}), which needs a package that is not"
                f" installed: pip install 'httpx[socks]', or unset {name}."
            )


def _has_host(proxy: str) -> bool:
    try:
        parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        _ = parts.port
    except ValueError:
        return False
    return bool(parts.hostname)


def certificates() -> ssl.SSLContext | bool:
    """Return what verifies a server's certificate if the environment's proxies are not used."""
    file, folder = (os.environ.get(name) or None for name in _CERTIFICATES)
    return ssl.create_default_context(cafile=file, capath=folder) if file or folder else True


def proxy_variable(url: str) -> str:
    """Return the variable that names the proxy for `url`, such as HTTPS_PROXY; "" if none."""
    parts = urlsplit(url if "://" in url else f"https://{url}")
    if parts.hostname and proxy_bypass(parts.hostname):
        return ""
    wanted = (f"{parts.scheme}_proxy", "all_proxy")
    return next((name for name in _proxies() if name.lower() in wanted), "")


def network_hint(errors: Iterable[BaseException], url: str) -> str:
    """Return advice for a failed connection to `url`, as a sentence; "" without a special cause."""
    seen = list(errors)
    if any(isinstance(error, ssl.SSLCertVerificationError) for error in seen):
        used = next((name for name in _CERTIFICATES if os.environ.get(name)), "")
        if used:
            return (
                f"no authority in {used}={os.environ[used]} signed its certificate: add the"
                " certificates that your network or server uses (PEM)."
            )
        return (
            "its certificate is not signed by a known authority: set SSL_CERT_FILE to a file with"
            " the certificates that your network or server uses (PEM)."
        )
    if any(isinstance(error, ssl.SSLError) for error in seen):
        return (
            "client and server do not use the same TLS: check whether the address must begin with"
            " http:// or https://."
        )
    if name := proxy_variable(url):
        return (
            f"requests go through the proxy of {name} ({_shown(_proxies()[name])}): check"
            f" {name} or NO_PROXY."
        )
    return ""


def _proxies() -> dict[str, str]:
    """Return the environment's proxies by variable; those for all addresses come last."""
    known = getproxies()
    if known.get("no", "").strip() == "*":
        return {}
    names = [
        name for name in os.environ if name.lower() in ("http_proxy", "https_proxy", "all_proxy")
    ]
    names.sort(key=lambda name: (name.lower() == "all_proxy", name.isupper()))
    return {
        name: os.environ[name]
        for name in names
        if os.environ[name] and name.lower()[: -len("_proxy")] in known
    }


def _shown(proxy: str) -> str:
    """Return a proxy's address without user name and password."""
    return proxy.rpartition("@")[2]
