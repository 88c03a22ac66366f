"""Write records as JSON, and read and check them."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from eureka_agent.errors import StoreError
from eureka_agent.text import one_line

_Record = TypeVar("_Record")
_ADAPTERS: dict[Any, TypeAdapter[Any]] = {}


def _adapter(kind: Any) -> TypeAdapter[Any]:
    """Return the adapter of a type; building one takes milliseconds, so each is cached."""
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]


def to_json(record: object, kind: Any = None) -> str:
    """Return a record as JSON; NaN and infinity survive as `NaN` and `Infinity`."""
    return json.dumps(_adapter(kind or type(record)).dump_python(record, mode="json"))


def from_json(kind: type[_Record], text: str) -> _Record:
    """Return the record that `to_json` wrote. Raises StoreError when it is damaged."""
    try:
        record: _Record = _adapter(kind).validate_python(json.loads(text))
    except (ValidationError, ValueError, TypeError, RecursionError) as error:
        reason = one_line(str(error), 200)
        raise StoreError(f"The run holds a damaged {kind.__name__}: {reason}") from error
    return record
