from __future__ import annotations

from typing import Any

import pytest
import torch

from eureka_agent.errors import RewardRuntimeError
from eureka_agent.jail import Sandbox
from tests.support.sandboxed import honest, hostile, state

EUREKA = """
from typing import Tuple, Dict
import math
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

@torch.jit.script
def turn_back(q: Tensor) -> Tensor:
    return torch.cat([q[:, :1], -q[:, 1:]], dim=-1)

@torch.jit.script
def compute_reward(velocity: torch.Tensor, prev_height: Tensor, rotation: Tensor, target_speed: float,
                   temperature: float = 0.5) -> Tuple[torch.Tensor, Dict[str, torch.Tensor]]:
    up: torch.Tensor = torch.tensor([0.0, 0.0, 1.0], device=velocity.device).to(velocity.device)
    speed = torch.norm(velocity, p=2, dim=-1)
    speed_reward = torch.exp(-torch.abs(speed - target_speed) / temperature)
    axis = F.normalize(turn_back(rotation)[:, 1:], dim=-1)
    upright = torch.einsum("ij,j->i", axis, up).clamp(min=-1.0, max=1.0)
    angle = 2 * torch.asin(torch.clamp(torch.linalg.norm(rotation[:, 1:4], dim=-1), max=1.0)) / np.pi
    high = torch.where(prev_height > math.sqrt(0.25), torch.ones_like(prev_height), torch.zeros_like(prev_height))
    components = {}
    for i in range(3):
        components[f"velocity_{i}"] = velocity[:, i]
    reward = speed_reward + 0.1 * upright + high - angle
    components.update({"speed": speed_reward, "mean_height": prev_height.mean()})
    components.update({"is_high": prev_height > 0.5, "one": 1})
    return reward, components
"""


def test_eureka_reward_gives_what_the_same_arithmetic_gives_here(sandbox: Sandbox) -> None:
    rows = state(64)
    reward = honest(sandbox, EUREKA)
    assert reward.parameters == ("velocity", "prev_height", "rotation")
    assert not reward.component_names
    batch = reward(rows)
    assert reward.component_names == tuple(batch.components)
    assert reward.component_names[-4:] == ("speed", "mean_height", "is_high", "one")
    speed = torch.exp(-(rows["velocity"].norm(dim=-1) - 2.0).abs() / 0.5)
    torch.testing.assert_close(batch.components["speed"], speed)
    torch.testing.assert_close(
        batch.components["mean_height"], rows["prev_height"].mean().expand(64)
    )
    assert batch.components["is_high"].tolist() == (rows["prev_height"] > 0.5).float().tolist()
    assert all(
        values.shape == (64,) and values.dtype == torch.float32
        for values in batch.components.values()
    )
    high = (rows["prev_height"] > 0.5).float()
    q = torch.nn.functional.normalize(-rows["rotation"][:, 1:], dim=-1)
    angle = 2 * torch.asin(rows["rotation"][:, 1:].norm(dim=-1).clamp(max=1.0)) / torch.pi
    torch.testing.assert_close(batch.reward, speed + 0.1 * q[:, 2] + high - angle)
    reward.close()


def test_fewer_rows_than_the_maximum_and_no_rows_left_over_from_before(sandbox: Sandbox) -> None:
    with_many, with_few = state(64), {name: -values[:3] for name, values in state(64).items()}
    reward = honest(sandbox, "def compute_reward(height): return height * 2, {'h': height}")
    assert len(reward(with_many).reward) == 64
    batch = reward(with_few)
    assert batch.reward.tolist() == (2 * with_few["height"]).tolist()
    assert batch.components["h"].tolist() == with_few["height"].tolist()
    reward.close()


def test_answers_belong_to_the_caller(sandbox: Sandbox) -> None:
    reward = honest(sandbox, "def compute_reward(height): return height + 0, {}")
    first = reward({"height": torch.zeros(4)})
    reward({"height": torch.ones(4)})
    assert first.reward.tolist() == [0.0, 0.0, 0.0, 0.0]
    reward.close()


def test_all_candidates_work_at_once(sandbox: Sandbox) -> None:
    rewards = [
        honest(sandbox, f"def compute_reward(height): return height * {k}, {{}}") for k in range(4)
    ]
    for reward in rewards:
        reward.submit(state())
    for k, reward in enumerate(rewards):
        torch.testing.assert_close(reward.collect().reward, k * state()["height"])
        reward.close()


