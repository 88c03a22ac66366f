"""Completions: what a model, the grammar or a script answered."""

from __future__ import annotations

from dataclasses import dataclass

from eureka_agent.text import storable


@dataclass(frozen=True)
class Completion:
    """A proposer's answer to a prompt, as it arrived."""

    index: int
    """Index of the sample in its generation, from 0."""
    text: str
    """The answer, with lone surrogates replaced."""
    proposer: str
    """The model's name as the run requested it, or `grammar`, `scripted`, or `given` (initial
    reward)."""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cost_usd: float | None = None
    """None if the price is unknown, never 0 in that case."""
    truncated: bool = False
    """Whether the answer was cut at the token limit."""
    seconds: float = 0.0
    served_by: str | None = None
    """The server's name for the model that answered, with its version if the server says so."""
    repair: int = 0
    """Number of earlier answers to the same prompt that failed and were sent back."""
    error: str | None = None
    """Why there is no answer: the server refused the prompt, and the text is empty."""

    def __post_init__(self) -> None:
        """Replace lone surrogates, which neither files nor servers accept."""
        object.__setattr__(self, "text", storable(self.text))
        if self.served_by is not None:
            object.__setattr__(self, "served_by", storable(self.served_by))
