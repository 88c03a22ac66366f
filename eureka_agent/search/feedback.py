"""The judge interface: rank a generation's candidates, comment on them, or stop the search.

The idea is in-context preference learning (ICPL, Yu et al. 2024): rankings choose the parents, and
the next prompt shows the model the preferred candidates, the least preferred, and past rankings.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol, TypeAlias, runtime_checkable

from eureka_agent.errors import UsageError
from eureka_agent.jail import Sandbox
from eureka_agent.proposers.events import ProposerEvent
from eureka_agent.records import Feedback, Outcome
from eureka_agent.runs.store import Store
from eureka_agent.tasks.task import Task
from eureka_agent.utils.did_you_mean import did_you_mean


@dataclass(frozen=True)
class FeedbackRequest:
    """What a judge is asked about: one evaluated generation.

    Args:
        task: The run's task.
        instruction: What the robot should do, in one sentence.
        has_fitness: Whether the instruction is the task's own, so that fitness measures it.
        generation: The generation's index, from 0.
        outcomes: The generation's outcomes in sample order, failures included.
        best: The best before this generation.
        other_parents: The parents of this generation apart from `best` (with islands or restarts).
        policies: The trained policy of each candidate that can be ranked, by name, for
            `Policy.from_bytes`.
        folder: The run's folder.
    """

    task: Task
    instruction: str
    has_fitness: bool
    generation: int
    outcomes: tuple[Outcome, ...]
    best: Outcome | None = None
    other_parents: tuple[Outcome, ...] = ()
    policies: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    folder: Path | None = None

    @property
    def trained(self) -> tuple[Outcome, ...]:
        """The outcomes that can be ranked: `earlier`, then the generation's that have a policy."""
        return (*self.earlier, *(outcome for outcome in self.outcomes if outcome.evaluation))

    @property
    def earlier(self) -> tuple[Outcome, ...]:
        """The earlier outcomes that can be ranked: the best so far and the other parents."""
        best = [self.best] if self.best and self.best not in self.outcomes else []
        return (*best, *self.other_parents)


@runtime_checkable
class Judge(Protocol):
    """A person, or code in place of one, who looks at each generation.

    A plain function from `FeedbackRequest` to `Feedback` can be passed as a judge as well.
    """

    @property
    def needs_terminal(self) -> bool:
        """Whether `ask` reads from this process's terminal, so that nothing else may draw on it."""
        ...

    def open(self) -> None:
        """Get ready for questions; called once, before the run starts.

        Raises:
            EurekaError: The judge cannot be asked. The run does not start.
        """
        ...

    def ask(self, request: FeedbackRequest) -> Feedback:
        """Judge a generation.

        Args:
            request: The generation to judge; `request.trained` can be ranked.

        Returns:
            The feedback, with `generation` copied from the request. An empty ranking leaves the
            choice to the fitness, or keeps the previous best.

        Raises:
            Exception: Any exception ends the run; a resumed run asks again.
        """
        ...

    def close(self) -> None:
        """Release what `open` took; called when the run has ended, for whatever reason."""
        ...


@runtime_checkable
class RunJudge(Judge, Protocol):
    """A judge that works with the run's database and its sandbox."""

    def begin(self, store: Store, sandbox: Sandbox, emit: Callable[[ProposerEvent], None]) -> None:
        """Get ready for the run; called once after `open`, before anything is asked or trained.

        Args:
            store: The run's database, with its config.
            sandbox: The run's open sandbox.
            emit: Called with what happens to requests to a model.

        Raises:
            EurekaError: The judge cannot work. The run does not start; `resume` tries again.
        """
        ...


JudgeFunction: TypeAlias = Callable[[FeedbackRequest], Feedback]


class FunctionJudge:
    """A judge that is a plain function; see `Judge`."""

    needs_terminal = False

    def __init__(self, function: JudgeFunction) -> None:
        self._function = function

    def open(self) -> None:
        """See `Judge.open`; a function needs nothing."""

    def ask(self, request: FeedbackRequest) -> Feedback:
        """See `Judge.ask`."""
        return self._function(request)

    def close(self) -> None:
        """See `Judge.close`; a function has nothing to release."""


def as_judge(judge: Judge | JudgeFunction) -> Judge:
    """Return a judge as it is, and a function as a judge."""
    return judge if isinstance(judge, Judge) else FunctionJudge(judge)


def checked(feedback: Feedback, request: FeedbackRequest, history: Sequence[Outcome]) -> Feedback:
    """Return a judge's feedback without empty comments. Raises UsageError if it is not valid."""
    if not isinstance(feedback, Feedback):
        raise UsageError(
            f"A judge must return eureka_agent.Feedback, got {type(feedback).__name__}."
        )
    if feedback.generation != request.generation:
        raise UsageError(
            f"The judge was asked about generation {request.generation}, got {feedback.generation}."
        )
    names = {outcome.candidate.name: outcome.evaluation is not None for outcome in history}
    for name in feedback.ranking:
        if not names.get(name):
            trained = [known for known, has_policy in names.items() if has_policy]
            raise UsageError(
                f"The judge ranked {name!r}, which is not a trained"
                f" candidate.{did_you_mean(name, trained)} Rank some of: {', '.join(trained)}."
            )
    if len(set(feedback.ranking)) < len(feedback.ranking):
        raise UsageError(
            f"The judge's ranking names a candidate twice: {' > '.join(feedback.ranking)}."
        )
    for name, words in feedback.words.items():
        if name not in names:
            raise UsageError(
                f"The judge commented on {name!r}, which is not a"
                f" candidate.{did_you_mean(name, names)}"
            )
        if not words.isascii() and words != words.encode("utf-8", "replace").decode("utf-8"):
            raise UsageError(
                f"The judge's comment on {name} is not text that UTF-8 can hold; replace lone"
                " surrogates."
            )
    for name in feedback.edited:
        if name not in names:
            raise UsageError(
                f"The judge edited the reward of {name!r}, which is not a"
                f" candidate.{did_you_mean(name, names)}"
            )
    _check_scores(feedback, names)
    comments = {name: words for name, words in feedback.words.items() if words.strip()}
    return replace(feedback, words=comments)


def _check_scores(feedback: Feedback, names: Mapping[str, bool]) -> None:
    """Raise UsageError for a score of an unknown candidate, or one that is not in [0, 1]."""
    for name, score in feedback.scores.items():
        if not names.get(name):
            raise UsageError(
                f"The judge scored {name!r}, which is not a trained"
                f" candidate.{did_you_mean(name, names)}"
            )
        if not (0.0 <= score.value <= 1.0 and 0.0 <= score.spread <= 1.0):
            raise UsageError(
                f"The judge's score of {name} must lie between 0 and 1, and so must its spread: got"
                f" {score.value} and {score.spread}."
            )
