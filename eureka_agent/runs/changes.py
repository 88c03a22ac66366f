"""The settings that a resume may change: models, requests to them, and the run's limits."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Annotated

from tyro.conf import arg

from eureka_agent.config import SynthesisConfig, TrackerName
from eureka_agent.errors import UsageError
from eureka_agent.records import SettingChange
from eureka_agent.utils.serialization import to_json


@dataclass(frozen=True)
class Changes:
    """New values for some settings of a run; None (no model) keeps the current one.

    Each field is an option of `eureka-agent resume`.
    """

    model: tuple[str, ...] = ()
    """New model in place of all current ones, or several with weights: --model gpt-5=2 o4=1."""
    judge_model: str | None = None
    """New model of --judge vision."""
    base_url: str | None = None
    """New address of the model's server."""
    generations: int | None = None
    """New number of generations, including the finished ones."""
    final_seeds: int | None = None
    """New number of final trainings of the best reward, including those that were done."""
    max_cost_usd: float | None = None
    """New cost limit; includes what was spent before."""
    max_tokens: int | None = None
    """New token limit; includes what was spent before."""
    max_wall_min: float | None = None
    """New time limit, in minutes from this resume on."""
    price: tuple[float, float] | None = None
    """New price of prompts and of answers in USD per million tokens."""
    concurrency: int | None = None
    """New number of simultaneous requests to models."""
    answer_tokens: int | None = None
    """New token limit of one answer, thoughts included."""
    request_timeout_s: float | None = None
    """New time limit of one request, in seconds."""
    extra_body: str | None = None
    """New additional fields of each request, as a JSON object."""
    log: tuple[TrackerName, ...] = ()
    """New trackers of curves and results: wandb, mlflow or both."""

    feedback_timeout_min: Annotated[float | None, arg(aliases=["--feedback-timeout"])] = None
    """New minutes after which the search goes on without an answer on the page."""
    port: int | None = None
    """New port of the page."""
    open: bool | None = None
    """Open the page in this machine's browser."""

    def given(self) -> dict[str, object]:
        """Return the settings to change, by name.

        Returns:
            The fields that are given.
        """
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value is not None and value != ()}

    def applied(self, config: SynthesisConfig) -> SynthesisConfig:
        """Return a config with these settings.

        Args:
            config: The run's config.

        Returns:
            The changed config.

        Raises:
            UsageError: A value is not valid.
        """
        given = self.given()
        if "model" in given and len(self.model) < 2:
            given |= {"model_choice": "weights"}
        return config.replaced(**given)


def differences(
    before: SynthesisConfig, after: SynthesisConfig, when: str
) -> tuple[SettingChange, ...]:
    """Return the settings that differ, with their values as JSON; `when` is the time of change."""
    old, new = before.settings(), after.settings()
    return tuple(
        SettingChange(when, name, to_json(old[name]), to_json(new[name]))
        for name in old
        if old[name] != new[name]
    )


def refuse_too_late(changes: Changes, begun: int, *, finals: bool) -> None:
    """Raise UsageError if it is too late for the new number of generations.

    `begun`: number of generations that were started. `finals`: whether the best reward was trained
    with a final seed.
    """
    if changes.generations is None:
        return
    if changes.generations < begun:
        raise UsageError(
            f"--generations {changes.generations} is less than the {begun} that the run has"
            f" started: give {begun} or more."
        )
    if finals and changes.generations > begun:
        raise UsageError(
            "--generations cannot be raised: the run's best reward was already trained with the"
            " final seeds, and another generation may find a better one. Start a new run with"
            " --initial-reward best_reward.py."
        )
