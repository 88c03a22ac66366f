"""Measure the sandbox: the start of a process, and a call of 1024 rows against a direct call.

Run with `python benchmarks/sandbox.py`.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch

from eureka_agent.checks import check_source
from eureka_agent.jail import Sandbox
from eureka_agent.tasks.task import StateSpec, StateVariable

ROWS, STARTS, CALLS = 1024, 20, 500
PAUSES, PAUSE_S = 100, 0.02
SPEC = StateSpec(
    (
        StateVariable("velocity", (3,), "m/s", "world", "how fast it moves"),
        StateVariable("action", (8,), "-", "-", "the last action"),
    )
)
CODE = """
import torch
def compute_reward(velocity, action):
    forward = velocity[:, 0]
    cost = 0.5 * (action ** 2).sum(dim=-1)
    upright = torch.exp(-velocity[:, 2].abs())
    return forward - cost + upright, {"forward": forward, "cost": -cost, "upright": upright}
"""


def main() -> None:
    torch.set_num_threads(1)
    state = {"velocity": torch.rand(ROWS, 3), "action": torch.rand(ROWS, 8)}
    source = check_source(CODE, SPEC)
    variables: dict[str, Callable[..., object]] = {}
    exec(CODE, variables)  # the benchmark's own source, above
    here = variables["compute_reward"]
    started = time.perf_counter()
    with Sandbox() as sandbox:
        print(f"helper process, once per run {time.perf_counter() - started:8.2f} s")
        starts, firsts = [], []
        for _ in range(STARTS):
            started = time.perf_counter()
            reward = sandbox.open(source, SPEC, max_rows=ROWS)
            opened = time.perf_counter()
            reward(state)
            starts.append(opened - started)
            firsts.append(time.perf_counter() - opened)
            reward.close()
        reward = sandbox.open(source, SPEC, max_rows=ROWS)
        print(f"sandboxed process, start     {1e3 * statistics.median(starts):8.2f} ms")
        print(f"first call                   {1e3 * statistics.median(firsts):8.2f} ms")
        behind, direct = _seconds(lambda: reward(state)), _seconds(lambda: here(**state))
        woken = _seconds(lambda: reward(state), calls=PAUSES, pause=PAUSE_S)
        graph = reward.graph(state)
        assert graph is not None
        interpreted = _seconds(lambda: graph.graph(state))
    print("                               median   best tenth (least affected by other programs)")
    print(f"call of {ROWS} rows, sandbox   {_both(behind)} ms")
    print(f"  after a pause of {1e3 * PAUSE_S:.0f} ms     {_both(woken)} ms")
    print(f"call of {ROWS} rows, direct    {_both(direct)} ms")
    print(f"call of {ROWS} rows, graph     {_both(interpreted)} ms")
    print(
        "cost of the sandbox per call"
        f" {_both([a - b for a, b in zip(behind, direct, strict=True)])} ms"
    )


def _both(seconds: list[float]) -> str:
    return f"{1e3 * statistics.median(seconds):8.3f} {1e3 * seconds[len(seconds) // 10]:8.3f}"


def _seconds(call: Callable[[], object], *, calls: int = CALLS, pause: float = 0.0) -> list[float]:
    """Return the seconds of each call, sorted; `pause`: seconds before each."""
    seconds = []
    for _ in range(calls):
        if pause:
            time.sleep(pause)
        started = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - started)
    return sorted(seconds)


if __name__ == "__main__":
    main()
