"""What the sections of a run's report say."""

from __future__ import annotations

from dataclasses import dataclass

from eureka_agent.records import Evaluation
from eureka_agent.report.announcements import changed_settings, sandbox_line
from eureka_agent.report.comparison import longer_than, verdict, worth
from eureka_agent.report.formatting import (
    BASELINES,
    decimals_for,
    duration,
    interval,
    number,
    one_line,
    plural,
    quantity,
)
from eureka_agent.report.messages import (
    gain_over_initial,
    no_human_reward,
    reevaluation_results,
)
from eureka_agent.report.model import RunReport

Rows = list[tuple[str, str]]


@dataclass(frozen=True)
class ResultRow:
    """One row of the table of results."""

    label: str
    candidate: str
    """The candidate's name, for a link; empty for a reference."""
    fitness: str
    interval: str
    seeds: str
    length: str
    measures: tuple[str, ...]


def state_of(report: RunReport) -> tuple[str, str]:
    """Return whether the run is finished: a class of `.badge` and a few words."""
    if report.stopped is not None:
        return "bad", "stopped early"
    if not report.finished:
        done = f"{report.finished_generations} of {report.protocol.generations}"
        return "running", f"not finished: {done} generations"
    if report.result.best is None:
        return "bad", "finished without a reward"
    return "good", "finished"


def result_lines(report: RunReport) -> list[str]:
    """Return what the run found, in sentences."""
    best, unit = report.result.best, report.fitness_unit
    if best is None:
        return [_nothing_found(report)]
    if unit is None:
        return [
            f"{best.candidate.name} was chosen.",
            *gain_over_initial(report.outcomes, best, None),
        ]
    lines = verdict(best, report.outcomes, report.result.baselines, unit)
    if lines:
        return lines
    name, fitness = best.candidate.name, number(best.fitness)
    trained = "One training each decided, and another seed may give another result."
    return [f"{name} reached the highest fitness: {fitness} {unit}.", trained]


def result_notes(report: RunReport) -> list[str]:
    """Return what limits the result, and what its final trainings gave."""
    best, unit, result = report.result.best, report.fitness_unit, report.result
    notes = []
    overall = best.overall if best is not None else None
    if best is not None and unit is not None:
        notes += gain_over_initial(report.outcomes, best, unit)
        notes += no_human_reward(result.baselines)
    if overall is not None and unit is not None:
        longer = longer_than(report.protocol.budget, own_steps=report.protocol.own_steps)
        notes += worth(overall, result.baselines, report.task, longer=longer)
    if result.reevaluation is not None:
        notes += reevaluation_results(result.reevaluation)
    return notes


def key_figures(report: RunReport) -> list[tuple[str, str, str]]:
    """Return the large figures: name, value, remark."""
    result, unit = report.result, report.fitness_unit
    figures = []
    if result.expected is not None:
        estimate = result.expected
        decimals = decimals_for((estimate.value, estimate.low, estimate.high))
        low, high = number(estimate.low, decimals), number(estimate.high, decimals)
        value = f"{number(estimate.value, decimals)} {unit}"
        figures.append(("Expected with a new seed", value, f"95 %: {low} to {high}"))
    elif result.best is not None and unit is not None:
        remark = "one training" if len(result.best.fitness_by_seed) == 1 else ""
        figures.append(("Best fitness", f"{number(result.best.fitness)} {unit}", remark))
    if result.human_normalised is not None:
        score = number(result.human_normalised, 2)
        figures.append(("Human-normalised score", score, "0: sparse reward, 1: human reward"))
    trained = sum(outcome.evaluation is not None for outcome in report.outcomes)
    failed = len(report.outcomes) - trained
    remark = f"{failed} failed" if failed else "none failed"
    figures.append(("Rewards trained", f"{trained}", remark))
    steps = f"{quantity(report.effort.environment_steps)} environment steps"
    figures.append(("Training time", duration(report.effort.seconds), steps))
    if str(report.effort.cost):
        figures.append(("Cost", str(report.effort.cost), _tokens(report)))
    return figures


