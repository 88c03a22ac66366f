"""What a resume may change of a run: settings that say whom to ask, how, and how far the run
goes."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from eureka_agent.config import SynthesisConfig
from eureka_agent.errors import UsageError
from eureka_agent.records import SettingChange
from eureka_agent.utils.serialization import to_json


@dataclass(frozen=True)
class Changes:
    """Settings of a run from this resume on; what is left out stays as it is."""

    model: str | None = None
    """Another model, instead of all that the run has asked so far."""
    models: tuple[str, ...] | None = None
    """Several other models, each with its share of the samples."""
    base_url: str | None = None
    """Another address of the model's server."""
    generations: int | None = None
    """Another number of generations, those that are over included."""
    max_cost_usd: float | None = None
    """Another limit of cost; what was spent before counts."""
    max_tokens: int | None = None
    """Another limit of tokens; what was spent before counts."""
    max_wall_min: float | None = None
    """Another limit of time, in minutes since this resume."""
    price_in: float | None = None
    """USD per million tokens of a prompt, for another model whose price is not listed."""
    price_out: float | None = None
    """USD per million tokens of an answer."""
    concurrency: int | None = None
    """Another number of requests to models at a time."""
    answer_tokens: int | None = None
    """Another limit of an answer's tokens, thoughts included."""
    request_timeout_s: float | None = None
    """Another time after which a request has failed, in seconds."""
    stream: bool = False
    """Ask the model to stream its answers from now on."""
    extra_body: str | None = None
    """Other further fields of each request, as a JSON object."""

    def given(self) -> dict[str, object]:
        """Return the settings that were given, by name."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {
            name: value
            for name, value in values.items()
            if value is not None and value is not False
        }

    def applied(self, config: SynthesisConfig) -> SynthesisConfig:
        """Return the run's config with these settings. Raises UsageError for those that cannot
        work."""
        if self.model is not None and self.models is not None:
            raise UsageError("--model names one model and --models several: give one of the two.")
        given = self.given()
        if self.model is not None:
            given |= {"models": (), "model_choice": "weights"}
        if self.models is not None:
            given |= {"model": None}
        changed: SynthesisConfig = replace(config, **given)  # type: ignore[arg-type]  # checked by the config itself
        return changed


def differences(
    before: SynthesisConfig, after: SynthesisConfig, when: str
) -> tuple[SettingChange, ...]:
    """Return the settings that differ, with their values as JSON."""
    pairs = (
        (field.name, getattr(before, field.name), getattr(after, field.name))
        for field in fields(before)
    )
    return tuple(
        SettingChange(when, name, to_json(old), to_json(new))
        for name, old, new in pairs
        if old != new
    )


def refuse_too_late(changes: Changes, begun: int, *, finals: bool) -> None:
    """Raise UsageError when the number of generations cannot change any more as it was given.

    `begun`: how many generations were begun; `finals`: whether the best reward was trained with the
    final seeds.
    """
    if changes.generations is None:
        return
    if changes.generations < begun:
        raise UsageError(
            f"--generations {changes.generations} is less than the {begun} that the run has begun: "
            f"give {begun} or more."
        )
    if finals and changes.generations > begun:
        raise UsageError(
            "--generations cannot be raised: the run's best reward has been trained with the final"
            " seeds already, and another generation may find a better one. Start a new run with"
            " --initial-reward best_reward.py."
        )
