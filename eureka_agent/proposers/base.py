"""The interface of a proposer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from eureka_agent.records import Completion, Prompt


class Proposer(Protocol):
    """Answers prompts with reward functions: a model, the grammar, or a script."""

    name: str
    """Name of the proposer, such as `grammar`."""

    def propose(self, prompts: Mapping[int, Prompt]) -> Iterator[Completion]:
        """Yield one completion for each sample as it arrives, in any order.

        Args:
            prompts: the prompt of each sample, by the sample's index in its generation. A resumed
                run asks only for samples that it does not have yet.

        Returns:
            An iterator over completions; `Completion.index` names the sample.

        Raises:
            ProposerError: if a completion cannot be had; those already yielded stay valid.
        """
        ...
