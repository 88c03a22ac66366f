"""A run as one record, read once from its database; reports are rendered from it.

It knows nothing of how a run is shown, and what shows it does not read the database.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from eureka_agent.config import BudgetName, SandboxLevel
from eureka_agent.jail import Layers
from eureka_agent.records import (
    INITIAL,
    Baseline,
    Completion,
    Feedback,
    Outcome,
    ReevaluationSeed,
    SettingChange,
)
from eureka_agent.report.cost import Cost, Tokens
from eureka_agent.search.estimates import Estimate
from eureka_agent.search.reevaluation import ReevaluationSummary
from eureka_agent.tasks.task import StateSpec


@dataclass(frozen=True)
class TaskReport:
    """What the robot should do, and how it is measured."""

    name: str
    instruction: str
    """What the robot should do, in one sentence."""
    has_fitness: bool
    """Whether the task's fitness measures the instruction; if not, rankings decide."""
    fitness_unit: str
    fitness_solved: float
    """The fitness that counts as solved."""
    measure: str | None
    """The code that scores policies where a code judge does (`--judge code`); else None."""
    ends_early: bool
    """Whether the task may end episodes before the time limit."""
    reward_inputs: StateSpec
    """What a reward may read."""


@dataclass(frozen=True)
class ProtocolReport:
    """How the run searches and trains."""

    models: tuple[str, ...]
    """Names of the models that write rewards; empty for the grammar or the caller's proposer."""
    base_url: str | None
    """Address of the models' server, if the run names one."""
    strategy: str
    generations: int
    samples: int
    """Candidates of each generation."""
    seed: int
    seeds: int
    """Most training seeds of a candidate."""
    final_seeds: int
    """Further trainings of the best reward and the references at the end."""
    races: bool
    """Whether clearly worse candidates stop early."""
    feedback: str
    """Who ranks each generation; `none` if nobody does."""
    budget: BudgetName
    """Name of the training budget."""
    own_steps: bool
    """Whether `environment_steps` replaces the budget's."""
    num_envs: int
    environment_steps: int
    """Of each training."""
    evaluation_episodes: int
    trainer: str
    device: str
    initial_reward: str | None
    """`human`, or the file of the reward that the search started from."""
    init_policy: str | None
    """`parent`, or the file of the policy that trainings started from."""
    examples: tuple[str, ...]
    """Names of the examples that the prompts show."""
    judge: str = "none"
    """What scores each generation: `code`, `vision` or `none`."""
    judge_model: str | None = None
    """The model that looks at the episodes, with the judge `vision`."""


@dataclass(frozen=True)
class CandidateReport:
    """One completion and what became of it."""

    name: str
    completion: Completion
    parents: tuple[str, ...]
    """Names of the candidates that its prompt shows to be improved, the best first."""
    passed_checks: bool
    outcome: Outcome | None
    """None while it was neither trained nor rejected."""


@dataclass(frozen=True)
class GenerationReport:
    """The candidates of one generation, and the judge's feedback on them."""

    index: int
    """-1 for the initial reward, which is reported like a generation of one candidate."""
    candidates: tuple[CandidateReport, ...]
    parents: tuple[str, ...]
    """Names of the candidates that its prompts show to be improved."""
    best: Outcome | None
    """The fittest; None if none was trained, or if the instruction has no fitness."""
    best_so_far: Outcome | None
    """The run's best after this generation."""
    feedback: Feedback | None
    cost: Cost
    """Of its completions, including those that were replaced."""

    @property
    def is_initial(self) -> bool:
        """Whether this is the initial reward."""
        return self.index == INITIAL

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """What is known of its candidates so far."""
        return tuple(each.outcome for each in self.candidates if each.outcome is not None)


@dataclass(frozen=True)
class ResultReport:
    """The best reward against the references; every evaluation has its 95 % interval."""

    best: Outcome | None
    expected: Estimate | None
    """The fitness that the best reward is expected to reach with a new training seed; None if it
    was trained once."""
    baselines: tuple[Baseline, ...]
    human_normalised: float | None
    """`(best - sparse) / |human - sparse|`; None without both, or if they are alike."""
    final_seeds: tuple[ReevaluationSeed, ...]
    """The best reward and the references, trained again with other seeds."""
    reevaluation: ReevaluationSummary | None
    """The scores over the final seeds; None if there are none."""
    estimates: Mapping[str, Estimate]
    """What each reward is worth, by its name and the baselines' names; empty without a fitness."""


@dataclass(frozen=True)
class EffortReport:
    """What the run took."""

    started: str | None
    """Local time (ISO 8601)."""
    finished: str | None
    """When the search was complete; None if it is not."""
    seconds: float
    """Spent on training and evaluation."""
    environment_steps: int
    """Over all trainings."""
    cost: Cost
    """Of all completions."""
    tokens: Tokens
    """Of all completions."""
    replaced: tuple[Completion, ...]
    """Completions that were paid for and gave no candidate: replaced ones, and a judge's."""


@dataclass(frozen=True)
class RunReport:
    """Everything that reports say about a run, finished or not."""

    name: str
    path: Path
    """The run's folder."""
    task: TaskReport
    protocol: ProtocolReport
    changes: tuple[SettingChange, ...]
    """The settings that resumes changed, oldest first."""
    sandbox_level: SandboxLevel
    """The level that the run asks for."""
    sandbox: Layers | None
    """The layers of the sandbox that held; None before the first start."""
    versions: Mapping[str, str]
    """Versions of Python and of the packages that decide the results, by name."""
    generations: tuple[GenerationReport, ...]
    """Those with completions, in order; the initial reward comes first, if there is one."""
    finished_generations: int
    outcomes: tuple[Outcome, ...]
    """All outcomes, in order."""
    result: ResultReport
    effort: EffortReport
    stopped: str | None
    """Which limit ended the search early, in one sentence; None if none did."""

    @property
    def finished(self) -> bool:
        """Whether the search is complete."""
        return self.effort.finished is not None

    @property
    def fitness_unit(self) -> str | None:
        """The unit of the fitness; None if the instruction has no fitness."""
        return self.task.fitness_unit if self.task.has_fitness else None

    @property
    def candidates(self) -> dict[str, CandidateReport]:
        """The candidates of all generations by name, in order."""
        return {each.name: each for part in self.generations for each in part.candidates}

    @property
    def initial(self) -> Outcome | None:
        """The outcome of the initial reward, if the search started from one."""
        return next((each for each in self.outcomes if each.candidate.is_initial), None)

    @property
    def lineage(self) -> tuple[str, ...]:
        """The ancestors of the best candidate, oldest first, and itself; empty without a best."""
        best = self.result.best
        return self.ancestors(best.candidate.name) if best is not None else ()

    def ancestors(self, name: str) -> tuple[str, ...]:
        """Return the ancestors of a candidate, oldest first, and the candidate itself.

        Each was the first parent in the next one's prompt.

        Args:
            name: The candidate's name.
        """
        candidates = self.candidates
        line = [name]
        while line[0] in candidates:
            parents = candidates[line[0]].parents
            if not parents or parents[0] in line:  # a run from elsewhere may contain a cycle
                break
            line.insert(0, parents[0])
        return tuple(line)
