"""Measure one call of a reward: as Python in this process, in the sandbox, as a list of operations.

Run with `python -m benchmarks.reward_runners [cpu|cuda:0]` in the repository. States start on the
device; the sandboxed process is on the CPU, so its calls include the copies in both directions.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from eureka_agent.checks import check_source
from eureka_agent.jail import Sandbox
from eureka_agent.rewards.graph_reward import GraphReward
from eureka_agent.rewards.runner import RewardRunner
from eureka_agent.simulation.samples import sample_states
from eureka_agent.tasks.registry import load_task
from tests.support.honest_robots import ROBOTS
from tests.support.honest_simple import SIMPLE

REWARDS = ("where and masks", "weights in a dictionary", "quaternion algebra", "loop over joints")
ROWS = (1024, 16_384)
CALLS, WARM_UP = 60, 5


def main() -> None:
    torch.set_num_threads(1)
    device = torch.device(sys.argv[1] if len(sys.argv) > 1 else "cpu")
    print(f"median milliseconds of {CALLS} calls, states on {device}, one torch thread\n")
    print("| reward | operations | rows | in this process | sandboxed | graph |")
    print("|---|---|---|---|---|---|")
    with Sandbox() as sandbox:
        for name in REWARDS:
            for rows in ROWS:
                print(table_row(sandbox, name, rows, device), flush=True)


def table_row(sandbox: Sandbox, name: str, rows: int, device: torch.device) -> str:
    task, code = (SIMPLE | ROBOTS)[name]
    spec = load_task(task).reward_inputs
    sandboxed = sandbox.open(check_source(code, spec), spec, max_rows=rows)
    samples = sample_states(load_task(task), seed=0)
    state = {
        n: values[torch.arange(rows) % len(values)].to(device) for n, values in samples.items()
    }
    graph = sandboxed.graph(state)
    assert graph is not None, f"{name} has no graph"
    names = check_source(code, spec).parameters
    given = {
        n: state[n] if n in state else spec.constants[n]
        for n in names
        if n in state or n in spec.constants
    }
    variables: dict[str, Any] = {}
    exec(code, variables)  # the tests' own source, above
    here = variables["compute_reward"]
    times = [
        milliseconds(lambda: here(**given), device),
        milliseconds(lambda: call(sandboxed, state), device),
        milliseconds(
            lambda: call(GraphReward(graph.graph, graph.counts, otherwise=sandboxed), state), device
        ),
    ]
    sandboxed.close()
    return (
        f"| {name} | {len(graph.graph.nodes)} | {rows} |"
        f" {' | '.join(f'{each:.2f}' for each in times)} |"
    )


def call(runner: RewardRunner, state: Mapping[str, Tensor]) -> Tensor:
    runner.submit(state)
    return runner.collect().reward.to(next(iter(state.values())).device)


def milliseconds(work: Callable[[], object], device: torch.device) -> float:
    times = []
    for _ in range(WARM_UP + CALLS):
        started = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        times.append(1e3 * (time.perf_counter() - started))
    return statistics.median(times[WARM_UP:])


if __name__ == "__main__":
    main()
