"""The final table of a run, and the tables of the smaller commands."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Literal, NamedTuple, Protocol

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from eureka_agent.config import BudgetName
from eureka_agent.records import Evaluation, Outcome
from eureka_agent.report.announcements import where_trainings_start
from eureka_agent.report.comparison import (
    Comparison,
    longer_than,
    meaning_of_intervals,
    verdict,
    worth,
)
from eureka_agent.report.formatting import (
    BASELINES,
    STAGES,
    approximate,
    decimals_for,
    fitness_line,
    interval,
    number,
    one_line,
    plural,
)
from eureka_agent.report.length import default_run, run_length_s
from eureka_agent.report.messages import (
    effort,
    gain_over_initial,
    memory_hint,
    no_human_reward,
    reevaluation_results,
    stopped_early,
)
from eureka_agent.report.terminal.page import plain_table, whole_line
from eureka_agent.runs.directory import RunDir
from eureka_agent.search.events import RunFinished, RunStarted
from eureka_agent.search.reevaluation import reevaluation_summary
from eureka_agent.search.selection import greedy
from eureka_agent.tasks.task import Task

_REASONS_SHOWN = 5


class Result(NamedTuple):
    """One row of a table of results."""

    label: str
    evaluation: Evaluation | None
    trained: str = ""


class DoctorFinding(Protocol):
    """The result of one check of `eureka-agent doctor`."""

    @property
    def name(self) -> str:
        """What was checked."""
        ...

    @property
    def ok(self) -> bool:
        """Whether it works."""
        ...

    @property
    def detail(self) -> str:
        """What was found, or what to do."""
        ...


def final_table(run: RunStarted, finished: RunFinished) -> RenderableType:
    """Return a run's results: each generation's best, the baselines, the score, the files."""
    best, judged = finished.best, not run.config.task.has_fitness
    rows = [
        Result(o.candidate.name, o.overall) for o in finished.outcomes if o.candidate.is_initial
    ]
    rows += [
        _generation(index, finished.outcomes, judged) for index in generations_of(finished.outcomes)
    ]
    if best is not None and best.evaluation is not None:
        rows.append(
            Result(f"{'chosen' if judged else 'best of all'}: {best.candidate.name}", best.overall)
        )
    rows += [Result(BASELINES[b.name], b.overall) for b in finished.baselines]
    unit = None if judged else run.task.fitness_unit
    title = (
        "The instruction has no fitness of its own; rankings decided."
        if judged
        else f"Fitness in {fitness_line(run.task.fitness_unit, run.task.fitness_solved)}."
    )
    first: list[str] = []
    if best is not None and unit is not None:
        first = verdict(best, finished.outcomes, finished.baselines, unit)
    parts: list[RenderableType] = [Text(line, "bold") for line in first]
    parts += [Text(title, "dim"), results_table(rows, judged), Text()]
    if not any(outcome.overall for outcome in finished.outcomes):
        parts += failures(finished.outcomes)
    parts += [Text(line) for line in gain_over_initial(finished.outcomes, best, unit)]
    if finished.human_normalised is not None:
        score = number(finished.human_normalised, 2)
        parts.append(
            Text(f"Human-normalised score: {score}, which is (best - sparse) / |human - sparse|.")
        )
    elif missing := no_human_reward(finished.baselines):
        parts += [Text(line) for line in missing]
    elif best is not None and finished.baselines:
        parts.append(
            Text(
                "No human-normalised score (not comparable): the human and the sparse reward are"
                " alike here."
            )
        )
    overall = best.overall if best is not None else None
    if overall is not None and not judged:
        training = run.config.training
        longer = longer_than(training.budget, own_steps=training.environment_steps is not None)
        notes = worth(overall, finished.baselines, run.task, longer=longer)
        parts += [Text(line) for line in notes]
    parts += [Text(line) for line in where_trainings_start(run.config.training.init_policy)]
    if (scores := reevaluation_summary(finished.finals)) is not None:
        parts += [Text(line) for line in reevaluation_results(scores)]
    parts += [Text(line) for line in stopped_early(finished)]
    return Group(*parts, Text(effort(finished)), Text(), *_files(finished.path))


def comparison_table(comparison: Comparison, task: Task, budget: BudgetName) -> RenderableType:
    """Return a reward file's fitness and the baselines, for `eureka-agent evaluate`."""
    rows = [Result(comparison.path.name, comparison.evaluation)]
    rows += [Result(BASELINES[b.name], b.overall) for b in comparison.baselines]
    notes = [
        meaning_of_intervals(comparison),
        *worth(comparison.evaluation, comparison.baselines, task, longer=longer_than(budget)),
    ]
    notes += no_human_reward(comparison.baselines)
    title = Text(f"Fitness in {fitness_line(task.fitness_unit, task.fitness_solved)}.", "dim")
    return Group(title, results_table(rows), Text(), *(Text(note) for note in notes))


def results_table(rows: Sequence[Result], judged: bool = False) -> Table:
    """Return evaluations as a table with aligned numbers and without empty columns."""
    evaluations = [row.evaluation for row in rows]
    columns = {"reward": [row.label for row in rows]}
    if not judged:
        digits = decimals_for(e.fitness for e in evaluations if e is not None)
        columns["fitness"] = [number(e.fitness, digits) if e else "-" for e in evaluations]
        columns["95 % interval"] = [interval(e, digits) if e else "-" for e in evaluations]
        if any(e.seeds > 1 for e in evaluations if e is not None):
            columns["seeds"] = [f"{e.seeds}" if e else "-" for e in evaluations]
    columns["episode\n(steps)"] = [number(e.episode_length, 0) if e else "-" for e in evaluations]
    for name in dict.fromkeys(name for e in evaluations if e is not None for name in e.measures):
        columns[name.replace("_", "\n")] = _measures(name, evaluations)
    columns["trained"] = [row.trained for row in rows]
    shown = {title: cells for title, cells in columns.items() if any(cells)}
    table = plain_table()
    for title in shown:
        table.add_column(
            title, justify="left" if title == "reward" else "right", vertical="bottom", no_wrap=True
        )
    for texts in zip(*shown.values(), strict=True):
        table.add_row(*(Text(text) for text in texts))
    return table


