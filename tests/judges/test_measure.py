"""What a success measure may be: hostile and useless ones are refused, the others bounded."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from eureka_agent.checks import check_source
from eureka_agent.errors import CandidateError
from eureka_agent.extract import extract
from eureka_agent.jail import Sandbox
from eureka_agent.judges.measure import MeasureChecks, as_reward, shown
from eureka_agent.judges.measured import EPISODES, measured
from eureka_agent.records import RewardSource
from eureka_agent.tasks.registry import find_task

CARTPOLE = find_task("cartpole")


@pytest.fixture(scope="module")
def checks(sandbox: Sandbox) -> MeasureChecks:
    return MeasureChecks(CARTPOLE, sandbox, seed=0)


def source(body: str) -> RewardSource:
    text = f"import torch\n\n\ndef measure(dof_pos, dof_vel):\n    {body}\n"
    return check_source(extract(as_reward(text), of="file"), CARTPOLE.reward_inputs)


GOOD = {
    "share of the steps": "return (dof_pos[:, 1].abs() < 0.01).float() / 500.0",
    "once, when it is reached": "return (dof_pos[:, 0] > 1.9).float()",
    "with components": "x = dof_pos[:, 0] / 500.0\n    return x, {'x': x}",
}
HOSTILE = {
    "imports": ("import os\n    return dof_pos[:, 0]", "os"),
    "infinite loop": ("while True: pass", "while"),
    "NaN": ("return torch.log(-dof_pos[:, 0].abs() - 1.0)", "NaN or infinite"),
    "infinity": ("return 1.0 / (dof_vel[:, 0] * 0.0)", "NaN or infinite"),
    "always 1": ("return torch.ones_like(dof_pos[:, 0])", "Random actions already reach 1.00"),
    "too much in one step": ("return dof_pos[:, 1].abs() * 1e6", "A single step contributes up to"),
    "mean over environments": ("return dof_pos[:, 0] - dof_pos[:, 0].mean()", "other rows"),
}


@pytest.mark.parametrize("body", GOOD.values(), ids=GOOD)
def test_sound_measures_pass(checks: MeasureChecks, body: str) -> None:
    checks.check(source(body))


@pytest.mark.parametrize(("body", "reason"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_measures_are_refused_with_a_reason(
    checks: MeasureChecks, body: str, reason: str
) -> None:
    with pytest.raises(CandidateError, match=reason):
        checks.check(source(body))


@pytest.mark.slow
def test_measure_that_never_ends_is_stopped_and_refused(checks: MeasureChecks) -> None:
    endless = "x = dof_pos[:, 0]\n    for _ in range(10**12): x = x + 1.0\n    return x"
    with pytest.raises(CandidateError, match="processor time"):
        checks.check(source(endless))


def test_scores_are_cut_to_0_and_1_and_policies_share_their_episodes(sandbox: Sandbox) -> None:
    task = CARTPOLE.without_end()
    measure = source("return dof_pos[:, 0].clamp(-1.0, 1.0)")

    def left(observation: Tensor) -> Tensor:
        return torch.full((len(observation), 1), -1.0)

    def right(observation: Tensor) -> Tensor:
        return torch.full((len(observation), 1), 1.0)

    to_left, to_right, again = measured(task, measure, sandbox, [left, right, right], seed=1)
    assert to_left is not None
    assert to_right is not None
    assert again is not None
    assert to_left.tolist() == [0.0] * EPISODES
    assert to_right.tolist() == [1.0] * EPISODES
    assert torch.equal(to_right, again)


def test_measure_that_fails_on_a_policys_states_gives_it_no_score(sandbox: Sandbox) -> None:
    task = CARTPOLE.without_end()
    measure = source("return torch.sqrt(1.0 - dof_pos[:, 0]) / 1000.0")

    def right(observation: Tensor) -> Tensor:
        return torch.full((len(observation), 1), 1.0)

    def left(observation: Tensor) -> Tensor:
        return torch.full((len(observation), 1), -1.0)

    fails, works = measured(task, measure, sandbox, [right, left], seed=1)
    assert fails is None
    assert works is not None


def test_name_of_the_function_is_measure_for_people_and_models() -> None:
    text = "def measure (x):\n    measured = 1\n"
    assert as_reward(text) == "def compute_reward(x):\n    measured = 1\n"
    assert shown("compute_reward takes 'y'") == "measure takes 'y'"
