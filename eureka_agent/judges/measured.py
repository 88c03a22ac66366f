"""Episodes of policies, scored by a success measure in the sandbox."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

from torch import Tensor

from eureka_agent.jail import Sandbox
from eureka_agent.records import RewardSource
from eureka_agent.simulation.rollouts import Act, run_episodes
from eureka_agent.tasks.task import Task
from eureka_agent.training.component_effects import ComponentRecorder

EPISODES = 16
"""Episodes of each policy."""
_STEPS = 64
"""Steps of all episodes that one call of the measure gets."""
MEASURED_ROWS = EPISODES * _STEPS


def measured(
    task: Task,
    measure: RewardSource,
    sandbox: Sandbox,
    policies: Sequence[Act],
    *,
    seed: int,
    threads: int | None = None,
    device: str = "cpu",
) -> list[Tensor | None]:
    """Run episodes of policies, and return what the measure gives for each episode.

    Args:
        task: The task, with the episodes of the run.
        measure: A checked measure, which runs in one sealed process for each policy.
        sandbox: Opens these processes.
        policies: What acts; all get the same initial states.
        seed: Seed of the initial states.
        threads: Physics threads on the CPU, by default all cores.
        device: Where the physics runs.

    Returns:
        Per policy: `(EPISODES,)` scores in [0, 1], or None if the measure failed on its states.

    Raises:
        SandboxError: The sandbox itself failed.
        SimulationError: The task cannot be simulated.
    """
    with ExitStack() as opened:
        runners = []
        for _ in policies:
            runner = sandbox.open(measure, task.reward_inputs, max_rows=MEASURED_ROWS)
            opened.callback(runner.close)
            runners.append(runner)
        recorder = ComponentRecorder(runners, episodes=EPISODES, max_rows=MEASURED_ROWS)
        run_episodes(
            task,
            policies,
            episodes=EPISODES,
            seed=seed,
            threads=threads,
            device=device,
            watch=recorder.watch,
            reads=measure.parameters,
        )
        recorder.finish()
        returns = [recorder.returns(index) for index in range(len(policies))]
    return [None if each is None else each.clamp(0.0, 1.0) for each in returns]
