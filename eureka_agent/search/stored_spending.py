"""What a run has spent on models, continued from its database."""

from __future__ import annotations

from eureka_agent.proposers.spending import Usage, UsageLimits
from eureka_agent.runs.store import Store
from eureka_agent.utils.serialization import from_json, to_json


def continue_spending(spending: UsageLimits, store: Store) -> None:
    """Start limits with what the run has spent so far, and store every change."""
    spent = store.metadata("spending")
    spending.resume_from(
        from_json(Usage, spent) if spent else Usage(),
        lambda reserved: store.save_metadata("spending", to_json(reserved)),
    )
