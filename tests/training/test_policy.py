"""Policies on disk, as torch modules, and with each activation and output."""

from __future__ import annotations

import copy
import io
import json
import math
import os
import pickle
import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from eureka_agent import Policy
from eureka_agent.errors import UsageError


def test_policy_is_read_as_it_was_written(tmp_path: Path) -> None:
    policy = Policy((3, 5, 2), "relu", "tanh", float("inf"))
    policy.observation_mean.fill_(1.0)
    policy.save(tmp_path / "policy.safetensors")
    again = Policy.load(tmp_path / "policy.safetensors")
    assert (again.sizes, again.activation, again.output) == ((3, 5, 2), "relu", "tanh")
    x = torch.randn(4, 3) * 100
    assert torch.equal(policy(x), again(x))


def test_file_with_sizes_alone_has_elu_and_clipped_actions(tmp_path: Path) -> None:
    policy = Policy((3, 5, 2))
    save_file(
        dict(policy.state_dict()), tmp_path / "old.safetensors", metadata={"sizes": "[3, 5, 2]"}
    )
    old = Policy.load(tmp_path / "old.safetensors")
    assert (old.activation, old.output, old.observation_clip) == ("elu", "clip", 10.0)
    x = torch.randn(4, 3)
    assert torch.equal(policy(x), old(x))


def test_file_with_an_unknown_activation_is_refused(tmp_path: Path) -> None:
    header = {"policy": '{"sizes": [3, 2], "activation": "swish"}'}
    save_file(dict(Policy((3, 2)).state_dict()), tmp_path / "odd.safetensors", metadata=header)
    with pytest.raises(UsageError, match="is not a policy file"):
        Policy.load(tmp_path / "odd.safetensors")


def declared(sizes: object, tensors: Mapping[str, tuple[int, ...]], tail: bytes = b"") -> bytes:
    """Return a policy's file whose header declares tensors that are missing."""
    header: dict[str, object] = {"__metadata__": {"policy": json.dumps({"sizes": sizes})}}
    at = 0
    for name, shape in tensors.items():
        end = at + 4 * math.prod(shape)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [at, end]}
        at = end
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + tail


HUGE = {
    "observation_mean": (10**9,),
    "observation_std": (10**9,),
    "layers.0.weight": (1, 10**9),
    "layers.0.bias": (1,),
}


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
    ids=[
        "huge",
        "huge without tensors",
        "one tensor",
        "negative",
        "no list",
        "long header",
        "nested",
        "empty",
    ],
)
def test_header_that_declares_more_than_the_file_has_is_refused(
    tmp_path: Path, data: bytes
) -> None:
    (tmp_path / "policy.safetensors").write_bytes(data)
    with pytest.raises(UsageError, match="is not a policy file"):
        Policy.load(tmp_path / "policy.safetensors")
    with pytest.raises(ValueError, match=r"."):
        Policy.from_bytes(data)


def test_policy_of_many_gigabytes_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "policy.safetensors"
    path.write_bytes(declared([10**9, 1], HUGE))
    os.truncate(path, 2**35)  # takes no room on the disk
    with pytest.raises(UsageError, match=r"the file has 34,359,738,368"):
        Policy.load(path)


@pytest.mark.parametrize(
    ("activation", "output"), [("elu", "clip"), ("relu", "tanh"), ("tanh", "clip")]
)
def test_network_by_hand(activation: str, output: str) -> None:
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


def test_policy_can_be_pickled_copied_and_saved_by_torch() -> None:
    policy, x = Policy((3, 5, 2), "tanh"), torch.randn(4, 3)
    paper = io.BytesIO()
    torch.save(policy, paper)
    paper.seek(0)
    copies = (
        pickle.loads(pickle.dumps(policy)),
        copy.deepcopy(policy),
        torch.load(paper, weights_only=False),
    )
    assert all(torch.equal(each(x), policy(x)) for each in copies)


@pytest.mark.parametrize("activation", ["elu", "relu", "tanh"])
@pytest.mark.parametrize("output", ["clip", "tanh"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_policy_can_be_scripted_traced_and_exported(activation: str, output: str) -> None:
    policy = Policy((3, 5, 4, 2), activation, output)  # type: ignore[arg-type]
    x = 3.0 * torch.randn(4, 3)
    scripted = torch.jit.script(policy)
    assert torch.equal(scripted(x), policy(x))
    assert torch.equal(scripted(x[0]), policy(x[0]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # e.g. that a condition on a tensor becomes a constant
        warnings.simplefilter("ignore", DeprecationWarning)
        traced = torch.jit.trace(policy, x[:1])  # type: ignore[no-untyped-call]
    assert torch.equal(traced(x), policy(x))
    assert torch.equal(torch.export.export(policy, (x,)).module()(x), policy(x))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_policy_is_exported_to_onnx(tmp_path: Path) -> None:
    path = tmp_path / "policy.onnx"
    torch.onnx.export(Policy((3, 5, 2)), (torch.zeros(1, 3),), path, dynamo=False)
    assert path.stat().st_size > 100


def test_actions_have_no_gradient_unless_it_is_switched_on() -> None:
    policy, x = Policy((3, 5, 2)), torch.randn(4, 3)
    assert not policy(x).requires_grad
    assert copy.deepcopy(policy).requires_grad_()(x).requires_grad


def test_observations_of_other_number_types_and_single_rows_are_accepted() -> None:
    policy, x = Policy((3, 5, 2)), torch.randn(4, 3)
    expected = policy(x)
    for same in (x.double(), x.numpy(), x.numpy().astype(np.float64), x.T.contiguous().numpy().T):
        assert torch.equal(policy(same), expected)
    assert policy(x.double()).dtype == torch.float32
    assert policy(x[0]).shape == (2,)


@pytest.mark.parametrize(
    ("observation", "says"),
    [
        (torch.zeros(4, 5), r"observations of shape \(n, 3\), or \(3,\) for one, got \(4, 5\)"),
        (torch.zeros(1, 4, 3), r"got \(1, 4, 3\)"),
        (np.array(["a", "b", "c"]), "takes a tensor or a NumPy array of numbers"),
        ([0.0, 0.0, 0.0], "got list"),
    ],
)
def test_observation_of_another_type_or_size_is_refused(observation: object, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        Policy((3, 5, 2))(observation)  # type: ignore[arg-type]


def test_unknown_activation_is_refused() -> None:
    with pytest.raises(ValueError, match="expected one of elu, relu, tanh, got 'gelu'"):
        Policy((3, 2), "gelu")  # type: ignore[arg-type]
