"""One wall for all runs of a test session: building it takes seconds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from eureka_agent.jail import Wall


@pytest.fixture(scope="session")
def wall() -> Iterator[Wall]:
    """Yield an open wall."""
    with Wall() as wall:
        yield wall
