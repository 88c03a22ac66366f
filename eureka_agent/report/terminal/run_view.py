"""A run's content from its database, for `eureka-agent show`."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from eureka_agent.config import SynthesisConfig
from eureka_agent.jail import Layers
from eureka_agent.records import INITIAL, Completion, Evaluation, Feedback, Outcome, candidate_name
from eureka_agent.report import messages
from eureka_agent.report.announcements import changed_settings, sandbox_line
from eureka_agent.report.cost import Cost
from eureka_agent.report.formatting import (
    BASELINES,
    STAGES,
    decimals_for,
    instruction_of,
    interval,
    number,
    one_line,
    plural,
    quantity,
    summarise,
)
from eureka_agent.report.lineage import lineage
from eureka_agent.report.terminal.page import plain_table, whole_line
from eureka_agent.report.terminal.tables import Result, failures, fitness_line, results_table
from eureka_agent.runs.store import Store
from eureka_agent.runs.stored_task import StoredTask
from eureka_agent.search.reevaluation import reevaluation_summary
from eureka_agent.search.selection import best_so_far, greedy
from eureka_agent.utils.serialization import from_json


def run_view(store: Store) -> RenderableType:
    """Return a run, finished or not: config, all candidates, baselines, the best."""
    config, outcomes, feedback = store.config, store.outcomes(), store.feedback()
    task = store.task
    checked = store.checks().keys()
    parts: list[RenderableType] = [
        whole_line(one_line(store.path.parent.name), "bold"),
        _config(
            config,
            task,
            _sandbox(store),
            [example.name for example in store.examples],
            changed_settings(store.changes),
        ),
    ]
    for index in (INITIAL, *range(config.search.generations)):
        completions = store.completions(index)
        members = [outcome for outcome in outcomes if outcome.candidate.generation == index]
        if completions:
            best = greedy(members) if config.task.has_fitness else None
            parents = list(dict.fromkeys(n for p in store.prompts(index) for n in p.parents))
            rows = _candidates(index, members, completions, best, config.task.has_fitness, checked)
            parts += [
                Text(),
                _title(index, config, parents, [*completions.values(), *store.replaced(index)]),
                rows,
            ]
        if index in feedback:
            parts += [
                Text(line, overflow="fold") for line in messages.feedback_lines(feedback[index])
            ]
    if baselines := store.baselines():
        parts += [
            Text(),
            results_table([Result(BASELINES[b.name], b.evaluation) for b in baselines]),
        ]
    parts += [Text(), *_best(outcomes, config, feedback, task), *lineage(store, outcomes)]
    if (scores := reevaluation_summary(store.finals())) is not None:
        parts += [Text(line, overflow="fold") for line in messages.reevaluation_results(scores)]
    if stopped := store.stopped:
        parts.append(Text(f"Stopped early: {one_line(stopped)}"))
    if not store.finished:
        parts.append(
            whole_line(f"Not finished; continue with: eureka-agent resume {store.path.parent}")
        )
    return Group(*parts)


def _sandbox(store: Store) -> str:
    """Return which layers of the sandbox held, or which level the run asked for."""
    stored = store.metadata("sandbox")
    return sandbox_line(from_json(Layers, stored)) if stored else store.config.run.sandbox


def _config(
    config: SynthesisConfig,
    task: StoredTask,
    sandbox: str,
    examples: Sequence[str],
    changed: Sequence[str],
) -> Table:
    proposer = ", ".join(config.models.weights) or "the built-in grammar"
    where = f" at {config.models.base_url}" if config.models.base_url else ""
    budget = task.budget
    training = (
        f"{budget.num_envs:,} environments and {quantity(budget.environment_steps)} environment"
        " steps per reward"
    )
    generations = plural(config.search.generations, "generation")
    search = f"{generations} of {plural(config.search.samples, 'reward')}"
    rows = {
        "Task": instruction_of(config, task),
        "Proposer": f"{proposer}{where}",
        "Search": f"{search}, seed {config.search.seed}",
        "Budget": f"{config.training.budget}, {training}",
        "Sandbox": sandbox,
        "Fitness": fitness_line(task) if config.task.has_fitness else "none; rankings judge",
    }
    rows |= {"Changed": "; ".join(changed)} if changed else {}
    rows |= {"Examples": ", ".join(examples)} if examples else {}
    grid = Table.grid(padding=(0, 2, 0, 0), expand=True)
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(ratio=1)
    for label, value in rows.items():
        grid.add_row(label, Text(one_line(value)))
    return grid


def _title(
    index: int, config: SynthesisConfig, parents: Sequence[str], answers: Sequence[Completion]
) -> Text:
    if index == INITIAL:
        return Text(f"The search starts from {messages.initial_reward_name(config)}", "bold")
    origin = f", built on {', '.join(parents)}" if parents else ", from the task alone"
    cost = str(Cost.of(answers))
    return Text(f"Generation g{index}{origin}{f'; cost {cost}' if cost else ''}", "bold")


def _candidates(
    index: int,
    outcomes: Sequence[Outcome],
    completions: Mapping[int, Completion],
    best: Outcome | None,
    has_fitness: bool,
    checked: Container[str],
) -> Table:
    """Return one row per candidate; one without an outcome was interrupted."""
    by_sample = {outcome.candidate.index: outcome for outcome in outcomes}
    digits = decimals_for(outcome.fitness for outcome in outcomes)
    priced = any(str(Cost.of([completion])) for completion in completions.values())
    measures = list(
        dict.fromkeys(name for o in outcomes if o.evaluation for name in o.evaluation.measures)
    )
    figures = ("fitness", "95 % interval") if has_fitness else ("steps per episode",)
    compared = any(outcome.distance_to_human is not None for outcome in outcomes)
    table = plain_table()
    table.expand = True
    table.add_column("reward", no_wrap=True)
    titles = [*figures, *map(one_line, measures)]
    titles += ["to human"] if compared else []
    titles += ["cost"] if priced else []
    for title in titles:
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("", ratio=1)
    for sample, completion in sorted(completions.items()):
        outcome = by_sample.get(sample)
        evaluation = outcome.evaluation if outcome else None
        cells = _fitness(evaluation, digits) if has_fitness else [_length(evaluation)]
        cells += [_measure(evaluation, name) for name in measures]
        cells += [_distance(outcome)] if compared else []
        cost = [_price(completion)] if priced else []
        style = "bold" if outcome is not None and outcome is best else ""
        name = candidate_name(index, sample)
        note = (
            _note(outcome, best)
            if outcome
            else f"{'checked' if name in checked else 'proposed'}, not trained yet"
        )
        table.add_row(name, *cells, *cost, Text(note), style=style)
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


def _note(outcome: Outcome, best: Outcome | None) -> str:
    if outcome.duplicate_of:
        return f"computes the same as {one_line(outcome.duplicate_of)}"
    if outcome.failure is not None:
        return f"{STAGES[outcome.failure.stage]}: {one_line(outcome.failure.message)}"
    if outcome.training is not None and outcome.training.stopped:
        return f"stopped early: {one_line(outcome.training.stopped)}"
    repairs = outcome.candidate.completion.repair
    notes = ["best of its generation"] if outcome is best else []
    notes += [f"sent back {plural(repairs, 'time')}"] if repairs else []
    return ", ".join(notes)


def _best(
    outcomes: Sequence[Outcome],
    config: SynthesisConfig,
    feedback: Mapping[int, Feedback],
    task: StoredTask,
) -> list[RenderableType]:
    best = best_so_far(outcomes, feedback, has_fitness=config.task.has_fitness)
    if best is not None and best.evaluation is not None:
        unit = one_line(task.fitness_unit) if config.task.has_fitness else None
        lines = [f"Best reward: {best.candidate.name}, {summarise(best.evaluation, unit)}."]
        return [
            Text(line, overflow="fold")
            for line in (*lines, *messages.gain_over_initial(outcomes, best, unit))
        ]
    return (
        failures(outcomes)
        if outcomes and not any(outcome.evaluation for outcome in outcomes)
        else []
    )
