"""Choose the model of each sample.

The choice depends only on seed, sample and history, so that a resumed run asks the same models.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from typing import Protocol

from eureka_agent.records import Completion, Outcome, Prompt

_GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0


class ModelSelector(Protocol):
    """Chooses a model for each sample, by name."""

    def __call__(self, prompt: Prompt, index: int) -> str:
        """Return the model that writes sample `index` of the prompt's generation."""
        ...


class WeightedSelector:
    """Gives each model its share of a generation's samples.

    The shares are met as evenly as possible: sample i lies at the fractional part of `start + i ×
    0.618…` on a scale where each model has a section as long as its weight (a Weyl sequence: any
    few neighbours spread over the scale).
    """

    def __init__(self, weights: Mapping[str, float], seed: int) -> None:
        self._weights = dict(weights)
        self._seed = seed

    def __call__(self, prompt: Prompt, index: int) -> str:
        """Return the model that writes sample `index` of the prompt's generation."""
        start = random.Random(f"{self._seed} models {prompt.generation}").random()
        position = (start + index * _GOLDEN) % 1.0 * sum(self._weights.values())
        for name, weight in self._weights.items():
            position -= weight
            if position < 0.0:
                return name
        return name  # the end of the scale, after rounding


class BanditSelector:
    """Learns which model's rewards improve fitness for their cost (Thompson sampling, 1933).

    A sample is a success if its fitness exceeds the best of earlier generations, or, in the first
    generation, if it could be trained. For a model with s successes and f failures a rate is drawn
    from Beta(1 + s, 1 + f); the model with the highest rate per dollar writes the sample. The cost
    is the mean over a model's answers so far. If a price is unknown, tokens are used instead of
    dollars; if these are unknown too, every answer costs the same.
    """

    def __init__(self, models: Sequence[str], seed: int) -> None:
        self._models = tuple(models)
        self._seed = seed

    def __call__(self, prompt: Prompt, index: int) -> str:
        """Return the model that writes sample `index` of the prompt's generation."""
        draws = random.Random(f"{self._seed} bandit {prompt.generation} {index}")
        # Prompts outside a run (`RewardGenerator`) have only their history.
        known = prompt.run or prompt.history
        succeeded, failed = _record(known, self._models)
        costs = _costs(known, self._models)
        rates = {
            m: draws.betavariate(1 + succeeded[m], 1 + failed[m]) / costs[m] for m in self._models
        }
        return max(self._models, key=rates.__getitem__)


def _record(
    history: Sequence[Outcome], models: Sequence[str]
) -> tuple[dict[str, int], dict[str, int]]:
    """Return each model's successes and failures."""
    succeeded, failed = dict.fromkeys(models, 0), dict.fromkeys(models, 0)
    for outcome in history:
        generation, model = outcome.candidate.generation, outcome.candidate.completion.proposer
        before = [other.fitness for other in history if other.candidate.generation < generation]
        if model in succeeded:
            counts = succeeded if outcome.fitness > max(before, default=-math.inf) else failed
            counts[model] += 1
    return succeeded, failed


def _costs(history: Sequence[Outcome], models: Sequence[str]) -> dict[str, float]:
    """Return the mean cost of each model's answers, in one unit; unknown models cost the mean."""
    answers: dict[str, list[Completion]] = {model: [] for model in models}
    for outcome in history:
        completion = outcome.candidate.completion
        if completion.proposer in answers:
            answers[completion.proposer].append(completion)
    asked = {model: given for model, given in answers.items() if given}
    for measure in (_usd, _tokens):
        means = {model: _mean(list(map(measure, given))) for model, given in asked.items()}
        known = [mean for mean in means.values() if mean is not None and mean > 0.0]
        if known and len(known) == len(means):
            usual = sum(known) / len(known)
            return {model: means.get(model) or usual for model in models}
    return dict.fromkeys(models, 1.0)


def _mean(values: Sequence[float | None]) -> float | None:
    """Return the mean; None if a value is unknown."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if len(known) == len(values) else None


def _usd(answer: Completion) -> float | None:
    return answer.cost_usd


def _tokens(answer: Completion) -> float | None:
    if answer.prompt_tokens is None or answer.completion_tokens is None:
        return None
    return float(answer.prompt_tokens + answer.completion_tokens)
