from __future__ import annotations

from collections.abc import Iterator

import pytest

from eureka_agent.jail import Sandbox
from tests.support.sandboxed import SECRET, SECRET_NAME


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """One sandbox for all tests, started by a process that has a key in its environment."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(SECRET_NAME, SECRET)
        with Sandbox(first_call_s=1.5, call_s=1.0, memory_mib=512) as sandbox:
            yield sandbox
