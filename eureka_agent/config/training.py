"""`TrainingConfig`: what trains the policies, for how long, and where."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Annotated, Literal

from tyro.conf import Suppress

from eureka_agent.config.budget import BudgetName, TrainingBudget
from eureka_agent.config.choices import split_choice
from eureka_agent.config.limits import check_counts
from eureka_agent.config.race import Race
from eureka_agent.config.trainers import TrainerName, sb3_algorithm
from eureka_agent.errors import UsageError
from eureka_agent.utils.arguments import check_values, refuse_unknown_arguments

PARENT = "parent"
"""`init_policy`: start from the policy of the reward that a candidate builds on."""
_FORMS = {"population": "population", "sb3": "sb3[:ALGORITHM]", "rsl_rl": "rsl_rl"}


@refuse_unknown_arguments
@dataclass(frozen=True)
class TrainingConfig:
    """How each reward is trained."""

    budget: BudgetName = "normal"
    """How long each reward is trained."""
    num_envs: int | None = None
    """Environments per reward instead of the budget's."""
    environment_steps: int | None = None
    """Environment steps per reward instead of the budget's."""
    trainer: str = "population"
    """population (PPO, all rewards at once); or one after the other rsl_rl or
    sb3[:ALGORITHM], stable-baselines3's A2C, DDPG, PPO, SAC or TD3."""
    init_policy: str | None = None
    """Start each training from a policy: a policy file, or parent, that of the
    reward that a candidate builds on. By default from random weights."""
    racing: bool = False
    """Stop rewards that are behind: a third of the steps."""
    device: Literal["cpu", "cuda"] = "cpu"
    """Where physics and training run; cuda needs the extra `warp`."""
    threads: Annotated[int | None, Suppress] = None
    """Python only: physics threads on the CPU, by default one for each core."""
    race: Annotated[Race, Suppress] = field(default_factory=Race)
    """Python only: when `racing` compares rewards, and how many go on."""

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        check_values(self)
        check_counts(self, "num_envs", "environment_steps", "threads")
        _ = self.algorithm
        self._check_init_policy()
        if self.racing and self.trainer_name != "population":
            raise UsageError(
                f"--racing needs --trainer population: {self.trainer_name} trains rewards one after"
                " the other, each to the end."
            )

    def _check_init_policy(self) -> None:
        if self.init_policy is None:
            return
        if not self.init_policy.strip():
            raise UsageError("--init-policy is empty: give parent, or the path of a policy file.")
        if self.trainer_name != "population":
            raise UsageError(
                f"--init-policy needs --trainer population: {self.trainer_name} starts each"
                " training from random weights."
            )

    @property
    def starts_from_parents(self) -> bool:
        """Whether each training starts from the policy of the reward that a candidate builds on."""
        return self.init_policy == PARENT

    @property
    def policy_file(self) -> str | None:
        """The file of the policy that each training starts from; None if there is none."""
        return None if self.starts_from_parents else self.init_policy

    @property
    def trainer_name(self) -> TrainerName:
        """The trainer without its algorithm."""
        name: TrainerName = split_choice("--trainer", self.trainer, _FORMS)[0]  # type: ignore[assignment]
        return name

    @property
    def algorithm(self) -> str:
        """The algorithm of stable-baselines3; PPO for the other trainers."""
        name = split_choice("--trainer", self.trainer, _FORMS)[1]
        return sb3_algorithm(name) if name else "PPO"

    def override(self, budget: TrainingBudget) -> TrainingBudget:
        """Return a task's budget with what `num_envs` and `environment_steps` replace in it."""
        if self.num_envs is not None:
            budget = replace(budget, num_envs=self.num_envs)
        if self.environment_steps is not None:
            budget = replace(budget, environment_steps=self.environment_steps)
        return budget
