"""Near names for error messages."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def did_you_mean(name: str, options: Iterable[str], *, limit: int = 3) -> str:
    """Return `` Did you mean 'x' or 'y'?`` for the options that look like `name`, or an empty string."""
    options = list(options)
    folded = {option.casefold(): option for option in options}
    near = difflib.get_close_matches(name.casefold(), folded, n=limit, cutoff=0.6)
    names = [repr(folded[match]) for match in near]
    return f" Did you mean {' or '.join(names)}?" if names else ""
