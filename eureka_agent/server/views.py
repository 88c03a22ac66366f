"""What the templates show: a run, a generation, and the form about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from eureka_agent.errors import UsageError
from eureka_agent.proposers.grammar import GrammarProposer
from eureka_agent.records import Feedback, Outcome
from eureka_agent.report.formatting import BASELINES, number, one_line
from eureka_agent.report.html.cards import CandidateCard, candidate_card
from eureka_agent.report.messages import feedback_lines
from eureka_agent.report.model import GenerationReport
from eureka_agent.runs.drafts import Draft, goes_on_at
from eureka_agent.server.entered import code_of, components_of
from eureka_agent.server.pairs import Comparisons, comparisons
from eureka_agent.server.runs import RunState
from eureka_agent.server.verdict import Ballot, check_edit, feedback_of
from eureka_agent.tasks.task import StateSpec


@dataclass(frozen=True)
class ReplayView:
    """A figure with a replay."""

    name: str
    label: str


@dataclass(frozen=True)
class ComponentView:
    """One component of a candidate's reward, to be kept or given up."""

    field: str
    """Name of its field in the form."""
    name: str
    mean: str
    """Its mean per step at the end of the training."""
    mark: str
    """`keep`, `drop` or nothing."""


@dataclass(frozen=True)
class BallotCard:
    """One candidate in the form."""

    card: CandidateCard
    earlier: bool
    """Whether it is of an earlier generation."""
    rankable: bool
    has_replay: bool
    components: tuple[ComponentView, ...]
    words: str
    original: str
    """Its code as it is."""
    code: str
    """Its code as the person edited it."""
    edited: bool
    problem: str | None
    """Why the edited code does not pass the checks."""

    @property
    def name(self) -> str:
        """The candidate's name."""
        return self.card.name


@dataclass(frozen=True)
class FormView:
    """The form about one generation."""

    ballot: Ballot
    draft: Draft
    cards: tuple[BallotCard, ...]
    comparisons: Comparisons
    goes_on: str | None
    """When the search goes on without an answer: an hour and a minute."""
    last: bool
    """Whether no generation follows, so that nothing can be edited any more."""
    reads_words: bool
    """Whether what proposes the rewards understands words; the grammar does not."""
    problem: str | None = None
    """Why the answer was not accepted."""

    @property
    def problems(self) -> tuple[str, ...]:
        """Everything that has to be put right before the answer can be submitted."""
        edits = [f"Your edit of {each.name}: {each.problem}" for each in self.cards if each.problem]
        return (*([self.problem] if self.problem else []), *edits)

    @property
    def order(self) -> str:
        """The ranking that the comparisons gave so far; empty before the first."""
        groups = [" = ".join(group) for group in self.comparisons.ranking]
        return " > ".join(groups)


@dataclass(frozen=True)
class GenerationView:
    """A generation as the page shows it when there is nothing to answer."""

    title: str
    report: GenerationReport
    cards: tuple[CandidateCard, ...]
    replays: tuple[ReplayView, ...]
    feedback: tuple[str, ...]
    """The judge's feedback in sentences."""
    edited: Mapping[str, str] = field(default_factory=dict)
    """Rewards that the judge wrote, by the name of the candidate that each is an edit of."""


def form_view(state: RunState, draft: Draft, problem: str | None = None) -> FormView:
    """Return the form about the generation that a run asks about.

    Args:
        state: The run, which has a question.
        draft: What the person entered so far.
        problem: Why the answer was not accepted.
    """
    assert state.question is not None
    ballot = Ballot.of_run(state, state.question)
    ends = goes_on_at(state.question, draft)
    own = {each.name for part in state.report.generations for each in part.candidates}
    shown = [outcome for outcome in ballot.shown if outcome.candidate.name in own]
    return FormView(
        ballot,
        draft,
        tuple(_ballot_card(state, ballot, outcome, draft) for outcome in shown),
        comparisons(ballot.rankable, draft.pairs),
        f"{ends:%H:%M}" if ends is not None else None,
        last=ballot.generation + 1 >= state.report.protocol.generations,
        reads_words=any(
            o.candidate.completion.proposer != GrammarProposer.name for o in ballot.outcomes
        ),
        problem=problem,
    )


