"""Questions of a judge to a model, whose answers are stored and never paid for twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from eureka_agent.proposers.base import Proposer
from eureka_agent.proposers.chat import PROMPT_ERRORS, refused_completion
from eureka_agent.records import Completion, JudgeAnswer, Prompt
from eureka_agent.runs.store import Store

Question: TypeAlias = tuple[str, int]
"""What it is about (a candidate's name), and the number of the question about it."""


class StoredQuestions:
    """Asks the questions of one generation.

    Args:
        store: Keeps the answers.
        proposer: Asks the model.
        generation: The generation that is judged.
        usable: Whether an answer holds what was asked for. A stored answer that does not is asked
            for again.
    """

    def __init__(
        self,
        store: Store,
        proposer: Proposer,
        generation: int,
        usable: Callable[[Completion], bool],
    ) -> None:
        self._store = store
        self._proposer = proposer
        self._generation = generation
        self._usable = usable

    def ask(self, prompts: Mapping[Question, Prompt]) -> dict[Question, Completion]:
        """Return the answer to each question; a prompt that is refused gets an empty one.

        Args:
            prompts: What is asked.

        Returns:
            The answers, stored ones included.

        Raises:
            LimitReachedError: The run's limits left no room for some questions. What was answered
                before is stored.
            ProposerError: The model failed for good.
        """
        stored = self.stored()
        answers = {question: stored[question] for question in prompts if question in stored}
        missing = [question for question in prompts if question not in answers]
        asked = {index: prompts[question] for index, question in enumerate(missing)}
        try:
            for completion in self._proposer.propose(asked) if asked else ():
                question = missing[completion.index]
                answers[question] = self._kept(question, completion)
        except PROMPT_ERRORS as error:
            for index, question in enumerate(missing):
                if question not in answers:
                    refused = refused_completion(index, self._proposer.name, error)
                    answers[question] = self._kept(question, refused)
        return answers

    def stored(self) -> dict[Question, Completion]:
        """Return the usable answers that the run has already."""
        return {
            (answer.about, answer.question): answer.completion
            for answer in self._store.judge_answers(self._generation)
            if self._usable(answer.completion)
        }

    def _kept(self, question: Question, completion: Completion) -> Completion:
        about, number = question
        self._store.save_judge_answer(JudgeAnswer(self._generation, about, number, completion))
        return completion