def failures(outcomes: Iterable[Outcome]) -> list[RenderableType]:
    """Return the most common reasons why candidates have no fitness, one line each."""
    reasons = [outcome.failure for outcome in outcomes if outcome.failure is not None]
    counts = Counter(
        f"{STAGES[reason.stage]}: {one_line(reason.message)}{memory_hint(reason)}"
        for reason in reasons
    )
    title = Text(f"No reward worked. {plural(len(reasons), 'candidate')} failed:")
    lines = [
        Text(f"  {count} x {reason}", overflow="fold")
        for reason, count in counts.most_common(_REASONS_SHOWN)
    ]
    rest = len(counts) - len(lines)
    return [title, *lines, *([Text(f"  and {plural(rest, 'other reason')}")] if rest else [])]


def generations_of(outcomes: Iterable[Outcome]) -> list[int]:
    """Return the generations that have outcomes, in order, without the initial reward's."""
    return sorted(
        {outcome.candidate.generation for outcome in outcomes if not outcome.candidate.is_initial}
    )


def tasks_table(
    tasks: Iterable[Task],
    speeds: Mapping[str, float] | None = None,
    broken: Mapping[str, str] = MappingProxyType({}),
) -> RenderableType:
    """Return all tasks with the unit of their fitness, for `eureka-agent tasks`.

    `speeds`: environment steps per second of each task on this machine, if run times are wanted.
    `broken`: folders whose task cannot be loaded, each with the reason.
    """
    table = plain_table()
    table.add_column("task", no_wrap=True)
    table.add_column("what the robot should do", ratio=1)
    table.add_column("fitness")
    table.add_column("solved", justify="right", no_wrap=True)
    for title in ("quick run", "normal run") if speeds is not None else ():
        table.add_column(title, no_wrap=True)
    for task in tasks:
        what = Text(task.description)
        if task.aliases:
            what.append(f"\nalso: {', '.join(task.aliases)}", "dim")
        lengths: list[str] = []
        if speeds is not None:
            speed = speeds.get(task.name)
            lengths = [_length(task, "quick", speed), _length(task, "normal", speed)]
        solved = "-" if math.isnan(task.fitness_solved) else f"{task.fitness_solved:g}"
        table.add_row(Text(task.name, "bold"), what, task.fitness_unit, solved, *lengths)
    note = (
        "The times are those of a default run's trainings on this machine, at the environment steps"
        " per second just measured; models' answers take extra time."
        if speeds is not None
        else "eureka-agent tasks --times says how long runs take on this machine. Every environment"
        " of Gymnasium is a task, too, by its id: --task gym:CartPole-v1 (docs/gymnasium.md)."
    )
    lines = [
        Text(f"{name} is broken: {one_line(why)}", "red", overflow="fold")
        for name, why in broken.items()
    ]
    return Group(table, Text(), Text(note, "dim"), *([Text(), *lines] if lines else []))


def _length(task: Task, budget: Literal["quick", "normal"], speed: float | None) -> str:
    return (
        approximate(run_length_s(default_run(task, budget), speed)).removeprefix("about ")
        if speed
        else "-"
    )


def doctor_table(findings: Iterable[DoctorFinding]) -> RenderableType:
    """Return what works on this machine and what is missing, for `eureka-agent doctor`."""
    table = plain_table()
    table.add_column("", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("", ratio=1)
    table.show_header = False
    for finding in findings:
        state = Text("ok", "green") if finding.ok else Text("missing", "bold red")
        table.add_row(Text(one_line(finding.name)), state, Text(one_line(finding.detail)))
    return table


def _generation(index: int, outcomes: Sequence[Outcome], judged: bool) -> Result:
    members = [outcome for outcome in outcomes if outcome.candidate.generation == index]
    trained = f"{sum(outcome.evaluation is not None for outcome in members)} of {len(members)}"
    if early := sum(bool(outcome.training and outcome.training.stopped) for outcome in members):
        trained += f", {early} stopped early"
    best = None if judged else greedy(members)
    if best is None:
        return Result(
            f"generation g{index}" if judged else f"best of g{index}: none", None, trained
        )
    return Result(f"best of g{index}: {best.candidate.name}", best.overall, trained)


def _measures(name: str, evaluations: Sequence[Evaluation | None]) -> list[str]:
    """Return one cell per evaluation, all with the same decimals."""
    values = [evaluation.measures.get(name) if evaluation else None for evaluation in evaluations]
    digits = decimals_for(value for value in values if value is not None)
    return ["-" if value is None else number(value, digits) for value in values]


def _files(path: Path) -> list[RenderableType]:
    """Return the files of interest that exist."""
    run = RunDir(path)
    files = (
        (run.best_reward, "the best reward"),
        (run.policy, "the policy trained with it"),
        (run.summary, "these figures"),
        (run.curves, "training curves: tensorboard --logdir"),
        (run.database, "everything: eureka-agent show"),
        (run.report, "the run as a page: open it in a browser"),
    )
    table = plain_table()
    table.show_header = False
    for file, meaning in files:
        if file.exists():
            table.add_row(Text(file.name), Text(meaning, "dim"))
    return [whole_line(f"Written to {path}"), table]
