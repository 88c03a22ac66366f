"""What every test needs: no rendering, one torch thread, and the loopback model server."""

from __future__ import annotations

import os
from collections.abc import Iterator

os.environ.setdefault("MUJOCO_GL", "disable")

import pytest
import torch

from eureka_agent.jail import Sandbox
from tests.support.openai_server import ChatServer

torch.set_num_threads(1)


@pytest.fixture
def chat_server() -> Iterator[ChatServer]:
    """Yield a running chat completions server on 127.0.0.1."""
    with ChatServer() as server:
        yield server


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """Yield one open wall for all runs of a session: building it takes seconds."""
    with Sandbox() as sandbox:
        yield sandbox
