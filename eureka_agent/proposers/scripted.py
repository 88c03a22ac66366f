"""A proposer with prepared answers, for tests and demonstrations."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from eureka_agent.errors import ProposerError
from eureka_agent.records import Completion, Prompt


class ScriptedProposer:
    """Answers with prepared texts, or with a function of the prompt and the sample's index.

    `asked` records every requested sample as `(generation, index)`, `prompts` every prompt.

    Args:
        texts: one list of texts for each generation, or a function that returns the text.
        delay_s: pause before each answer, in seconds.
    """

    name = "scripted"

    def __init__(
        self, texts: Sequence[Sequence[str]] | Callable[[Prompt, int], str], *, delay_s: float = 0.0
    ) -> None:
        self.asked: list[tuple[int, int]] = []
        self.prompts: list[Prompt] = []
        self._texts = texts
        self._delay_s = delay_s

    def propose(self, prompts: Mapping[int, Prompt]) -> Iterator[Completion]:
        """Yield the scripted texts in order, `delay_s` seconds apart.

        Raises:
            ProposerError: if the script has no text for a sample.
        """
        self.prompts += {id(prompt): prompt for prompt in prompts.values()}.values()
        for index, prompt in prompts.items():
            self.asked.append((prompt.generation, index))
            time.sleep(self._delay_s)
            yield Completion(index, self._text(prompt, index), self.name, seconds=self._delay_s)

    def _text(self, prompt: Prompt, index: int) -> str:
        if callable(self._texts):
            return self._texts(prompt, index)
        try:
            return self._texts[prompt.generation][index]
        except IndexError:
            raise ProposerError(
                f"The script has no text for sample {index} of generation {prompt.generation}."
            ) from None
