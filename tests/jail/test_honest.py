"""Valid rewards, as models write them and of every task, pass on the tasks' real states."""

from __future__ import annotations

import pytest

from eureka_agent.checks import check_source
from eureka_agent.jail import Sandbox
from eureka_agent.jail.contract import check_contract
from tests.support.honest import HONEST, REWARDS, samples, task_of


@pytest.mark.parametrize("name", REWARDS)
def test_valid_reward_passes_checks_sandbox_and_contract(sandbox: Sandbox, name: str) -> None:
    task, code = REWARDS[name]
    spec = task_of(task).reward_inputs
    rows = samples(task)
    reward = sandbox.open(check_source(code, spec), spec, max_rows=len(rows["action"]))
    check_contract(reward, rows)
    batch = reward(rows)
    assert batch.reward.shape == (len(rows["action"]),)
    assert batch.components
    reward.close()


def test_there_are_enough_of_them() -> None:
    assert len(HONEST) >= 30
