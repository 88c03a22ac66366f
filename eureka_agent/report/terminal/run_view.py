"""A run's content, for `eureka-agent show`."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from eureka_agent.records import Completion, Evaluation, Outcome
from eureka_agent.report import messages
from eureka_agent.report.announcements import (
    changed_settings,
    sandbox_line,
    where_trainings_start,
)
from eureka_agent.report.cost import Cost
from eureka_agent.report.formatting import (
    BASELINES,
    STAGES,
    decimals_for,
    fitness_line,
    instruction_line,
    interval,
    number,
    one_line,
    plural,
    quantity,
    summarise,
)
from eureka_agent.report.model import CandidateReport, GenerationReport, RunReport
from eureka_agent.report.terminal.page import plain_table, whole_line
from eureka_agent.report.terminal.tables import Result, failures, results_table


def view_of(report: RunReport) -> RenderableType:
    """Return a run, finished or not: settings, all candidates, baselines, the best."""
    result = report.result
    parts: list[RenderableType] = [whole_line(one_line(report.name), "bold"), _settings(report)]
    for generation in report.generations:
        parts += _generation(generation, report)
    if result.baselines:
        rows = [Result(BASELINES[b.name], b.overall) for b in result.baselines]
        parts += [Text(), results_table(rows)]
    parts += [Text(), *_best(report), *_lineage(report)]
    if result.reevaluation is not None:
        lines = messages.reevaluation_results(result.reevaluation)
        parts += [Text(line, overflow="fold") for line in lines]
    if report.stopped is not None:
        parts.append(Text(f"Stopped early: {one_line(report.stopped)}"))
    if not report.finished:
        resume = f"Not finished; continue with: eureka-agent resume {report.path}"
        parts.append(whole_line(resume))
    return Group(*parts)


def _settings(report: RunReport) -> Table:
    task, protocol = report.task, report.protocol
    proposer = ", ".join(protocol.models) or "the built-in grammar"
    where = f" at {protocol.base_url}" if protocol.base_url else ""
    training = (
        f"{protocol.num_envs:,} environments and {quantity(protocol.environment_steps)} environment"
        " steps per reward"
    )
    generations = plural(protocol.generations, "generation")
    fitness = "none; rankings judge"
    judges = {
        "code": "a success measure (measure.py)",
        "vision": f"{protocol.judge_model}, which looks at episodes",
    }
    if task.has_fitness:
        fitness = fitness_line(task.fitness_unit, task.fitness_solved)
    rows = {
        "Task": instruction_line(task.name, task.instruction, ends_early=task.ends_early),
        "Proposer": f"{proposer}{where}",
        "Search": f"{generations} of {plural(protocol.samples, 'reward')}, seed {protocol.seed}",
        "Budget": f"{protocol.budget}, {training}",
        "Start": " ".join(where_trainings_start(protocol.init_policy)),
        "Sandbox": sandbox_line(report.sandbox) if report.sandbox else report.sandbox_level,
        "Fitness": fitness,
        "Judge": judges.get(protocol.judge, ""),
        "Changed": "; ".join(changed_settings(report.changes)),
        "Examples": ", ".join(protocol.examples),
    }
    grid = Table.grid(padding=(0, 2, 0, 0), expand=True)
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(ratio=1)
    for label, value in rows.items():
        if value:
            grid.add_row(label, Text(one_line(value)))
    return grid


def _generation(generation: GenerationReport, report: RunReport) -> list[RenderableType]:
    """Return a generation's candidates and the feedback on them."""
    parts: list[RenderableType] = []
    if generation.candidates:
        table = _candidates(generation, report.task.has_fitness)
        parts += [Text(), _title(generation, report.protocol.initial_reward), table]
    if generation.feedback is not None:
        lines = messages.feedback_lines(generation.feedback)
        parts += [Text(line, overflow="fold") for line in lines]
    return parts


def _title(generation: GenerationReport, initial_reward: str | None) -> Text:
    if generation.is_initial:
        name = messages.initial_reward_name(initial_reward)
        return Text(f"The search starts from {name}", "bold")
    parents = ", ".join(generation.parents)
    origin = f", built on {parents}" if parents else ", from the task alone"
    cost = f"; cost {generation.cost}" if str(generation.cost) else ""
    return Text(f"Generation g{generation.index}{origin}{cost}", "bold")


