"""Find out whether a model sees pictures, before anything is trained."""

from __future__ import annotations

import io

from PIL import Image

from eureka_agent.errors import JudgeError
from eureka_agent.judges.answers import StoredQuestions
from eureka_agent.prompting.judging import sight_prompt
from eureka_agent.proposers.chat import ChatProposer
from eureka_agent.records import INITIAL, Completion
from eureka_agent.runs.store import Store
from eureka_agent.text import one_line

_QUESTION = ("sight", 0)
_COLOUR, _NAME = (220, 0, 0), "red"
_SIDE = 64
"""Some models refuse smaller pictures."""


def demand_sight(store: Store, proposer: ChatProposer) -> None:
    """Show a model a red picture, unless it has seen it already.

    Args:
        store: The run's database, which keeps the answer.
        proposer: Asks the model.

    Raises:
        JudgeError: The model does not say that the picture is red.
        LimitReachedError: The run's limits leave no room for the question.
        ProposerError: The server refuses pictures, or the model cannot be asked.
    """
    questions = StoredQuestions(store, proposer, INITIAL, _is_right)
    answer = questions.ask({_QUESTION: sight_prompt(_picture())})[_QUESTION]
    if not _is_right(answer):
        said = one_line(answer.error or answer.text, 100)
        raise JudgeError(
            f"{proposer.name} does not seem to see pictures: it was shown a {_NAME} one and asked"
            f" for its colour, and answered {said!r}. Name a model that reads images with"
            " --judge-model."
        )


def _is_right(answer: Completion) -> bool:
    return _NAME in answer.text.casefold()


def _picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (_SIDE, _SIDE), _COLOUR).save(file, "JPEG")
    return file.getvalue()
