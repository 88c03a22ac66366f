"""The result of a run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from eureka_agent.api.reward_function import RewardFunction
from eureka_agent.records import Baseline, Outcome
from eureka_agent.search.estimates import Estimate
from eureka_agent.tasks.task import Task
from eureka_agent.training.policy import Policy


@dataclass(frozen=True)
class SynthesisResult:
    """What a run found.

    Attributes:
        path: The run's folder.
        task: The run's task.
        best: The best candidate; None if none could be trained, or a person chose none.
        reward: Its reward function.
        policy: The policy trained with it.
        baselines: Results of the human and the sparse reward and of random actions.
        outcomes: Every candidate of the run, in order.
        expected: The fitness that the best reward is expected to reach with a new training seed,
            with its 95 % interval; None if it was trained once, which does not tell.
        human_normalised: `(best - sparse) / |human - sparse|` (Eureka, section 4); None without
            both baselines, or if they are alike.
    """

    path: Path
    task: Task
    best: Outcome | None
    reward: RewardFunction | None
    policy: Policy | None
    baselines: tuple[Baseline, ...]
    outcomes: tuple[Outcome, ...]
    expected: Estimate | None
    human_normalised: float | None

    def __repr__(self) -> str:
        """Return one short line: the records themselves would fill pages."""
        best = "none"
        if self.best:
            best = f"{self.best.candidate.name} with fitness {self.best.fitness:.4g}"
        return (
            f"SynthesisResult(path={str(self.path)!r}, task={self.task.name!r}, best={best!r}, "
            f"candidates={len(self.outcomes)}, human_normalised={self.human_normalised})"
        )
