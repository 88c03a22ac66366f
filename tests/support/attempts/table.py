"""Write the table of all attempts, `docs/sandbox_attempts.md`.

Run `python -m tests.support.attempts.table` to update it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from eureka_agent.checks import check_source
from eureka_agent.errors import CheckError
from tests.support.attempts import ATTEMPTS, Attempt
from tests.support.sandboxed import SPEC

_HEAD = """# Attempts to escape from the sandbox

`python -m tests.support.attempts.table` writes this page from `tests/support/attempts/`.
`tests/jail/test_attempts.py` runs each of the {count} attempts with the static checks on and with
only the layers behind them, as root and as an unprivileged user. After each attempt the planted
file and its folder, the planted key, the servers on this machine, the trusted process's settings,
its state tensors, another candidate and the fitness must be intact.

*Stopped first by* says what stops an attempt with the static checks on. Without them, the layers
stop it or it has no effect outside its own process. The checks refuse {refused} attempts. The other
{rest} consist of allowed Python and are left to the layers and to the check of the answer.
"""


def table() -> str:
    """Return the page."""
    refused = sum(is_refused(attempt) for attempt in ATTEMPTS)
    head = _HEAD.format(count=len(ATTEMPTS), refused=refused, rest=len(ATTEMPTS) - refused)
    return "\n".join([head, *_sections()]) + "\n"


def _sections() -> Iterator[str]:
    for kind, attempts in groupby(sorted(ATTEMPTS, key=lambda a: a.kind), key=lambda a: a.kind):
        yield f"## {kind[0].upper()}{kind[1:]}\n"
        yield "| attempt | must be intact | stopped first by |\n|---|---|---|"
        for attempt in attempts:
            yield f"| {attempt.name} | {attempt.intact} | {'checks' if is_refused(attempt) else 'layers'} |"
        yield ""


def is_refused(attempt: Attempt) -> bool:
    names = {
        "FILE": "/planted/file",
        "FOLDER": "/planted",
        "PID": 1,
        "TCP": 1,
        "UDP": 1,
        "UNIX": "/u",
        "ABSTRACT": "a",
    }
    try:
        check_source(attempt.source(names), SPEC)
    except CheckError:
        return True
    return False


if __name__ == "__main__":
    (Path(__file__).parents[3] / "docs" / "sandbox_attempts.md").write_text(
        table(), encoding="utf-8"
    )
