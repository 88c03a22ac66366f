"""Read a form that a browser sent: limited in size, in fields and in kind."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request

from eureka_agent.server.guard import Access
from eureka_agent.text import storable

MOST_BYTES = 1_000_000
MOST_FIELDS = 2_000
_KIND = "application/x-www-form-urlencoded"


async def read_form(request: Request, access: Access) -> Mapping[str, str]:
    """Return the fields of a form by name.

    Args:
        request: The request, whose body was not read yet.
        access: Knows the token that each of our forms holds.

    Returns:
        The fields without the token; line breaks are `\\n`.

    Raises:
        HTTPException: 413 or 415 for a form that is too large or of another kind; 400 for a field
            that stands in it twice; 403 without the token.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _KIND:
        raise HTTPException(415, "This page takes plain forms only.")
    body = await _read(request)
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            errors="replace",
            max_num_fields=MOST_FIELDS,
        )
    except ValueError as error:
        raise HTTPException(413, f"A form has at most {MOST_FIELDS:,} fields.") from error
    fields = {name: storable(value.replace("\r\n", "\n")) for name, value in pairs}
    if len(fields) != len(pairs):
        raise HTTPException(400, "A field stands in this form twice.")
    if not access.allows_form(fields.pop("token", "")):
        raise HTTPException(403, "This form is not from this page: load the page again.")
    return fields


async def _read(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise HTTPException(413, f"A form has at most {MOST_BYTES:,} bytes.")
    return bytes(body)
