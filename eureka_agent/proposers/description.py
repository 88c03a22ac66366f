"""What proposes a run's rewards, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from eureka_agent.proposers.spending import Usage


@dataclass(frozen=True)
class AskedModel:
    """One of the models that a run asks."""

    name: str
    share: float
    """Its share of the samples, 0 to 1; what it starts with if the shares are learned."""
    server: str
    """Address or name of its server."""


@dataclass(frozen=True)
class LargestCost:
    """The most that a run's models can cost, if nothing is asked for again."""

    usage: Usage
    answer_tokens: int
    """Length of the longest answer that is counted on."""
    every_price_known: bool


@dataclass(frozen=True)
class ProposerDescription:
    """What proposes a run's rewards."""

    kind: Literal["grammar", "models", "own"]
    """The built-in grammar, the models that the config names, or the caller's own proposer."""
    name: str
    """Name of the proposer."""
    models: tuple[AskedModel, ...] = ()
    """The models that the config names."""
    learns_shares: bool = False
    """Whether the models' shares follow what their rewards are worth."""
    largest_cost: LargestCost | None = None
    """None if no model is asked."""
