"""Split the time of a training into parts by timing the library's own calls."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Literal, TypeAlias, get_args
from unittest import mock

from mujoco.batch import Batch

from eureka_agent.checks import check_source
from eureka_agent.config import Race, TrainingBudget
from eureka_agent.jail import Sandbox, SandboxedReward
from eureka_agent.jail.contract import check_contract
from eureka_agent.simulation import MujocoEnvironment
from eureka_agent.simulation.samples import sample_states
from eureka_agent.tasks.task import Task
from eureka_agent.training import PopulationTrainer, TrainerSettings
from eureka_agent.training.ppo.networks import Population, RunningMoments
from eureka_agent.training.ppo.ppo import PPO
from eureka_agent.training.results import TrainResult

Part = Literal["physics", "task", "policy", "opening", "rewards", "update", "rest"]
PARTS: tuple[Part, ...] = get_args(Part)
LEGEND = """
physics: MuJoCo; task: observations, states, ends, resets and fitness; policy: acting;
opening: static checks, sandboxed processes and contract checks, once per generation;
rewards: their calls in the sandbox and the checks of what comes back;
update: PPO's gradient steps; rest: rollouts, reward scaling, records."""
_WHOLE = ("opening", "update")
Call: TypeAlias = tuple[type, str, str]
"""A class, the name of one of its methods, and the part that its calls belong to."""
_CALLS: tuple[Call, ...] = (
    (Batch, "step", "physics"),
    (Batch, "forward", "physics"),
    (Batch, "reset", "physics"),
    (MujocoEnvironment, "step", "task"),
    (RunningMoments, "update", "policy"),
    (Population, "normalise", "policy"),
    (Population, "value", "policy"),
    (Population, "log_prob", "policy"),
    (Population, "output", "policy"),
    (SandboxedReward, "submit", "rewards"),
    (SandboxedReward, "collect", "rewards"),
    (PPO, "update", "update"),
)


class Clock:
    """Adds up the seconds of each part; a call within another part's call counts only for itself.

    Time outside of all calls is "rest"; the parts of `whole` include all calls within them. Only
    the thread that made the clock counts.
    """

    def __init__(self, calls: Sequence[Call] = _CALLS, whole: Sequence[str] = _WHOLE) -> None:
        self._calls, self._whole = calls, whole
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._open: list[str] = []
        self._since = 0.0
        self._thread = threading.get_ident()

    @property
    def total(self) -> float:
        """Total seconds inside `running`."""
        return sum(self.seconds.values())

    @property
    def shares(self) -> defaultdict[str, float]:
        """Each part's share of the total; 0 for a part that took no time."""
        return defaultdict(
            float, {part: seconds / self.total for part, seconds in self.seconds.items()}
        )

    @contextmanager
    def running(self) -> Iterator[None]:
        """Time the block."""
        with ExitStack() as patches:
            for owner, name, part in self._calls:
                patches.enter_context(
                    mock.patch.object(owner, name, self._timed(getattr(owner, name), part))
                )
            patches.enter_context(self.part("rest"))
            yield

    @contextmanager
    def part(self, part: str) -> Iterator[None]:
        """Count the block as `part`."""
        self._charge()
        self._open.append(part)
        try:
            yield
        finally:
            self._charge()
            self._open.pop()

    def _charge(self) -> None:
        now = time.perf_counter()
        if self._open:
            self.seconds[self._open[-1]] += now - self._since
        self._since = now

    def _timed(self, function: Callable[..., Any], part: str) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            if threading.get_ident() != self._thread or self._open[-1] in self._whole:
                return function(*arguments, **options)
            with self.part(part):
                return function(*arguments, **options)

        return call


def timed_generation(
    task: Task,
    sources: Sequence[str],
    budget: TrainingBudget,
    sandbox: Sandbox,
    seed: int,
    race: Race | None = None,
) -> tuple[Clock, list[TrainResult]]:
    """Train one candidate per reward, from its source to its policy; return the clock and the
    results."""
    samples = sample_states(task, seed=seed)  # once per run, not per generation
    rows = max(budget.num_envs * budget.horizon, len(samples["action"]))
    clock, sandboxed = Clock(), []
    with ExitStack() as rewards, clock.running():
        with clock.part("opening"):
            for source in sources:
                sandboxed.append(
                    sandbox.open(
                        check_source(source, task.reward_inputs), task.reward_inputs, max_rows=rows
                    )
                )
                rewards.callback(sandboxed[-1].close)
                check_contract(sandboxed[-1], samples)
        settings = TrainerSettings(budget, seed=seed, race=race)
        results = PopulationTrainer().train(task, sandboxed, settings)
    for result in results:
        if result.error is not None:
            raise result.error
    return clock, results
