"""Rewards as lists of operations: equal results, and refusal of hostile lists."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
import torch

from eureka_agent.checks import check_source
from eureka_agent.errors import GraphError, RewardRuntimeError
from eureka_agent.jail import Sandbox
from eureka_agent.jail.ipc import BufferLayout
from eureka_agent.jail.sandboxed_reward import sealed_graph
from eureka_agent.rewards.graph_format import parse_graph
from eureka_agent.rewards.graph_reward import GraphReward
from tests.support.honest import REWARDS, samples, task_of
from tests.support.sandboxed import honest, state

WITHOUT = frozenset[str]()
"""Valid rewards that have no graph."""


@pytest.mark.parametrize("name", REWARDS)
def test_graph_gives_what_the_sealed_process_gives(sandbox: Sandbox, name: str) -> None:
    task, code = REWARDS[name]
    spec, rows = task_of(task).reward_inputs, samples(task)
    reward = sandbox.open(check_source(code, spec), spec, max_rows=len(rows["action"]))
    counts = (2, 61, len(rows["action"]))
    checked = reward.graph(rows, counts)
    assert (checked is None) == (name in WITHOUT)
    if checked is not None:
        runner = GraphReward(checked.graph, checked.counts, otherwise=reward)
        for count in counts:
            few = {name: values[:count].clone() for name, values in rows.items()}
            kept = {name: values.clone() for name, values in few.items()}
            runner.submit(few)
            expected, got = reward(few), runner.collect()
            torch.testing.assert_close(got.reward, expected.reward, rtol=1e-5, atol=1e-5)
            assert got.components.keys() == expected.components.keys()
            for component, values in expected.components.items():
                torch.testing.assert_close(got.components[component], values, rtol=1e-5, atol=1e-5)
            assert all(torch.equal(few[name], kept[name]) for name in kept)
    reward.close()


def _key(sandbox: Sandbox, code: str) -> str:
    reward = honest(sandbox, code)
    graph = reward.graph(state())
    reward.close()
    assert graph is not None
    return graph.key


def test_key_depends_on_the_operations_and_not_on_the_source(sandbox: Sandbox) -> None:
    one = _key(
        sandbox,
        "import torch\ndef compute_reward(height):\n    x = torch.exp(-height)\n    return x,"
        " {'x': x}",
    )
    two = _key(
        sandbox,
        "import torch as th\ndef shaped(value):\n    return th.exp(-value)\ndef"
        " compute_reward(height):\n    unused = height * 3\n    y = shaped(height)\n    return y,"
        " {'x': y}",
    )
    other = _key(
        sandbox,
        "import torch\ndef compute_reward(height):\n    x = torch.exp(-height * 2)\n    return x,"
        " {'x': x}",
    )
    assert one == two != other


@pytest.mark.parametrize(
    "body",
    [
        "return (height if height.mean() > 0.5 else -height), {}",
        "return height * height.max().item(), {}",
        "return height * len(height) ** 2, {}",
    ],
    ids=["branch on a value", "number read out", "number of rows squared"],
)
def test_reward_without_a_graph_still_answers_calls(sandbox: Sandbox, body: str) -> None:
    reward = honest(sandbox, f"def compute_reward(height): {body}")
    assert reward.graph(state(), (8, 24, 64)) is None
    assert reward(state()).reward.shape == (8,)
    reward.close()


def test_reward_that_depends_on_the_number_of_rows_has_no_graph(sandbox: Sandbox) -> None:
    code = "def compute_reward(height): return (height if len(height) < 500 else -height), {}"
    for max_rows, known in ((64, True), (1000, False)):
        reward = honest(sandbox, code, max_rows=max_rows)
        assert (reward.graph(state()) is not None) == known
        assert reward(state()).reward.shape == (8,)
        reward.close()


GOOD: dict[str, Any] = {
    "inputs": ["height"],
    "nodes": [["input", 0], ["operation", "mul.Tensor", [{"ref": [0, 0]}, {"float": "2.0"}], {}]],
    "reward": {"ref": [1, 0]},
    "components": {"a": {"ref": [0, 0]}},
}
SHAPES: dict[str, tuple[int, ...]] = {"height": ()}


def test_good_graph_runs() -> None:
    graph = parse_graph(json.loads(json.dumps(GOOD)), SHAPES)
    batch = graph({"height": torch.tensor([1.0, 2.0])})
    assert batch.reward.tolist() == [2.0, 4.0]
    assert batch.components["a"].tolist() == [1.0, 2.0]


def _operation(name: str, *args: Any, **kwargs: Any) -> list[Any]:
    return ["operation", name, list(args), kwargs]


X = {"ref": [0, 0]}
NODES: dict[str, Any] = {
    "unknown operation": _operation("from_file.default", {"text": "/etc/passwd"}),
    "random operation": _operation("rand.default", {"list": [8]}),
    "raw strides": _operation("as_strided.default", X, {"list": [99]}, {"list": [1]}),
    "raw strides by another name": _operation(
        "_reshape_alias.default", X, {"list": [99]}, {"list": [1]}
    ),
    "uninitialised memory": _operation("empty_like.default", X),
    "set storage": _operation("set_.source_Tensor", X, X),
    "resize": _operation("resize_.default", X, {"list": [1 << 40]}),
    "read out": _operation("_local_scalar_dense.default", X),
    "operation of Python": _operation("__class__.default", X),
    "itself": _operation("abs.default", {"ref": [1, 0]}),
    "a later node": _operation("abs.default", {"ref": [7, 0]}),
    "a negative node": _operation("abs.default", {"ref": [-1, 0]}),
    "no such output": _operation("abs.default", {"ref": [0, 3]}),
    "a boolean for a node": _operation("abs.default", {"ref": ["0", 0]}),
    "huge tensor": _operation("zeros.default", {"list": [1 << 40]}),
    "huge repeat": _operation("repeat.default", X, {"list": [1 << 20]}),
    "rows squared": _operation("expand.default", X, {"list": [{"rows": [1, 0]}, {"rows": [1, 0]}]}),
    "huge integer": _operation("add.Scalar", X, 1 << 70),
    "long list": _operation("cat.default", {"list": [X] * 300}),
    "deep list": _operation(
        "cat.default", {"list": [{"list": [{"list": [{"list": [{"list": [1]}]}]}]}]}
    ),
    "out": _operation("abs.default", X, out=X),
    "unknown keyword": _operation("abs.default", X, generator=None),
    "text": _operation("div.Tensor_mode", X, X, rounding_mode={"text": "__import__"}),
    "not a number": _operation("mul.Tensor", X, {"float": "x"}),
    "two kinds of argument": _operation("abs.default", {"ref": [0, 0], "float": "1"}),
    "unknown dtype": _operation("_to_copy.default", X, dtype={"dtype": "torch.complex64"}),
    "wrong arguments": _operation("mul.Tensor", X),
    "wrong types": _operation("mul.Tensor", {"text": "trunc"}, X),
    "large constant": ["constant", "torch.float32", [5000], ["0.0"] * 5000],
    "lying constant": ["constant", "torch.float32", [4096, 4096], ["0.0"]],
    "negative constant": ["constant", "torch.float32", [-1, -1], ["0.0"]],
    "constant that is text": ["constant", "torch.float32", [1], ["__import__('os')"]],
    "constant of an unknown type": ["constant", "torch.complex64", [1], ["0.0"]],
    "no node": {"a": 1},
    "unknown node": ["call", "os.system"],
    "unknown input": ["input", 5],
}


@pytest.mark.parametrize("node", NODES.values(), ids=NODES.keys())
def test_hostile_node_is_refused(sandbox: Sandbox, node: Any) -> None:
    data = copy.deepcopy(GOOD)
    data["nodes"][1] = node
    with pytest.raises(RewardRuntimeError):
        _run_sealed(sandbox, data)


CHANGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "other inputs": lambda data: data.update(inputs=["secret"]),
    "inputs that are none": lambda data: data.update(inputs=3),
    "nodes that are none": lambda data: data.update(nodes={"a": 1}),
    "too many nodes": lambda data: data["nodes"].extend([["input", 0]] * 3000),
    "no reward": lambda data: data.update(reward=None),
    "reward that is a number": lambda data: data.update(reward=1.0),
    "reward out of range": lambda data: data.update(reward={"ref": [2, 0]}),
    "something more": lambda data: data.update(code="import os"),
    "something less": lambda data: data.pop("reward"),
    "many components": lambda data: data.update(components={str(i): X for i in range(99)}),
    "component's name": lambda data: data.update(components={"\x1b[2J": X}),
    "component that is text": lambda data: data.update(components={"a": {"text": "floor"}}),
    "growth": (
        lambda data: data["nodes"].extend(
            [_operation("cat.default", {"list": [{"ref": [i, 0]}] * 200}) for i in range(1, 12)]
        )
    ),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_hostile_graph_is_refused(
    sandbox: Sandbox, change: Callable[[dict[str, Any]], object]
) -> None:
    data = copy.deepcopy(GOOD)
    change(data)
    with pytest.raises(RewardRuntimeError):
        _run_sealed(sandbox, data)


def _run_sealed(sandbox: Sandbox, data: object) -> None:
    process = sealed_graph(sandbox._process_manager, data, BufferLayout(SHAPES, 65_536))
    for rows in (2, 65_536):
        process({"height": torch.ones(rows)})
    process.close()


@pytest.mark.parametrize("data", [None, [], 3, "x", {}])
def test_data_that_is_not_a_graph_is_refused(data: object) -> None:
    with pytest.raises(GraphError):
        parse_graph(data, SHAPES)


def test_indices_out_of_bounds_never_reach_the_device() -> None:
    data = copy.deepcopy(GOOD)
    data["nodes"] = [
        ["input", 0],
        ["constant", "torch.int64", [1], ["999999"]],
        _operation("index_select.default", X, 0, {"ref": [1, 0]}),
        _operation("mul.Tensor", X, {"ref": [2, 0]}),
    ]
    data["reward"] = {"ref": [3, 0]}
    batch = parse_graph(data, SHAPES)({"height": torch.tensor([1.0, 3.0])})
    assert batch.reward.tolist() == [3.0, 9.0]


def test_a_graph_cannot_change_state_or_keep_anything_between_calls() -> None:
    data = copy.deepcopy(GOOD)
    data["nodes"] = [
        ["input", 0],
        ["constant", "torch.float32", [], ["1.0"]],
        _operation("add_.Tensor", {"ref": [1, 0]}, {"float": "1.0"}),
        _operation("mul_.Tensor", X, {"ref": [2, 0]}),
    ]
    data["reward"] = {"ref": [3, 0]}
    graph, height = parse_graph(data, SHAPES), torch.tensor([1.0, 3.0])
    for _ in range(2):
        assert graph({"height": height}).reward.tolist() == [2.0, 6.0]
    assert height.tolist() == [1.0, 3.0]


def test_values_that_are_not_finite_get_the_sealed_processs_message(
    sandbox: Sandbox,
) -> None:
    code = (
        "import torch\ndef compute_reward(height):\n    x = torch.log(height)\n    return x, {'x':"
        " x, 'h': height}"
    )
    sealed = honest(sandbox, code)
    graph = sealed.graph(state())
    assert graph is not None
    messages = []
    for runner in (sealed, GraphReward(graph.graph, {4}, otherwise=sealed)):
        runner.submit({"height": torch.tensor([1.0, -1.0, 0.0, 2.0])})
        with pytest.raises(RewardRuntimeError) as caught:
            runner.collect()
        messages.append(str(caught.value))
    expected = "NaN or infinite values: the reward in 2, component 'x' in 2 of 4 rows."
    assert messages == [f"The reward function failed: {expected}"] * 2


def test_an_operation_that_fails_is_the_rewards_fault(sandbox: Sandbox) -> None:
    code = (
        "def compute_reward(height):\n    x = height.clone()\n    x[height < 5.0] = height\n   "
        " return x, {}"
    )
    sealed = honest(sandbox, code)  # valid as long as every row is below 5
    graph = sealed.graph(state())
    sealed.close()
    assert graph is not None
    runner = GraphReward(graph.graph, {3, 4}, otherwise=sealed)
    runner.submit({"height": torch.full((4,), 0.7)})
    assert runner.collect().reward.tolist() == pytest.approx([0.7] * 4)
    with pytest.raises(
        RewardRuntimeError, match="The reward function failed: RuntimeError: shape mismatch"
    ):
        runner.submit({"height": torch.tensor([0.7, 0.7, 7.0])})
