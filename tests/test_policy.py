"""Policies on disk, and what their last layers do."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from eureka_agent import Policy
from eureka_agent.errors import UsageError


def test_a_policy_is_read_as_it_was_written(tmp_path: Path) -> None:
    policy = Policy((3, 5, 2), "relu", "tanh", float("inf"))
    policy.observation_mean.fill_(1.0)
    policy.save(tmp_path / "policy.safetensors")
    again = Policy.load(tmp_path / "policy.safetensors")
    assert (again.sizes, again.activation, again.output) == ((3, 5, 2), "relu", "tanh")
    x = torch.randn(4, 3) * 100
    assert torch.equal(policy(x), again(x))


def test_a_file_that_only_knows_sizes_has_elu_and_clips(tmp_path: Path) -> None:
    policy = Policy((3, 5, 2))
    save_file(dict(policy.state_dict()), tmp_path / "old.safetensors", metadata={"sizes": "[3, 5, 2]"})
    old = Policy.load(tmp_path / "old.safetensors")
    assert (old.activation, old.output, old.observation_clip) == ("elu", "clip", 10.0)
    x = torch.randn(4, 3)
    assert torch.equal(policy(x), old(x))


def test_a_file_with_an_unknown_activation(tmp_path: Path) -> None:
    header = {"policy": '{"sizes": [3, 2], "activation": "swish"}'}
    save_file(dict(Policy((3, 2)).state_dict()), tmp_path / "odd.safetensors", metadata=header)
    with pytest.raises(UsageError, match="is not a policy file"):
        Policy.load(tmp_path / "odd.safetensors")


@pytest.mark.parametrize(("activation", "output"), [("elu", "clip"), ("relu", "tanh"), ("tanh", "clip")])
def test_the_network_by_hand(activation: str, output: str) -> None:
    functions = {"elu": torch.nn.ELU(), "relu": torch.nn.ReLU(), "tanh": torch.nn.Tanh()}
    policy = Policy((1, 1, 1), activation, output)  # type: ignore[arg-type]
    for layer in policy.layers:
        assert isinstance(layer, torch.nn.Linear)
        torch.nn.init.constant_(layer.weight, 2.0)
        torch.nn.init.constant_(layer.bias, 0.5)
    # -1 becomes 2 (-1) + 0.5 = -1.5, then f(-1.5), then 2 f(-1.5) + 0.5
    last = 2.0 * functions[activation](torch.tensor(-1.5)) + 0.5
    expected = torch.tanh(last) if output == "tanh" else last.clamp(-1.0, 1.0)
    assert policy(torch.tensor([[-1.0]])).item() == pytest.approx(float(expected))