def why_refused(draft: Draft, ballot: Ballot, spec: StateSpec) -> str | None:
    """Return why a draft cannot be submitted; None if it can."""
    try:
        feedback = feedback_of(draft, ballot)
    except UsageError as error:
        return str(error)
    if any(check_edit(code, spec) for code in feedback.edited.values()):
        return "Not submitted: an edited reward does not pass the checks. Correct it or undo it."
    return None


def generation_view(state: RunState, index: int) -> GenerationView | None:
    """Return a generation of a run; None if it has none with this index."""
    report = state.report
    part = next((each for each in report.generations if each.index == index), None)
    if part is None:
        return None
    names = [each.name for each in part.candidates]
    shown = [ReplayView(name, _label(state, name)) for name in names]
    return GenerationView(
        title_of(index, report.protocol.generations),
        part,
        tuple(candidate_card(report, name) for name in names),
        tuple(each for each in shown if each.name in state.stored.replays),
        feedback_in_words(part.feedback),
        part.feedback.edited if part.feedback else {},
    )


def result_replays(state: RunState) -> tuple[ReplayView, ...]:
    """Return the replays of the best candidate and of the references, which a run's page shows."""
    best = state.report.result.best
    names = [best.candidate.name] if best is not None else []
    names += [BASELINES["human"], BASELINES["sparse"]]
    return tuple(
        ReplayView(name, _label(state, name)) for name in names if name in state.stored.replays
    )


def title_of(index: int, of: int) -> str:
    """Return `Generation g1 (2 of 3)`, or the initial reward's title."""
    return "The initial reward" if index < 0 else f"Generation g{index} ({index + 1} of {of})"


def feedback_in_words(feedback: Feedback | None) -> tuple[str, ...]:
    """Return what a judge said about a generation, in sentences."""
    if feedback is None:
        return ()
    edits = [f"An edit of {one_line(name, 40)} joined the search." for name in feedback.edited]
    return (*feedback_lines(feedback), *edits)


def _label(state: RunState, name: str) -> str:
    """Return a name with its fitness, where fitness counts."""
    report = state.report
    results: Sequence[tuple[str, Outcome | None]] = [
        (each.name, each.outcome) for each in report.candidates.values()
    ]
    overall = {key: outcome.overall for key, outcome in results if outcome is not None}
    overall |= {BASELINES[each.name]: each.overall for each in report.result.baselines}
    known = overall.get(name)
    if known is None or report.fitness_unit is None:
        return name
    return f"{name}, {number(known.fitness)} {report.fitness_unit}".strip()


def _ballot_card(state: RunState, ballot: Ballot, outcome: Outcome, draft: Draft) -> BallotCard:
    name, original = outcome.candidate.name, code_of(outcome)
    edit = draft.edited.get(name)
    marks = draft.marks.get(name, {})
    curves = outcome.training.components if outcome.training else ()
    components = tuple(
        ComponentView(
            f"mark.{name}.{index}",
            component,
            number(curve.values[-1]) if curve.values else "",
            marks.get(component, ""),
        )
        for index, (component, curve) in enumerate(zip(components_of(outcome), curves, strict=True))
    )
    return BallotCard(
        candidate_card(state.report, name),
        earlier=outcome in ballot.earlier,
        rankable=name in ballot.rankable,
        has_replay=name in state.stored.replays,
        components=components,
        words=draft.words.get(name, ""),
        original=original,
        code=edit if edit is not None else original,
        edited=edit is not None,
        problem=check_edit(edit, state.stored.spec) if edit is not None else None,
    )
