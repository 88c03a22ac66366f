"""`SynthesisConfig`: the settings of a run. Its field docstrings are the command line's help."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

from eureka_agent.config.models import ModelsConfig
from eureka_agent.config.page import PageConfig
from eureka_agent.config.protocols import settings_of
from eureka_agent.config.race import Race
from eureka_agent.config.run import RunConfig
from eureka_agent.config.screening import ScreeningConfig
from eureka_agent.config.search import SearchConfig
from eureka_agent.config.task import TaskConfig
from eureka_agent.config.training import TrainingConfig
from eureka_agent.errors import UsageError
from eureka_agent.utils.arguments import check_names, check_value, refuse_unknown_arguments

if TYPE_CHECKING:
    from eureka_agent.tasks.task import TaskLike


@refuse_unknown_arguments
@dataclass(frozen=True)
class SynthesisConfig:
    """The settings of a run, in seven groups; `SynthesisConfig.of` takes them by name alone."""

    task: TaskConfig
    search: SearchConfig = field(default_factory=SearchConfig)
    models: ModelsConfig = field(default_factory=ModelsConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    screening: ScreeningConfig = field(default_factory=ScreeningConfig)
    run: RunConfig = field(default_factory=RunConfig)
    page: PageConfig = field(default_factory=PageConfig)

    @classmethod
    def of(cls, task: TaskLike, *, protocol: str | None = None, **settings: Any) -> SynthesisConfig:
        """Return a config from the task and single settings, whichever group they are in.

        Args:
            task: The task: its name, its path or a `Task`. If the setting `env` names a task, any
                instruction in words.
            protocol: A named set of settings (`PROTOCOLS`); `settings` override it.
            **settings: Fields of any group, such as `generations=5, budget="quick"`.

        Returns:
            The config.

        Raises:
            ConfigError: A setting has an unknown name or a value of a wrong type.
            UsageError: There is no such protocol, or the settings contradict each other.
        """
        settings = {"task": task, **settings_of(protocol), **settings}
        check_names(settings, GROUP_OF, "SynthesisConfig has no setting")
        groups = {name: kind(**_of_group(name, settings)) for name, kind in _GROUPS.items()}
        return cls(**groups)

    def replaced(self, **settings: Any) -> SynthesisConfig:
        """Return a copy with other settings, which are named as for `of`."""
        check_names(settings, GROUP_OF, "SynthesisConfig has no setting")
        changed = {
            name: replace(getattr(self, name), **_of_group(name, settings)) for name in _GROUPS
        }
        return SynthesisConfig(**changed)

    def __post_init__(self) -> None:
        """Refuse groups that do not work together, before anything is written."""
        for name, kind in _GROUPS.items():
            check_value(name, getattr(self, name), kind)
        if self.models.model_choice == "bandit" and not self.task.has_fitness:
            raise UsageError("--model-choice bandit needs a task with a fitness to learn from.")
        self._check_judge()
        if self.training.starts_from_parents and self.search.strategy_name == "random":
            raise UsageError(
                "--init-policy parent needs a strategy that builds on rewards, but --strategy"
                " random builds on nothing: give a policy file, or take another strategy."
            )
        if self.task.has_fitness:
            return
        if self.search.initial_reward == "human":
            raise UsageError(
                f"--initial-reward human is the reward of the task {self.task.env}, which differs"
                f" from the instruction {self.task.task!r}: give a file with a reward for the"
                " instruction."
            )
        for name, given in (
            ("--racing", self.training.racing),
            ("--preference-check", self.screening.preference_check),
            ("--final-seeds", self.search.final_seeds),
        ):
            if given:
                raise UsageError(
                    f"{name} needs a fitness, and an instruction with --env has none: leave one of"
                    " them out."
                )

    def _check_judge(self) -> None:
        if self.models.judge_model is not None and self.search.judge != "vision":
            raise UsageError("--judge-model needs --judge vision, which shows it the episodes.")
        if self.search.judge == "vision" and self.models.vision_model is None:
            raise UsageError(
                "--judge vision needs a model that reads images: name it with --judge-model or"
                " --model."
            )

    @property
    def race(self) -> Race | None:
        """How candidates of a generation race; None if all train to the end."""
        return self.training.race if self.training.racing else None

    def settings(self) -> dict[str, object]:
        """Return all settings by name, without the groups."""
        return {key: getattr(getattr(self, group), key) for key, group in GROUP_OF.items()}


_GROUPS: dict[str, Any] = {
    "task": TaskConfig,
    "search": SearchConfig,
    "models": ModelsConfig,
    "training": TrainingConfig,
    "screening": ScreeningConfig,
    "run": RunConfig,
    "page": PageConfig,
}
GROUP_OF = {entry.name: name for name, kind in _GROUPS.items() for entry in fields(kind)}
"""The group of each setting, by the setting's name."""


def _of_group(group: str, settings: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in settings.items() if GROUP_OF[key] == group}
