"""`ModelsConfig`: which language models write the rewards, and how they are asked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from eureka_agent.config.extra_body import parse_extra_body
from eureka_agent.config.limits import check_counts, check_list, check_positive, check_repeats
from eureka_agent.errors import UsageError
from eureka_agent.utils.addresses import refuse_user_information
from eureka_agent.utils.arguments import check_values, refuse_unknown_arguments
from eureka_agent.utils.redaction import redacted


@refuse_unknown_arguments
@dataclass(frozen=True)
class ModelsConfig:
    """Language models that write the rewards; without one the grammar does."""

    model: tuple[str, ...] = ()
    """Name at OpenAI or --base-url, or provider/name through LiteLLM. Several
    share the samples by weight, e.g. --model gpt-5=2 anthropic/…=1."""
    judge_model: str | None = None
    """Model of --judge vision, else the first --model."""
    model_choice: Literal["weights", "bandit"] = "weights"
    """By weights, or by what each one's rewards gain (bandit)."""
    base_url: str | None = None
    """An OpenAI-compatible server; its key: OPENAI_API_KEY."""
    temperature: float | Literal["server"] = 1.0
    """Sampling temperature, or `server` to leave it out."""
    answer_tokens: int | None = None
    """Longest answer in tokens, thoughts included."""
    repairs: int = 1
    """Maximum repairs of an answer that fails the checks."""
    examples: int = 0
    """Example rewards for other tasks that a prompt shows."""
    examples_dir: Path | None = None
    """Folder with your own examples; see docs/prompts.md."""
    request_timeout_s: float = 600.0
    """Seconds until a request has failed; it is retried once."""
    concurrency: int = 8
    """Requests at a time."""
    price: tuple[float, float] | None = None
    """USD per million tokens of prompts and of answers, e.g. --price 1.25 10."""
    extra_body: str | None = None
    """Further fields of each request, e.g. '{"enable_thinking": false}'.
    "stream": true streams answers; "n" asks for several in one."""

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        object.__setattr__(self, "model", _as_names(self.model))
        check_values(self)
        check_counts(self, "answer_tokens", "concurrency")
        check_repeats(self, "repairs", "examples")
        check_list("--model", self.model)
        check_positive(self, "request_timeout_s")
        if self.examples_dir is not None and not self.examples:
            raise UsageError(
                "--examples-dir needs --examples, the number of examples that a prompt shows."
            )
        if self.temperature != "server" and not 0.0 <= self.temperature <= 2.0:
            raise UsageError(f"--temperature must lie between 0 and 2, got {self.temperature}.")
        self._check_weights()
        self._check_price()
        self._check_address()

    @property
    def weights(self) -> dict[str, float]:
        """Each model with its share of the samples; empty for the grammar.

        Raises UsageError for a weight that is not a number.
        """
        weights = {}
        for named in self.model:
            name, equals, weight = named.rpartition("=")
            try:
                weights[name if equals else named] = float(weight) if equals else 1.0
            except ValueError:
                raise UsageError(
                    "--model takes names with numbers as weights, e.g. gpt-5=2 o4=1, got"
                    f" {named!r}."
                ) from None
        return weights

    @property
    def asks_models(self) -> bool:
        """Whether the run asks any model."""
        return bool(self.model) or self.judge_model is not None

    @property
    def vision_model(self) -> str | None:
        """The model that looks at episodes: `judge_model`, or else the first of `model`."""
        return self.judge_model or next(iter(self.weights), None)

    @property
    def stream(self) -> bool:
        """Whether answers are streamed."""
        return parse_extra_body(self.extra_body).stream

    @property
    def extra_fields(self) -> dict[str, object]:
        """Further fields of a request's body."""
        return parse_extra_body(self.extra_body).fields

    def _check_weights(self) -> None:
        weights = self.weights
        if len(weights) < len(self.model):
            raise UsageError(f"--model names a model twice: {' '.join(self.model)}.")
        if not all(weight > 0.0 and math.isfinite(weight) for weight in weights.values()):
            raise UsageError(
                f"--model needs weights above 0, e.g. gpt-5=2, got {' '.join(self.model)}."
            )
        if self.model_choice == "bandit" and len(weights) < 2:
            raise UsageError("--model-choice bandit needs several models: --model NAME NAME ….")

    def _check_price(self) -> None:
        if self.price is None:
            return
        if len(self.price) != 2 or any(not (p >= 0.0 and math.isfinite(p)) for p in self.price):
            raise UsageError(
                "--price takes two numbers, 0 or above: USD per million tokens of prompts and of"
                f" answers, got {' '.join(map(str, self.price))}."
            )

    def _check_address(self) -> None:
        _ = self.extra_fields
        if self.base_url is not None and not self.asks_models:
            raise UsageError(
                "--base-url needs --model: which model of that server should write the rewards?"
            )
        if self.extra_body is not None and not self.asks_models:
            raise UsageError("--extra-body needs --model: it says how the model is asked.")
        if self.base_url is not None and not self.base_url.startswith(("http://", "https://")):
            raise UsageError(
                f"--base-url must start with http:// or https://, got {redacted(self.base_url)!r}."
            )
        if self.base_url is not None:
            refuse_user_information(self.base_url, "--base-url")
        for name in (*self.weights, self.judge_model or ""):
            if "://" in name:
                raise UsageError(
                    "A model's name cannot be an address: give the server as --base-url, got"
                    f" {redacted(name)!r}."
                )


def _as_names(given: object) -> object:
    """Return names with weights from what is natural in Python: one name, or a dictionary."""
    if given is None:
        return ()
    if isinstance(given, str):
        return (given,)
    if isinstance(given, Mapping):
        return tuple(f"{name}={weight}" for name, weight in given.items())
    return given
