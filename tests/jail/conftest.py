from __future__ import annotations

from collections.abc import Iterator

import pytest

from eureka_agent.jail import Wall
from tests.support.wall import SECRET, SECRET_NAME


@pytest.fixture(scope="session")
def wall() -> Iterator[Wall]:
    """One wall for all tests, started by a process that has a key in its environment."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(SECRET_NAME, SECRET)
        with Wall(first_call_s=1.5, call_s=1.0, memory_mib=512) as wall:
            yield wall
