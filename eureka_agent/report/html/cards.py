"""What pages say of one candidate."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from eureka_agent.errors import UsageError
from eureka_agent.prompting.ideas import idea_of, plan_of
from eureka_agent.records import Behaviour, Completion, Outcome
from eureka_agent.report.cost import Cost
from eureka_agent.report.formatting import (
    STAGES,
    decimals_for,
    interval,
    number,
    one_line,
    plural,
)
from eureka_agent.report.html.charts.svg import Chart
from eureka_agent.report.html.figures import training_charts
from eureka_agent.report.lineage import code_of
from eureka_agent.report.messages import memory_hint
from eureka_agent.report.model import CandidateReport, RunReport
from eureka_agent.text import short_numbers_in_prompt, shortened

CardKind = Literal["best", "trained", "stopped", "duplicate", "failed", "pending"]

_FENCED = re.compile(r"^(```|~~~).*?^\1[^\n]*$", re.MULTILINE | re.DOTALL)
_LONGEST_WORDS = 6_000
_LONGEST_CODE = 60_000
_MOST_LINES = 12


@dataclass(frozen=True)
class Part:
    """A few lines under a title."""

    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class ParentCode:
    """The code that a candidate was built on."""

    name: str
    code: str


@dataclass(frozen=True)
class CandidateCard:
    """Everything about one candidate, as the macro `candidate_card` shows it."""

    name: str
    kind: CardKind
    status: str
    """What became of it, in a few words."""
    idea: str
    """Its idea in one line."""
    plan: str
    """The plan that stands before its code."""
    fitness: str
    """Its mean over the training seeds; empty without one."""
    interval: str
    seeds: str
    """Number of trainings."""
    estimate: str
    """What a new training is expected to reach; empty if nothing tells."""
    ends: str
    """How the episodes of its evaluation ended."""
    result: str
    """Its fitness with the unit, or the length of its episodes; empty without a training."""
    problem: str
    """Why it failed, in one sentence; empty if it did not."""
    comments: tuple[str, ...]
    """The judge's words about it."""
    facts: tuple[tuple[str, str], ...]
    """Names and values."""
    curves: tuple[Chart, ...]
    code: str
    """Empty if the answer holds none."""
    parent: ParentCode | None
    behaviour: tuple[Part, ...]
    words: str
    """The answer without its code."""
    reflection: str
    """What the next prompt says of it."""


def candidate_card(report: RunReport, name: str) -> CandidateCard:
    """Return what pages say of a candidate.

    Args:
        report: The run.
        name: The candidate's name.

    Raises:
        KeyError: The run has no such candidate.
    """
    candidate = report.candidates[name]
    outcome, unit = candidate.outcome, report.fitness_unit
    decimals = decimals_for(each.fitness for each in report.outcomes)
    overall = outcome.overall if outcome is not None else None
    measured = overall if unit is not None else None
    kind, status = _status(candidate, report)
    estimate = report.result.estimates.get(name)
    result = ""
    if overall is not None:
        length = f"episodes of {number(overall.episode_length, 0)} steps"
        result = f"{number(measured.fitness, decimals)} {unit}" if measured else length
    return CandidateCard(
        name=name,
        kind=kind,
        status=status,
        idea=idea_of(outcome).removeprefix("Idea: ") if outcome else "",
        plan=plan_of(outcome).removeprefix("Idea: ") if outcome else "",
        fitness=number(measured.fitness, decimals) if measured else "",
        interval=interval(measured, decimals) if measured else "",
        seeds=f"{overall.seeds}" if overall else "",
        estimate=number(estimate.value, decimals) if estimate else "",
        ends=_ends(outcome.behaviour) if outcome and outcome.behaviour else "",
        result=result,
        problem=_problem(outcome),
        comments=_comments(report, name),
        facts=tuple(_facts(candidate, report, decimals)),
        curves=training_charts(name, outcome, unit) if outcome else (),
        code=_code(report, name),
        parent=_parent(candidate, report),
        behaviour=_behaviour(outcome.behaviour) if outcome and outcome.behaviour else (),
        words=words_of(candidate.completion),
        reflection=shortened(outcome.reflection or "", _LONGEST_WORDS) if outcome else "",
    )


def words_of(completion: Completion) -> str:
    """Return an answer without its code: at most 6,000 characters."""
    text = _FENCED.sub("", completion.text[: 4 * _LONGEST_WORDS])
    paragraphs = [line for line in text.strip().splitlines() if line.strip()]
    return shortened("\n".join(paragraphs), _LONGEST_WORDS)


def _status(candidate: CandidateReport, report: RunReport) -> tuple[CardKind, str]:
    outcome, best = candidate.outcome, report.result.best
    if outcome is None:
        checked = "checked" if candidate.passed_checks else "proposed"
        return "pending", f"{checked}, not trained yet"
    if best is not None and candidate.name == best.candidate.name:
        return "best", "best" if report.task.has_fitness else "chosen"
    if outcome.duplicate_of is not None:
        return "duplicate", f"same as {one_line(outcome.duplicate_of, 20)}"
    if outcome.failure is not None:
        return "failed", STAGES[outcome.failure.stage]
    if outcome.training is not None and outcome.training.stopped is not None:
        return "stopped", "stopped early"
    return "trained", ""


