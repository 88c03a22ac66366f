"""The cost and the tokens of completions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from eureka_agent.records import Completion

_FREE = frozenset(("grammar", "scripted", "given", "judge"))


@dataclass(frozen=True)
class Cost:
    """The known prices of models' completions; other proposers cost nothing."""

    usd: float
    """Sum of the known prices."""
    priced: int
    """Completions with a known price."""
    unpriced: int
    """Completions of models whose price is unknown."""

    @classmethod
    def of(cls, completions: Iterable[Completion]) -> Cost:
        """Add up `completions`."""
        bought = [completion for completion in completions if completion.proposer not in _FREE]
        prices = [completion.cost_usd for completion in bought if completion.cost_usd is not None]
        return cls(sum(prices), len(prices), len(bought) - len(prices))

    @property
    def known(self) -> float | None:
        """The sum in USD; None if completions were bought and none has a known price."""
        return self.usd if self.priced or not self.unpriced else None

    def __str__(self) -> str:
        """Return `$0.12`, `price unknown`, or an empty string if no model was asked."""
        if not self.priced:
            return "price unknown" if self.unpriced else ""
        amount = f"${self.usd:.2f}" if self.usd == 0 or self.usd >= 0.01 else f"${self.usd:.4f}"
        answers = "answer" if self.unpriced == 1 else "answers"
        return (
            f"{amount} and {self.unpriced} {answers} of unknown price" if self.unpriced else amount
        )


@dataclass(frozen=True)
class Tokens:
    """The tokens of models' prompts and completions, as far as the servers count them."""

    prompt: int
    completion: int

    @classmethod
    def of(cls, completions: Iterable[Completion]) -> Tokens:
        """Add up `completions`."""
        counted = [completion for completion in completions if completion.proposer not in _FREE]
        prompt = sum(completion.prompt_tokens or 0 for completion in counted)
        return cls(prompt, sum(completion.completion_tokens or 0 for completion in counted))
