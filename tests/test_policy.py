"""Policies on disk, and what their last layers do."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
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


def declared(sizes: object, tensors: Mapping[str, tuple[int, ...]], tail: bytes = b"") -> bytes:
    """Return a policy's file whose header declares tensors that are not there."""
    header: dict[str, object] = {"__metadata__": {"policy": json.dumps({"sizes": sizes})}}
    at = 0
    for name, shape in tensors.items():
        end = at + 4 * math.prod(shape)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [at, end]}
        at = end
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + tail


HUGE = {"observation_mean": (10**9,), "observation_std": (10**9,), "layers.0.weight": (1, 10**9), "layers.0.bias": (1,)}


@pytest.mark.parametrize(
    "data",
    [
        declared([10**9, 1], HUGE),
        declared([10**9, 10**9], {}),
        declared([10**9, 1], {"observation_mean": (1,)}, bytes(4)),
        declared([-1, 1], {}),
        declared("abc", {}),
        (2**62).to_bytes(8, "little") + b"{}",
        (99_999).to_bytes(8, "little") + b"[" * 99_999,
        b"",
    ],
    ids=["huge", "huge without tensors", "one tensor", "negative", "no list", "long header", "nested", "empty"],
)
def test_a_header_that_declares_more_than_there_is_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "policy.safetensors").write_bytes(data)
    with pytest.raises(UsageError, match="is not a policy file"):
        Policy.load(tmp_path / "policy.safetensors")
    with pytest.raises(ValueError, match=r"."):
        Policy.from_bytes(data)


def test_a_policy_of_many_gigabytes_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "policy.safetensors"
    path.write_bytes(declared([10**9, 1], HUGE))
    os.truncate(path, 2**35)  # takes no room on the disk
    with pytest.raises(UsageError, match=r"the file has 34,359,738,368"):
        Policy.load(path)


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
