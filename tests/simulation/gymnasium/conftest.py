"""What the tests of Gymnasium's environments share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import gymnasium
import pytest

from eureka_agent.tasks.ids import task_of_id
from tests.support.gymnasium_package import write_package


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of a package in `sys.path` that registers `someones/Point-v0` when imported."""
    before = dict(gymnasium.registry)
    monkeypatch.syspath_prepend(str(tmp_path))
    name = write_package(tmp_path, f"package_{abs(hash(str(tmp_path)))}")
    yield name
    gymnasium.registry.clear()
    gymnasium.registry.update(before)
    task_of_id.cache_clear()
