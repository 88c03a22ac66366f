"""A judge that shows episodes to a vision model, which scores them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from eureka_agent.config import SynthesisConfig
from eureka_agent.errors import JudgeError, LimitReachedError
from eureka_agent.jail import Sandbox
from eureka_agent.judges.answers import Question, StoredQuestions
from eureka_agent.judges.scoring import (
    by_score,
    distinct_policies,
    episodes_seed,
    loaded,
    mean_score,
)
from eureka_agent.judges.shown_episodes import scene_of, shown_episodes
from eureka_agent.judges.sight import demand_sight
from eureka_agent.judges.vision_answers import SingleScore, read_score
from eureka_agent.prompting.judging import score_prompt, score_repair_prompt
from eureka_agent.proposers.base import Proposer
from eureka_agent.proposers.chat import ChatProposer
from eureka_agent.proposers.events import ProposerEvent
from eureka_agent.proposers.factory import chat_proposer
from eureka_agent.proposers.prices import Price
from eureka_agent.proposers.spending import Usage, UsageLimits
from eureka_agent.records import Completion, Feedback, ImageMessage, JudgeScore, Prompt
from eureka_agent.runs.store import Store
from eureka_agent.search.feedback import FeedbackRequest
from eureka_agent.search.stored_spending import continue_spending
from eureka_agent.tasks.task import Task

QUESTIONS = 2
"""Episodes of each policy that the model is shown, one at a time."""
_AGAIN = QUESTIONS
"""Added to a question's number when it is asked again."""
_LONGEST_QUESTION = 8_000
"""Characters of a question's text, rarely more."""
DISAGREEMENT = 0.3
"""Difference between the answers that is worth a word."""


def vision_proposer(config: SynthesisConfig, proposer: Proposer) -> ChatProposer:
    """Return what asks the vision model, within the limits that the run's models share.

    Args:
        config: The run's settings; one of its models reads images.
        proposer: Writes the run's rewards.

    Raises:
        CredentialsError: The model has no key.
        UsageError: The model cannot be asked.
    """
    models, run = config.models, config.run
    own_limits = UsageLimits(max_tokens=run.max_tokens, max_cost_usd=run.max_cost_usd)
    return chat_proposer(
        {str(models.vision_model): 1.0},
        base_url=models.base_url,
        temperature=None if models.temperature == "server" else models.temperature,
        answer_tokens=models.answer_tokens,
        price=Price(models.price[0] / 1e6, models.price[1] / 1e6) if models.price else None,
        spending=proposer.spending if isinstance(proposer, ChatProposer) else own_limits,
        deadline_s=models.request_timeout_s,
        concurrency=models.concurrency,
        stream=models.stream,
        extra={name: value for name, value in models.extra_fields.items() if name != "n"},
    )


class VisionJudge:
    """Scores what a model sees in two new episodes of each policy; a `RunJudge`.

    Args:
        task: The task, with the episodes of the run; its scene can be drawn.
        proposer: Asks the vision model.
        shares_limits: Whether the limits are those of the run's own models, which are connected
            to the run's database already.
    """

    needs_terminal = False

    def __init__(self, task: Task, proposer: ChatProposer, *, shares_limits: bool = False) -> None:
        self._task = task
        self._proposer = proposer
        self._shares_limits = shares_limits
        self._store: Store | None = None

    def open(self) -> None:
        """See `Judge.open`; the work is done in `begin`."""

    def close(self) -> None:
        """See `Judge.close`; nothing was taken."""

    def begin(self, store: Store, sandbox: Sandbox, emit: Callable[[ProposerEvent], None]) -> None:
        """See `RunJudge.begin`: the task can be drawn, and the model sees pictures."""
        scene_of(self._task)
        self._store = store
        self._proposer.emit = emit
        if not self._shares_limits:
            continue_spending(self._proposer.spending, store)
        demand_sight(store, self._proposer)

    def largest_usage(self, candidates: int) -> Usage:
        """Return the most that the scores of `candidates` can take, if none is asked again."""
        text = "x" * _LONGEST_QUESTION
        one = self._proposer.worst_case((ImageMessage("user", text, b""),))
        return one.times(QUESTIONS * candidates)

    def ask(self, request: FeedbackRequest) -> Feedback:
        """See `Judge.ask`: score two episodes of every policy, and rank by the scores.

        Raises:
            JudgeError: No candidate got a score.
            ProposerError: The model failed for good.
        """
        assert self._store is not None
        names = distinct_policies(request)
        prompts = self._prompts(request, names)
        questions = StoredQuestions(self._store, self._proposer, request.generation, _has_score)
        try:
            found, stop = self._single_scores(questions, prompts), False
        except LimitReachedError:
            found, stop = _scores_in(questions.stored()), True
        scores: dict[str, JudgeScore] = {}
        for own in names.values():
            single = [found[own[0], k] for k in range(QUESTIONS) if (own[0], k) in found]
            if len(single) == QUESTIONS:
                scores |= dict.fromkeys(own, _joined(single))
        if not scores and not stop:
            raise JudgeError(
                f"{self._proposer.name} gave no score for any candidate of generation"
                f" {request.generation}: check that it reads images, or resume with another"
                " --judge-model."
            )
        feedback = by_score(request, scores)
        return replace(feedback, stop=True) if stop else feedback

    def _prompts(
        self, request: FeedbackRequest, names: Mapping[bytes, list[str]]
    ) -> dict[Question, Prompt]:
        assert self._store is not None
        config = self._store.config
        shown = shown_episodes(
            self._task,
            loaded([*names]),
            episodes=QUESTIONS,
            seed=episodes_seed(config.search.seed, request.generation),
            threads=config.training.threads,
        )
        prompts: dict[Question, Prompt] = {}
        for own, episodes in zip(names.values(), shown, strict=True):
            for k, episode in enumerate(episodes):
                prompts[own[0], k] = score_prompt(
                    self._task,
                    request.instruction,
                    episode,
                    generation=request.generation,
                    asks_for=f"the score of {own[0]}",
                )
        return prompts

    def _single_scores(
        self, questions: StoredQuestions, prompts: Mapping[Question, Prompt]
    ) -> dict[Question, SingleScore]:
        """Return the score that each question got; one with a bad answer is asked once more."""
        known = _scores_in(questions.stored())
        answers = questions.ask({key: each for key, each in prompts.items() if key not in known})
        again: dict[Question, Prompt] = {}
        for (name, k), answer in answers.items():
            try:
                read_score(answer)
            except JudgeError as error:
                if not answer.error:
                    prompt = prompts[name, k]
                    again[name, k + _AGAIN] = score_repair_prompt(prompt, answer.text, str(error))
        return {**known, **_scores_in({**answers, **questions.ask(again)})}


def _has_score(answer: Completion) -> bool:
    try:
        read_score(answer)
    except JudgeError:
        return False
    return True


def _scores_in(answers: Mapping[Question, Completion]) -> dict[Question, SingleScore]:
    """Return the scores in the answers, by the first number of their question."""
    scores: dict[Question, SingleScore] = {}
    for (name, number), answer in answers.items():
        if _has_score(answer):
            scores[name, number % QUESTIONS] = read_score(answer)
    return scores


def _joined(single: list[SingleScore]) -> JudgeScore:
    """Return the mean of two scores, with what the model said of both episodes."""
    values = [each.value for each in single]
    said = "; ".join(f"{each.reason} ({each.value:.2f})" for each in single)
    apart = max(values) - min(values)
    words = f"the two answers disagree by {apart:.2f}: " if apart > DISAGREEMENT else ""
    return mean_score(values, f"{words}{said}")
