"""Which of several models writes a sample: a function of seed, sample and history alone, so that a
resumed run asks the same ones.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from typing import Protocol

from eureka_agent.records import Completion, Outcome, Prompt

_GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0


class ModelSelector(Protocol):
    """Chooses the model of a sample, by name."""

    def __call__(self, prompt: Prompt, index: int) -> str:
        """Return the model that writes sample `index` of the prompt's generation."""
        ...


class WeightedSelector:
    """Each model gets its share of a generation's samples.

    Shares are kept as evenly as can be: sample i is at the fractional part of `start + i × 0.618…`
    on a scale on which each model has a stretch as long as its weight (a Weyl sequence: any few
    neighbours spread over the scale).
    """

    def __init__(self, weights: Mapping[str, float], seed: int) -> None:
        self._weights, self._seed = dict(weights), seed

    def __call__(self, prompt: Prompt, index: int) -> str:
        """Return the model that writes sample `index` of the prompt's generation."""
        start = random.Random(f"{self._seed} models {prompt.generation}").random()
        place = (start + index * _GOLDEN) % 1.0 * sum(self._weights.values())
        for name, weight in self._weights.items():
            place -= weight
            if place < 0.0:
                return name
        return name  # rounding: the scale's very end


class BanditSelector:
    """Learns which model's rewards improve fitness, for what they cost (Thompson sampling, Thompson
    1933).

    A sample is a success when its fitness exceeds the best of the generations before its own; in
    the first generation, when it could be trained. Of model m with s successes and f failures a
    rate is drawn from Beta(1 + s, 1 + f), and the model with the highest rate per dollar writes the
    sample. What an answer costs is the mean of a model's answers so far; where a price is unknown,
    tokens stand for dollars, and where they are unknown, too, answers do.
    """

    def __init__(self, models: Sequence[str], seed: int) -> None:
        self._models, self._seed = tuple(models), seed

    def __call__(self, prompt: Prompt, index: int) -> str:
        """Return the model that writes sample `index` of the prompt's generation."""
        draws = random.Random(f"{self._seed} bandit {prompt.generation} {index}")
        known = (
            prompt.run or prompt.history
        )  # a generator's prompts belong to no run and tell all that it knows
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
    """Return what an answer of each model costs, in one unit for all; a model not asked yet costs
    what others do."""
    answers = {
        model: [o.candidate.completion for o in history if o.candidate.completion.proposer == model]
        for model in models
    }
    for measure in (_usd, _tokens):
        costs = {
            model: [measure(answer) for answer in given]
            for model, given in answers.items()
            if given
        }
        means = {
            model: sum(filter(None, known)) / len(known)
            for model, known in costs.items()
            if None not in known
        }
        if means and len(means) == len(costs) and all(mean > 0.0 for mean in means.values()):
            usual = sum(means.values()) / len(means)
            return {model: means.get(model, usual) for model in models}
    return dict.fromkeys(models, 1.0)


def _usd(answer: Completion) -> float | None:
    return answer.cost_usd


def _tokens(answer: Completion) -> float | None:
    if answer.prompt_tokens is None or answer.completion_tokens is None:
        return None
    return float(answer.prompt_tokens + answer.completion_tokens)