def _candidates(generation: GenerationReport, has_fitness: bool) -> Table:
    """Return one row per candidate; one without an outcome was interrupted."""
    outcomes, candidates = generation.outcomes, generation.candidates
    digits = decimals_for(outcome.fitness for outcome in outcomes)
    priced = any(str(Cost.of([candidate.completion])) for candidate in candidates)
    measures = list(
        dict.fromkeys(name for o in outcomes if o.overall for name in o.overall.measures)
    )
    figures = ("fitness", "95 % interval") if has_fitness else ("steps per episode",)
    seeded = any(outcome.more_seeds for outcome in outcomes)
    compared = any(outcome.distance_to_human is not None for outcome in outcomes)
    table = plain_table()
    table.expand = True
    table.add_column("reward", no_wrap=True)
    titles = [*figures, *(["seeds"] if seeded else []), *map(one_line, measures)]
    titles += ["to human"] if compared else []
    titles += ["cost"] if priced else []
    for title in titles:
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("", ratio=1)
    for candidate in candidates:
        outcome = candidate.outcome
        evaluation = outcome.overall if outcome else None
        cells = _fitness(evaluation, digits) if has_fitness else [_length(evaluation)]
        cells += [str(evaluation.seeds) if evaluation else "-"] if seeded else []
        cells += [_measure(evaluation, name) for name in measures]
        cells += [_distance(outcome)] if compared else []
        cells += [_price(candidate.completion)] if priced else []
        is_best = outcome is not None and outcome is generation.best
        note = _note(candidate, is_best=is_best)
        table.add_row(candidate.name, *cells, Text(note), style="bold" if is_best else "")
    return table


def _fitness(evaluation: Evaluation | None, digits: int) -> list[str]:
    if evaluation is None:
        return ["-", "-"]
    return [number(evaluation.fitness, digits), interval(evaluation, digits)]


def _measure(evaluation: Evaluation | None, name: str) -> str:
    return number(evaluation.measures[name]) if evaluation and name in evaluation.measures else "-"


def _length(evaluation: Evaluation | None) -> str:
    return "-" if evaluation is None else number(evaluation.episode_length, 0)


def _distance(outcome: Outcome | None) -> str:
    return (
        "-"
        if outcome is None or outcome.distance_to_human is None
        else f"{outcome.distance_to_human:.2f}"
    )


def _price(completion: Completion) -> str:
    return "unknown" if completion.cost_usd is None else f"${completion.cost_usd:.4f}"


def _note(candidate: CandidateReport, *, is_best: bool) -> str:
    outcome = candidate.outcome
    if outcome is None:
        return f"{'checked' if candidate.passed_checks else 'proposed'}, not trained yet"
    if outcome.duplicate_of is not None:
        return f"computes the same as {one_line(outcome.duplicate_of)}"
    if outcome.failure is not None:
        return f"{STAGES[outcome.failure.stage]}: {one_line(outcome.failure.message)}"
    if outcome.training is not None and outcome.training.stopped is not None:
        return f"stopped early: {one_line(outcome.training.stopped)}"
    repairs = candidate.completion.repair
    notes = ["best of its generation"] if is_best else []
    notes += [f"sent back {plural(repairs, 'time')}"] if repairs else []
    return ", ".join(notes)


def _best(report: RunReport) -> list[RenderableType]:
    best, outcomes = report.result.best, report.outcomes
    overall = best.overall if best is not None else None
    if best is not None and overall is not None:
        unit = one_line(report.task.fitness_unit) if report.task.has_fitness else None
        lines = [f"Best reward: {best.candidate.name}, {summarise(overall, unit)}."]
        lines += messages.gain_over_initial(outcomes, best, unit)
        return [Text(line, overflow="fold") for line in lines]
    if outcomes and not any(outcome.overall for outcome in outcomes):
        return failures(outcomes)
    return []


def _lineage(report: RunReport) -> list[RenderableType]:
    """Return the ancestors of the best candidate with their fitness; empty if it has no parent."""
    line = report.lineage
    if len(line) < 2:
        return []
    known = {outcome.candidate.name: outcome for outcome in report.outcomes}
    shown = known if report.task.has_fitness else {}
    steps = [f"{name} ({number(shown[name].fitness)})" if name in shown else name for name in line]
    return [Text(f"Lineage: {' → '.join(steps)}.", overflow="fold")]
