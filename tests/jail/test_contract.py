from __future__ import annotations

import pytest

from eureka_agent.errors import ContractError
from eureka_agent.jail import Sandbox
from eureka_agent.jail.contract import check_contract
from tests.support.sandboxed import honest, hostile, state


@pytest.mark.parametrize(
    "body",
    [
        "return height * 0.0, {}",
        "return height / (height + 1e-6), {'speed': velocity.norm(dim=-1)}",
        "return height, {'mean_height': height.mean()}",
        "return 1 / rotation.norm(dim=-1), {'turned_up': rotation[:, 0]}",
    ],
    ids=["constant zero", "guarded division", "mean to look at", "division by what is never zero"],
)
def test_sound_rewards_pass(sandbox: Sandbox, body: str) -> None:
    reward = honest(sandbox, f"def compute_reward(height, velocity, rotation): {body}")
    check_contract(reward, state(33))
    assert len(reward.component_names) in (0, 1)
    reward.close()


BROKEN = {
    "shape": ("return velocity, {}", r"shape \(33, 3\), expected \(33,\)"),
    "batch mean": (
        "return height - height.mean(), {}",
        "the reward changed in .* depend on the other rows",
    ),
    "batch maximum": (
        "return height, {'a': height / height.max()}",
        "component 'a' changed in .* other rows",
    ),
    "row index": (
        "return height + torch.arange(33)[: len(height)], {}",
        "depend on the other rows",
    ),
    "division by zero": (
        "return velocity[:, 0] / height, {}",
        "NaN or infinite .* are zero, as .* guard divisions",
    ),
    "logarithm of zero": (
        "return height, {'a': torch.log(height)}",
        "component 'a' .* guard divisions",
    ),
    "if": (
        "if height > 0.5: return height, {}\n    return -height, {}",
        r"use torch\.where\(condition, a, b\) .* & | ~",
    ),
    "max": (
        "return max(height, 0.5), {}",
        r"torch\.clamp, torch\.maximum or torch\.minimum instead of max and min",
    ),
    "math": (
        "import math\n    return height * math.cos(height), {}",
        r"state variables are tensors: use torch\.cos",
    ),
    "float": (
        "return height * float(height), {}",
        r"float\(\) work on numbers, state variables are tensors",
    ),
    "first row": (
        "return height - velocity[0], {}",
        (
            r"'velocity' is \(num_envs, 3\): velocity\[0\] is the first environment, velocity\[:,"
            r" 0\] the first entry"
        ),
    ),
    "first row that fits": (
        "return height - velocity[0].norm(), {}",
        r"depend on the other rows.*\. 'velocity' is \(num_envs, 3\): velocity\[0\]",
    ),
}


@pytest.mark.parametrize(("body", "says"), BROKEN.values(), ids=BROKEN.keys())
def test_broken_reward_gets_the_reason(sandbox: Sandbox, body: str, says: str) -> None:
    reward = honest(sandbox, f"import torch\ndef compute_reward(height, velocity):\n    {body}")
    with pytest.raises(ContractError, match=says) as caught:
        check_contract(reward, state(33))
    assert "\n" not in str(caught.value)
    reward.close()


@pytest.mark.parametrize(
    "body", ["v = height\n    return 0 * v[0] - v.mean(), {}", "return height[0] * height, {}"]
)
def test_no_advice_on_indexing_where_rows_are_not_mistaken_for_entries(
    sandbox: Sandbox, body: str
) -> None:
    reward = honest(sandbox, f"def compute_reward(height, velocity):\n    {body}")
    with pytest.raises(ContractError) as caught:
        check_contract(reward, state(33))
    assert "first environment" not in str(caught.value)
    reward.close()


def test_random_rewards_are_found(sandbox: Sandbox) -> None:
    reward = hostile(sandbox, "height = height + torch.rand(1)", max_rows=33)
    with pytest.raises(ContractError, match="equal inputs must give equal values"):
        check_contract(reward, state(33))
    reward.close()
