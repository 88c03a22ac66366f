"""Named sets of search settings (`--protocol`)."""

from __future__ import annotations

from typing import Any, Literal

from eureka_agent.errors import UsageError
from eureka_agent.utils.did_you_mean import did_you_mean

ProtocolName = Literal["eureka", "matched"]

PROTOCOLS: dict[str, dict[str, Any]] = {
    "eureka": {
        "generations": 25,
        "samples": 16,
        "strategy": "restarts:5",
        "seeds": 1,
        "final_seeds": 5,
        "budget": "paper",
    },
    "matched": {"generations": 5, "samples": 16, "seeds": 1, "final_seeds": 5},
}
"""What each protocol sets. `eureka` is the paper's: five searches of five generations of 16, with
one training each; the best of all is trained with five more seeds. `matched` takes 80 trainings
with every strategy."""


def settings_of(protocol: str | None) -> dict[str, Any]:
    """Return what a protocol sets; nothing for None. Raises UsageError for an unknown one."""
    if protocol is None:
        return {}
    if protocol not in PROTOCOLS:
        raise UsageError(
            f"There is no protocol {protocol!r}: choose one of {', '.join(PROTOCOLS)}."
            f"{did_you_mean(protocol, list(PROTOCOLS))}"
        )
    return PROTOCOLS[protocol]