def _problem(outcome: Outcome | None) -> str:
    if outcome is None or outcome.failure is None:
        return ""
    failure = outcome.failure
    return one_line(f"{failure.message}{memory_hint(failure)}")


def _facts(candidate: CandidateReport, report: RunReport, decimals: int) -> list[tuple[str, str]]:
    outcome, completion = candidate.outcome, candidate.completion
    overall = outcome.overall if outcome else None
    rows = [("Built on", ", ".join(candidate.parents))]
    if outcome is not None and overall is not None:
        if report.task.has_fitness:
            over = f"{plural(overall.seeds, 'training seed')}, 95 % {interval(overall, decimals)}"
            by_seed = [number(value, decimals) for value in outcome.fitness_by_seed]
            rows.append(("Fitness", f"{number(overall.fitness, decimals)} over {over}"))
            rows.append(("Each training", ", ".join(by_seed) if len(by_seed) > 1 else ""))
        rows.append(("Episodes", f"{number(overall.episode_length, 0)} steps long on average"))
        rows += [(one_line(name, 40), number(x)) for name, x in overall.measures.items()]
    if outcome is not None:
        stopped = outcome.training.stopped if outcome.training else None
        rows.append(("Stopped early", one_line(stopped or "")))
        if outcome.distance_to_human is not None:
            distance = f"{outcome.distance_to_human:.2f} of 1"
            rows.append(("Distance to the human reward", distance))
    rows.append(("Proposer", one_line(completion.served_by or completion.proposer, 80)))
    rows.append(("Cost", str(Cost.of([completion]))))
    sent_back = plural(completion.repair, "time") if completion.repair else ""
    rows.append(("Sent back", sent_back))
    return rows


def _comments(report: RunReport, name: str) -> tuple[str, ...]:
    feedback = [part.feedback for part in report.generations if part.feedback is not None]
    return tuple(each.words[name] for each in feedback if each.words.get(name))


def _code(report: RunReport, name: str) -> str:
    try:
        return shortened(code_of(report, name), _LONGEST_CODE)
    except UsageError:  # the answer holds none
        return ""


def _parent(candidate: CandidateReport, report: RunReport) -> ParentCode | None:
    if not candidate.parents or candidate.parents[0] not in report.candidates:
        return None
    parent = candidate.parents[0]
    code = _code(report, parent)
    return ParentCode(parent, code) if code and _code(report, candidate.name) else None


# ---------------------------------------------------------------------- behaviour
def _ends(behaviour: Behaviour) -> str:
    ends = [
        f"{end.episodes} of {behaviour.episodes} {one_line(end.cause, 60)}"
        for end in behaviour.ends[:_MOST_LINES]
    ]
    return "; ".join(ends)


def _behaviour(behaviour: Behaviour) -> tuple[Part, ...]:
    """Return how episodes ended, what paid for them, and how the state changed."""
    ends = [
        f"{end.episodes} of {behaviour.episodes}: {one_line(end.cause, 100)}, after"
        f" {number(end.length * behaviour.step_s)} s on average"
        for end in behaviour.ends
    ]
    parts = (
        Part("How the episodes ended", tuple(ends[:_MOST_LINES])),
        Part("What the components paid, and what they explain", _component_lines(behaviour)),
        Part(
            "The state at the start, middle and end: median (5 % to 95 % of the episodes)",
            _state_lines(behaviour),
        ),
    )
    return tuple(part for part in parts if part.lines)


def _component_lines(behaviour: Behaviour) -> tuple[str, ...]:
    lines = []
    for effect in behaviour.components[:_MOST_LINES]:
        line = f"{one_line(effect.name, 60)}: {number(effect.mean)} per episode"
        if math.isfinite(effect.variance_share):
            line += f"; explains {effect.variance_share:.0%} of the return's variance"
        if math.isfinite(effect.fitness_correlation):
            line += f"; correlation with fitness {effect.fitness_correlation:.2f}"
        lines.append(line)
    return tuple(lines)


def _state_lines(behaviour: Behaviour) -> tuple[str, ...]:
    lines = []
    for spread in behaviour.spreads[:_MOST_LINES]:
        moments = (spread.start, spread.middle, spread.end)
        shown = ", ".join(map(_moment, moments))
        unit = f" ({one_line(spread.unit, 20)})" if spread.unit else ""
        lines.append(f"{one_line(spread.name, 60)}{unit}: {shown}")
    return tuple(lines)


def _moment(percentiles: Sequence[float]) -> str:
    low, median, high = short_numbers_in_prompt(percentiles)
    return f"{median} ({low} to {high})"
