"""The contract of a proposer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from eureka_agent.records import Completion, Prompt


class Proposer(Protocol):
    """Something that answers a prompt with reward functions: a model, the grammar, or a script."""

    name: str

    def propose(self, prompt: Prompt, indices: Sequence[int]) -> Iterator[Completion]:
        """Yield one completion for each sample index, as each arrives (in any order).

        The indices are given rather than a number, because a resumed run asks only for the samples that it does
        not have yet. Raises ProposerError when no completion can be had; those already yielded stay valid.
        """
        ...
