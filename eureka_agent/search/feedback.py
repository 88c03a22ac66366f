"""A judge looks at a generation and says which candidates are best and worst, what is right or
wrong, or: enough.

The idea is that of in-context preference learning (ICPL, Yu et al. 2024): rankings choose the
parents, and the next prompt tells the model what was liked, what was not, and how the choices went
so far.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from eureka_agent.errors import UsageError
from eureka_agent.records import Feedback, Outcome
from eureka_agent.tasks.task import Task
from eureka_agent.utils.did_you_mean import did_you_mean


@dataclass(frozen=True)
class FeedbackRequest:
    """What a judge is asked about: a generation that was tried out."""

    task: Task
    instruction: str
    """What the robot should do, in one sentence."""
    has_fitness: bool
    """Whether the wish is the task's own, so that the outcomes' fitness measures it."""
    generation: int
    outcomes: tuple[Outcome, ...]
    """The generation's, in sample order, failures included."""
    best: Outcome | None = None
    """The best before this generation."""
    rivals: tuple[Outcome, ...] = ()
    """What other parts of the search built this generation on (islands, restarts), where it is not
    `best`."""
    policies: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    """By name of each that can be ranked: the policy trained with its reward, for
    `Policy.from_bytes`."""

    @property
    def trained(self) -> tuple[Outcome, ...]:
        """Those that can be ranked: the best so far, its rivals, then the generation's that have a
        policy."""
        return (*self.before, *(outcome for outcome in self.outcomes if outcome.evaluation))

    @property
    def before(self) -> tuple[Outcome, ...]:
        """The best so far and its rivals: who is older than the generation and stands beside it."""
        best = [self.best] if self.best and self.best not in self.outcomes else []
        return (*best, *self.rivals)


Judge: TypeAlias = Callable[[FeedbackRequest], Feedback]
"""A person, or what stands for one."""


def checked(said: Feedback, request: FeedbackRequest, history: Sequence[Outcome]) -> Feedback:
    """Return what a judge said, without empty words. Raises UsageError when it cannot be meant."""
    if not isinstance(said, Feedback):
        raise UsageError(f"A judge must return eureka_agent.Feedback, got {type(said).__name__}.")
    if said.generation != request.generation:
        raise UsageError(
            f"The judge was asked about generation {request.generation}, got {said.generation}."
        )
    names = {outcome.candidate.name: outcome.evaluation is not None for outcome in history}
    for name in said.ranking:
        if not names.get(name):
            trained = [known for known, has_policy in names.items() if has_policy]
            raise UsageError(
                f"The judge ranked {name!r}, which is no trained"
                f" candidate.{did_you_mean(name, trained)} Rank some of: {', '.join(trained)}."
            )
    if len(set(said.ranking)) < len(said.ranking):
        raise UsageError(
            f"The judge's ranking names a candidate twice: {' > '.join(said.ranking)}."
        )
    for name, words in said.words.items():
        if name not in names:
            raise UsageError(
                f"The judge speaks of {name!r}, which is no candidate.{did_you_mean(name, names)}"
            )
        if not words.isascii() and words != words.encode("utf-8", "replace").decode("utf-8"):
            raise UsageError(
                f"The judge's words on {name} are no text that UTF-8 can hold; replace lone"
                " surrogates."
            )
    return replace(said, words={name: words for name, words in said.words.items() if words.strip()})
