"""The contract of a proposer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from eureka_agent.records import Completion, Prompt


class Proposer(Protocol):
    """Something that answers a prompt with reward functions: a model, the grammar, or a script."""

    name: str

    def propose(self, prompts: Mapping[int, Prompt]) -> Iterator[Completion]:
        """Yield one completion for each sample, as each arrives (in any order).

        `prompts`: by sample index what it is asked with. A resumed run asks only for the samples
        that it does not have yet. Raises ProposerError when no completion can be had; those already
        yielded stay valid.
        """
        ...