WRONG = {
    "column": (
        "return height.unsqueeze(-1), {}",
        r"the reward has shape \(8, 1\), expected \(8,\).*squeeze",
    ),
    "one number": ("return height.mean(), {}", r"the reward has shape \(\), expected \(8,\)"),
    "component of vectors": (
        "return height, {'v': velocity}",
        r"component 'v' has shape \(8, 3\), expected \(8,\)",
    ),
    "not a pair": (
        "x = 1.0\n    return x",
        r"must return the pair \(reward, components\).*not float",
    ),
    "three": ("x = (height, {}, 1)\n    return x", "not tuple of 3"),
    "wrong way round": ("return {}, height", "must return the pair"),
    "pair of tensors": ("return height, height", r"not \(Tensor, Tensor\)"),
    "float reward": ("return 1.0, {}", r"not \(float, dict\)"),
    "text component": (
        "return height, {'a': 'x'}",
        r"component 'a' is str, not a tensor of shape \(8,\)",
    ),
    "long name": (
        "return height, {'a' + f'{height}' * 9: height}",
        "component name .* is not allowed",
    ),
    "many": ("return height, {f'{i}': height for i in range(33)}", "33 components; at most 32"),
    "nan": (
        "return (height - 9).sqrt(), {'a': height}",
        "NaN or infinite values: the reward in 8 of 8 rows",
    ),
    "one inf": (
        "a = height.clone()\n    a[2] = 1 / (a[2] * 0)\n    return height, {'a': a}",
        "component 'a' in 1 of 8 rows",
    ),
    "shapes": (
        "y = velocity\n    return y @ velocity, {}",
        r"RuntimeError on line 3 \(return y @ velocity, \{\}\): mat1 and mat2",
    ),
    "key": ("a = {}\n    return a['x'], a", r"KeyError on line 3 \(return a\['x'\], a\): 'x'"),
    "math on a tensor": ("import math\n    return math.exp(height), {}", "on line 3"),
}


@pytest.mark.parametrize(("body", "says"), WRONG.values(), ids=WRONG.keys())
def test_broken_contract_gives_one_sentence(sandbox: Sandbox, body: str, says: str) -> None:
    reward = honest(sandbox, f"def compute_reward(height, velocity):\n    {body}\n")
    with pytest.raises(RewardRuntimeError, match=says) as caught:
        reward(state())
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(".")
    assert reward.pid is None
    with pytest.raises(RewardRuntimeError, match="The reward function failed"):
        reward.submit(state())


def test_a_reward_without_a_pair_has_no_components(sandbox: Sandbox) -> None:
    reward = honest(sandbox, "def compute_reward(height): return 2.0 * height")
    batch = reward(state())
    assert torch.equal(batch.reward, 2.0 * state()["height"])
    assert batch.components == {}
    reward.close()


IN_PLACE = {
    "a part": "velocity[:, 2] = 0.0\n    return velocity.sum(dim=-1)",
    "a view": "ahead = velocity[:, 2]\n    ahead *= 0.0\n    return velocity.sum(dim=-1)",
    "where a mask says so": "velocity[velocity > 0.0] = 1.0\n    return velocity.sum(dim=-1)",
    "the whole": "velocity += 1.0\n    return velocity[:, 0] + prev_velocity[:, 0]",
}


@pytest.mark.parametrize("body", IN_PLACE.values(), ids=IN_PLACE.keys())
def test_a_reward_writes_into_copies_of_its_inputs(sandbox: Sandbox, body: str) -> None:
    given, kept = state(), state()
    expected = _called(body, state())
    reward = honest(sandbox, f"def compute_reward(velocity, prev_velocity):\n    {body}\n")
    graph = reward.graph(given)
    for _ in range(3):  # changes of one call must not reach the next
        torch.testing.assert_close(reward(given).reward, expected)
        assert graph is not None
        torch.testing.assert_close(graph.graph(given).reward, expected)
    assert all(torch.equal(given[name], kept[name]) for name in kept)
    reward.close()


def _called(body: str, rows: dict[str, torch.Tensor]) -> torch.Tensor:
    """Return the body's result in this process; only for these tests' own sources."""
    names: dict[str, Any] = {}
    exec(f"def compute_reward(velocity, prev_velocity):\n    {body}\n", names)
    result = names["compute_reward"](rows["velocity"], rows["prev_velocity"])
    assert isinstance(result, torch.Tensor)
    return result