def measure_names(report: RunReport) -> list[str]:
    """Return the names of the task's further measures."""
    evaluations = [each.overall for each in (*report.outcomes, *report.result.baselines)]
    known = [evaluation.measures for evaluation in evaluations if evaluation is not None]
    return list(dict.fromkeys(name for measures in known for name in measures))


def result_rows(report: RunReport) -> list[ResultRow]:
    """Return the results of the best reward, the initial one and the references."""
    best, start = report.result.best, report.initial
    found: list[tuple[str, str, Evaluation | None]] = []
    if best is not None:
        words = "best" if report.task.has_fitness else "chosen"
        found.append((f"{words}: {best.candidate.name}", best.candidate.name, best.overall))
    if start is not None and start != best:
        found.append(("start", start.candidate.name, start.overall))
    found += [(BASELINES[each.name], "", each.overall) for each in report.result.baselines]
    known = [(label, name, overall) for label, name, overall in found if overall is not None]
    decimals = decimals_for(overall.fitness for _, _, overall in known)
    names = measure_names(report)
    return [_row(label, name, overall, decimals, names) for label, name, overall in known]


def _row(
    label: str, candidate: str, overall: Evaluation, decimals: int, measures: list[str]
) -> ResultRow:
    shown = [
        number(overall.measures[each]) if each in overall.measures else "" for each in measures
    ]
    return ResultRow(
        label,
        candidate,
        number(overall.fitness, decimals),
        interval(overall, decimals),
        f"{overall.seeds}",
        number(overall.episode_length, 0),
        tuple(shown),
    )


def effort_rows(report: RunReport) -> Rows:
    """Return the times, the steps, the cost and the tokens."""
    effort = report.effort
    completions = [each.completion for each in report.candidates.values()]
    waited = sum(completion.seconds for completion in (*completions, *effort.replaced))
    return [
        ("Started", _moment(effort.started)),
        ("Finished", _moment(effort.finished)),
        ("Training and evaluation", duration(effort.seconds)),
        ("Environment steps", f"{effort.environment_steps:,}"),
        ("Answers", _answers(report)),
        ("Waiting for answers", duration(waited) if waited >= 1.0 else ""),
        ("Tokens", _tokens(report)),
        ("Cost", str(effort.cost)),
        ("Stopped by", one_line(report.stopped or "")),
    ]


def environment_rows(report: RunReport) -> Rows:
    """Return what the run ran on: the sandbox, versions, the seed, settings that changed."""
    sandbox = sandbox_line(report.sandbox) if report.sandbox else "not opened yet"
    versions = [f"{one_line(name, 40)} {one_line(it, 40)}" for name, it in report.versions.items()]
    protocol = report.protocol
    return [
        ("Sandbox", f"{report.sandbox_level}: {sandbox}"),
        ("Versions", ", ".join(versions)),
        ("Seed", f"{protocol.seed}"),
        ("Budget", one_line(protocol.budget)),
        ("Examples in prompts", one_line(", ".join(protocol.examples))),
        ("Changed settings", "; ".join(changed_settings(report.changes))),
        ("Folder", one_line(str(report.path))),
    ]


def _nothing_found(report: RunReport) -> str:
    outcomes = report.outcomes
    if any(outcome.overall for outcome in outcomes):
        return "No reward was chosen."
    if not outcomes:
        return "No reward was trained yet." if not report.finished else "No reward was proposed."
    return f"No reward worked so far: all {plural(len(outcomes), 'candidate')} failed."


def _answers(report: RunReport) -> str:
    asked = [
        outcome for outcome in report.candidates.values() if outcome.completion.proposer != "given"
    ]
    replaced = len(report.effort.replaced)
    more = f", and {replaced} that were replaced" if replaced else ""
    return f"{len(asked)}{more}"


def _tokens(report: RunReport) -> str:
    tokens = report.effort.tokens
    if not tokens.prompt and not tokens.completion:
        return ""
    return f"{quantity(tokens.prompt)} in prompts, {quantity(tokens.completion)} in answers"


def _moment(time: str | None) -> str:
    return one_line(time[:19].replace("T", " ")) if time else ""
