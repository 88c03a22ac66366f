"""Hostile graphs: rewards that try to detect a recording, forged lists, and random lists."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Any

import pytest
import torch

from eureka_agent.errors import GraphError, RewardRuntimeError
from eureka_agent.jail import Sandbox
from eureka_agent.jail.ipc import BufferLayout
from eureka_agent.jail.sandboxed_reward import sealed_graph
from eureka_agent.rewards.graph_format import parse_graph
from tests.support.sandboxed import honest, state

SHAPES: dict[str, tuple[int, ...]] = {"height": ()}
X = {"ref": [0, 0]}
_SMALLEST = "torch.full((1,), -9223372036854775807, dtype=torch.int64) - 1"

SHOWN_ROWS = (61, 97)
"""Numbers of rows that no call has; an earlier version made its recordings with these."""
_ONLY_RECORDED = """
import torch
def compute_reward(height):
    n = height.shape[0]
    reward = 1.0 - height.abs()
    if n == 61 or n == 97:
        reward = reward + {term}
    return reward, {{"a": reward}}
"""


@pytest.mark.parametrize(
    "term",
    [
        (
            f"torch.div({_SMALLEST}, torch.full((1,), n - 9, dtype=torch.int64),"
            " rounding_mode='trunc').float()"
        ),
        "0.0 * torch.ones(1).expand(n - 2, n - 2, 65536 - n).sum()",
        "0.0 * torch.ones(n * n * n).sum()",
    ],
    ids=["signal", "time", "memory"],
)
def test_reward_cannot_tell_a_recording_from_a_call(sandbox: Sandbox, term: str) -> None:
    reward = honest(sandbox, _ONLY_RECORDED.format(term=term), max_rows=64)
    found = reward.graph(state(), (8, 64))
    assert found is not None
    assert found.counts == (8, 64)
    # The recording holds what calls run: only 1 - |height|.
    assert len(found.graph.nodes) <= 4
    reward.close()


def test_reward_whose_graph_divides_integers_has_none(sandbox: Sandbox) -> None:
    code = (
        "import torch\ndef compute_reward(height):\n"
        "    return height + torch.div(height.long(), 2, rounding_mode='trunc').float(), {}"
    )
    reward = honest(sandbox, code)
    assert reward.graph(state()) is None
    assert reward(state()).reward.shape == (8,)
    reward.close()


def _graph(*nodes: Any) -> Any:
    data = {"inputs": ["height"], "nodes": [["input", 0], *nodes], "reward": X, "components": {}}
    return json.loads(json.dumps(data))


def _operation(name: str, *args: Any, **kwargs: Any) -> list[Any]:
    return ["operation", name, list(args), kwargs]


FORGED: dict[str, Any] = {
    "memory format as an integer": _operation("clone.default", X, memory_format=77),
    "type as an integer": _operation("_to_copy.default", X, dtype=999),
    "reduction that does not exist": _operation("mse_loss.default", X, X, 12345),
    "way to compute that does not exist": _operation(
        "_cdist_forward.default", X, X, {"float": "2.0"}, 99
    ),
    "rows for an enumeration": _operation("mse_loss.default", X, X, {"rows": [1, 0]}),
    "numbers for a list of tensors": _operation("cat.default", {"list": [1, 2]}),
    "list for a tensor": _operation("abs.default", {"list": [1]}),
    "tensor for a size": _operation("zeros.default", {"list": [X]}),
    "text for a number": _operation("add.Scalar", X, {"text": "trunc"}),
    "unknown text": _operation("gelu.default", X, approximate={"text": "x" * 20}),
    "missing argument": _operation("add.Tensor", X),
    "too many arguments": _operation("abs.default", X, X, X),
    "argument given twice": _operation("add.Tensor", X, X, other=X),
    "keyword by position": _operation("_to_copy.default", X, {"dtype": "torch.int64"}),
    "offset that overflows": _operation("diagonal.default", X, -(1 << 63), 0, 1),
    "step that overflows": _operation("slice.Tensor", X, 0, 0, 1, (1 << 63) - 1),
    "number above what a float holds": _operation("add.Scalar", X, 1 << 60),
    "layout": _operation("zeros.default", {"list": [3]}, layout=7),
}


@pytest.mark.parametrize("node", FORGED.values(), ids=FORGED.keys())
def test_arguments_that_the_schema_does_not_name_are_refused_before_anything_runs(
    node: Any,
) -> None:
    with pytest.raises(GraphError, match="refused"):
        parse_graph(_graph(node), SHAPES)


UNBOUNDED: dict[str, list[Any]] = {
    "sum of a view without memory": [
        _operation("ones.default", {"list": [1]}),
        _operation(
            "expand.default", {"ref": [1, 0]}, {"list": [{"rows": [99, 0]}, {"rows": [99, 0]}]}
        ),
        _operation("sum.default", {"ref": [2, 0]}),
    ],
    "view as large at one number of rows alone": [
        _operation("ones.default", {"list": [1]}),
        _operation(
            "expand.default",
            {"ref": [1, 0]},
            {"list": [{"rows": [900, 0]}, {"rows": [-1, 64]}, {"rows": [1, 0]}]},
        ),
    ],
    "product of matrices": [
        _operation("ones.default", {"list": [256, 256]}),
        *(_operation("mm.default", {"ref": [1, 0]}, {"ref": [1, 0]}) for _ in range(8)),
    ],
    "many reads of a large view": [
        _operation("ones.default", {"list": [1]}),
        _operation("expand.default", {"ref": [1, 0]}, {"list": [65_536]}),
        *(_operation("sum.default", {"ref": [2, 0]}) for _ in range(1500)),
    ],
}


@pytest.mark.parametrize("nodes", UNBOUNDED.values(), ids=UNBOUNDED.keys())
def test_work_and_memory_are_bounded_at_exactly_the_numbers_of_rows_that_calls_have(
    nodes: list[Any],
) -> None:
    graph = parse_graph(_graph(*nodes), SHAPES)
    with pytest.raises(GraphError, match="for 32 rows"):
        graph({"height": torch.ones(32)})


def test_graph_that_takes_too_long_only_ends_its_own_sealed_process(
    sandbox: Sandbox,
) -> None:
    """Sorting takes longer than the count of numbers that it reads suggests."""
    data = _graph(*(_operation("sort.default", X) for _ in range(1900)))
    process = sealed_graph(sandbox._process_manager, data, BufferLayout(SHAPES, 60_000))
    began = time.monotonic()
    with pytest.raises(RewardRuntimeError, match="s of processor time in one call"):
        process({"height": torch.rand(60_000)})
    assert time.monotonic() - began < 60.0
    assert process.pid is None


def test_forged_graph_is_refused_in_the_sealed_process_too(sandbox: Sandbox) -> None:
    data = _graph(FORGED["type as an integer"])
    process = sealed_graph(sandbox._process_manager, data, BufferLayout(SHAPES, 2))
    with pytest.raises(RewardRuntimeError, match="the arguments of _to_copy"):
        process({"height": torch.ones(2)})


def test_rewards_that_give_other_numbers_have_other_keys(sandbox: Sandbox) -> None:
    """Equal lists of operations are not enough: duplicates also give equal results in calls."""
    reward = honest(sandbox, "def compute_reward(height): return height * 2.0, {}")
    found = reward.graph(state())
    again = reward.graph(state())
    other = reward.graph({name: values + 1.0 for name, values in state().items()})
    assert found is not None
    assert again is not None
    assert other is not None
    assert found.graph.key == again.graph.key == other.graph.key
    assert found.key == again.key != other.key
    reward.close()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_no_random_graph_crashes_hangs_or_fills_the_process(seed: int) -> None:
    command = [sys.executable, "-m", "tests.support.graph_fuzz", str(seed), "3000"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    assert found["ran"] > 500  # most of the graphs are valid enough to run
    assert found["peak_mib"] < 1200  # with the models and samples of all tasks
    assert found["slowest_s"] < 5.0