def test_components_must_stay_the_same(sandbox: Sandbox) -> None:
    code = (
        "def compute_reward(height):\n    return height, ({'a': height} if height[0] > 0 else {'b':"
        " height})"
    )
    reward = honest(sandbox, code)
    reward({"height": torch.ones(2)})
    with pytest.raises(
        RewardRuntimeError, match=r"components changed between calls, from \['a'\] to \['b'\]"
    ):
        reward({"height": -torch.ones(2)})


def test_nothing_lasts_from_one_call_to_the_next(sandbox: Sandbox) -> None:
    code = (
        "CALLS = []\ndef compute_reward(height):\n    CALLS.append(1)\n    return height *"
        " len(CALLS), {}"
    )
    reward = honest(sandbox, code)
    for _ in range(3):
        assert torch.equal(reward(state()).reward, state()["height"])
    reward.close()


def test_deadline_counts_the_candidates_own_processor_time(sandbox: Sandbox) -> None:
    reward = hostile(sandbox, "if height[0] > 0:\n    while True: pass")
    reward({"height": torch.zeros(1)})
    with pytest.raises(RewardRuntimeError, match="more than 1 s of processor time in one call"):
        reward({"height": torch.ones(1)})


def test_caller_mistakes_are_value_errors(sandbox: Sandbox) -> None:
    reward = honest(sandbox, "def compute_reward(height, velocity): return height, {}")
    with pytest.raises(ValueError, match=r"'velocity' has shape None, expected \(8, 3\)"):
        reward.submit({"height": torch.zeros(8)})
    with pytest.raises(ValueError, match="at most 64 rows, not 65"):
        reward.submit(state(65))
    with pytest.raises(ValueError, match="submit"):
        reward.collect()
    reward.submit(state())
    with pytest.raises(ValueError, match="collect"):
        reward.submit(state())
    reward.close()
    with pytest.raises(ValueError, match="closed"):
        reward.submit(state())


def test_every_kind_of_operation_works_when_nothing_can_be_loaded_any_more(
    sandbox: Sandbox,
) -> None:
    reward = honest(
        sandbox,
        """
import torch
import torch.nn.functional as F
def compute_reward(velocity, rotation, height, action):
    r = torch.zeros_like(height)
    for f in [torch.sin, torch.cos, torch.tanh, torch.exp, torch.sigmoid, torch.sqrt, torch.erf, torch.log1p,
              torch.atan, torch.round, torch.sign, torch.rsqrt, torch.square, torch.relu, F.softplus, F.elu, F.gelu]:
        r = r + f(height)
    m = torch.einsum("ni,nj->nij", velocity, velocity) + torch.eye(3)
    r = r + torch.linalg.det(m) + torch.linalg.inv(m).sum((-1, -2))
    r = r + torch.bmm(m, m).diagonal(dim1=-2, dim2=-1).sum(-1) + torch.cdist(m, m)[:, 0, 1]
    r = r + torch.cross(velocity, velocity.flip(-1), dim=-1).norm(dim=-1) + torch.atan2(height, r)
    r = r + F.cosine_similarity(velocity, velocity + 1, dim=-1)
    r = r + F.huber_loss(velocity, m[:, 0], reduction="none").sum(-1) + rotation.std(dim=-1)
    r = r + torch.sort(rotation, dim=-1).values[:, 0] + torch.topk(rotation, 2, dim=-1).values[:, 1]
    r = r + torch.cumsum(rotation, dim=-1)[:, 2] + rotation.gather(1, rotation.argmax(-1, keepdim=True)).squeeze(-1)
    r = r + (velocity @ torch.ones(3, 5)).sum(-1) + torch.matmul(m, velocity.unsqueeze(-1)).squeeze(-1).prod(-1)
    r = r + F.one_hot((height > 0.5).long(), 2)[:, 1] + torch.logsumexp(rotation, -1)
    r = r + torch.median(rotation, -1).values
    return r.nan_to_num(), {"softmax": rotation.softmax(-1)[:, 0], "pow": height ** 1.5 + torch.linspace(0, 1, 2)[1]}
""",
        max_rows=20_000,
    )
    assert reward(state(20_000)).reward.isfinite().all()
    reward.close()
