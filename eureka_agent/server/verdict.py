"""From what a person entered to the feedback that the search gets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eureka_agent.errors import CandidateError, InternalError, UsageError
from eureka_agent.extract.reading import faults_as_ours, reward_in
from eureka_agent.records import Feedback, Outcome
from eureka_agent.runs.drafts import Draft, Mark, Question
from eureka_agent.search.feedback import FeedbackRequest
from eureka_agent.search.selection import greedy
from eureka_agent.server.pairs import comparisons
from eureka_agent.server.runs import RunState
from eureka_agent.tasks.task import StateSpec
from eureka_agent.text import one_line

_MARK_WORDS: Mapping[Mark, str] = {"keep": "Keep", "drop": "Give up"}


@dataclass(frozen=True)
class Ballot:
    """What a person can judge: the candidates of a generation and the best ones before it."""

    generation: int
    has_fitness: bool
    earlier: tuple[Outcome, ...]
    """The best so far, and the other parents of the generation."""
    outcomes: tuple[Outcome, ...]
    """The generation's own, failures included."""

    @classmethod
    def of_request(cls, request: FeedbackRequest) -> Ballot:
        """Return what a judge is asked about."""
        return cls(request.generation, request.has_fitness, request.earlier, request.outcomes)

    @classmethod
    def of_run(cls, state: RunState, question: Question) -> Ballot:
        """Return what a question of a run is about."""
        known = {outcome.candidate.name: outcome for outcome in state.report.outcomes}
        own = tuple(o for o in known.values() if o.candidate.generation == question.generation)
        earlier = tuple(known[name] for name in question.earlier if name in known)
        has_fitness = state.report.task.has_fitness
        return cls(question.generation, has_fitness, earlier, own)

    @property
    def shown(self) -> tuple[Outcome, ...]:
        """The candidates in the order of the page."""
        return (*self.earlier, *self.outcomes)

    @property
    def rankable(self) -> tuple[str, ...]:
        """Names of the candidates that have a policy."""
        return tuple(o.candidate.name for o in self.shown if o.evaluation is not None)


def feedback_of(draft: Draft, ballot: Ballot) -> Feedback:
    """Return the feedback that a person's answer means.

    Args:
        draft: What the person entered.
        ballot: What the question is about.

    Returns:
        The feedback.

    Raises:
        UsageError: Something is missing or contradicts itself; one sentence for the person.
    """
    return Feedback(
        generation=ballot.generation,
        ranking=_ranking(draft, ballot),
        words=_words(draft, ballot),
        stop=draft.stop,
        edited=_edits(draft, ballot),
    )


def check_edit(code: str, spec: StateSpec) -> str | None:
    """Return why a person's reward does not pass the static checks; None if it does."""
    try:
        with faults_as_ours("reading the reward"):
            reward_in(code, spec, of="file")
    except (CandidateError, InternalError) as error:
        return str(error)
    return None


def marks_in_words(marks: Mapping[str, Mark]) -> str:
    """Return which components to keep and to give up, in the form that the model reads."""
    lines = []
    for mark, verb in _MARK_WORDS.items():
        names = [one_line(name, 80) for name, given in marks.items() if given == mark]
        if names:
            what = "this component" if len(names) == 1 else "these components"
            lines.append(f"{verb} {what}: {', '.join(names)}.")
    return "\n".join(lines)


def _ranking(draft: Draft, ballot: Ballot) -> tuple[str, ...]:
    """Return the names, best first: the comparisons, with the chosen best and worst at the ends."""
    names = ballot.rankable
    _demand_known((draft.best, draft.worst), names)
    if draft.best is not None and draft.best == draft.worst:
        raise UsageError(f"{draft.best} is both the best and the worst: choose another for one.")
    between = [
        name
        for name in comparisons(names, draft.pairs).order
        if name not in (draft.best, draft.worst)
    ]
    best = draft.best
    if best is None and not between:
        best = _default_best(draft, ballot)
    ends = ([best] if best else [], [draft.worst] if draft.worst else [])
    return (*ends[0], *between, *ends[1])


def _default_best(draft: Draft, ballot: Ballot) -> str | None:
    """Return the best where the person chose only a worst; None if nobody was chosen."""
    previous = ballot.earlier[0] if ballot.earlier else None
    if not ballot.has_fitness and previous is None:
        raise UsageError(
            "Nothing measures this instruction but you: choose the best candidate before you go on."
        )
    if draft.worst is None:
        return None
    trained = [o for o in ballot.shown if o.candidate.name in ballot.rankable]
    others = [o for o in trained if o.candidate.name != draft.worst]
    best = greedy(others) if ballot.has_fitness else previous
    if best is None or best.candidate.name == draft.worst:
        raise UsageError(f"{draft.worst} is the worst; which one is the best? Choose it as well.")
    return best.candidate.name


def _words(draft: Draft, ballot: Ballot) -> dict[str, str]:
    """Return the comments with the marked components, by name, in the order of the page."""
    names = [outcome.candidate.name for outcome in ballot.shown]
    _demand_known((*draft.words, *draft.marks), names)
    words = {}
    for name in names:
        parts = (draft.words.get(name, "").strip(), marks_in_words(draft.marks.get(name, {})))
        if any(parts):
            words[name] = "\n\n".join(filter(None, parts))
    return words


def _edits(draft: Draft, ballot: Ballot) -> dict[str, str]:
    names = [outcome.candidate.name for outcome in ballot.shown]
    _demand_known(draft.edited, names)
    return {name: draft.edited[name] for name in names if name in draft.edited}


def _demand_known(given: Sequence[str | None] | Mapping[str, str], names: Sequence[str]) -> None:
    for name in given:
        if name is not None and name not in names:
            raise UsageError(
                f"{one_line(name, 40)} cannot be judged here. There are: {', '.join(names)}."
            )
