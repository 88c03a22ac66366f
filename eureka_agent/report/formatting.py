"""Format numbers and names for people, in all reports."""

from __future__ import annotations

import math

from eureka_agent.config import SynthesisConfig
from eureka_agent.records import Evaluation
from eureka_agent.search.events import RunStarted
from eureka_agent.text import STAGE_WORDS
from eureka_agent.text import decimals_for as decimals_for
from eureka_agent.text import escape_control as escape_control
from eureka_agent.text import number as number
from eureka_agent.text import one_line as one_line

STAGES = {stage: words.to_person for stage, words in STAGE_WORDS.items()}
"""What went wrong at each stage, in a few words."""

BASELINES = {"human": "human reward", "sparse": "sparse reward", "random": "random actions"}
"""Readable names of the baselines."""


def interval(evaluation: Evaluation, decimals: int | None = None) -> str:
    """Return the 95 % interval, `11.8 to 12.8`, or `unknown` (with one episode)."""
    low, high = evaluation.fitness_low, evaluation.fitness_high
    if not (math.isfinite(low) and math.isfinite(high)):
        return "unknown"
    if decimals is None:
        decimals = decimals_for((low, high))
    return f"{number(low, decimals)} to {number(high, decimals)}"


def fitness(evaluation: Evaluation) -> str:
    """Return `12.3 (11.8 to 12.8)`: fitness and its 95 % interval."""
    decimals = decimals_for((evaluation.fitness, evaluation.fitness_low, evaluation.fitness_high))
    return f"{number(evaluation.fitness, decimals)} ({interval(evaluation, decimals)})"


def interval_over(evaluation: Evaluation) -> str:
    """Return what a mean and its interval are over: `64 episodes`, or `5 training seeds`."""
    if evaluation.seeds > 1:
        return f"{evaluation.seeds} training seeds"
    return plural(evaluation.episodes, "episode")


def quantity(count: float) -> str:
    """Return a large count in short form: `9,500`, `930 k`, `1.5 M`."""
    if count < 9_999.5:
        return f"{count:,.0f}"
    for factor, prefix in ((1e3, "k"), (1e6, "M")):
        if count < 999.5 * factor:
            return f"{count / factor:.3g} {prefix}"
    return f"{count / 1e9:,.3g} G"


def duration(seconds: float) -> str:
    """Return `45 s`, `3 min 20 s` or `2 h 05 min`."""
    whole = round(max(0.0, seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def approximate(seconds: float) -> str:
    """Return an estimated duration: `about 50 s`, `about 12 min`, `about 2 h 10 min`."""
    if seconds < 5:
        return "a few seconds"
    if seconds < 90:
        return f"about {5 * round(seconds / 5)} s"
    minutes = round(seconds / 60) if seconds < 3600 else 5 * round(seconds / 300)
    return (
        f"about {minutes} min"
        if minutes < 60
        else f"about {minutes // 60} h {minutes % 60:02d} min"
    )


def unit_of(run: RunStarted | None) -> str | None:
    """Return the unit of fitness; None if the instruction has no fitness and rankings decide."""
    if run is None:
        return ""
    return run.task.fitness_unit if run.config.task.has_fitness else None


def summarise(evaluation: Evaluation, unit: str | None) -> str:
    """Return `fitness 12.3 (11.8 to 12.8) m/s over 64 episodes` and the task's measures.

    Without a unit, the episode length takes the place of the fitness.
    """
    measures = [f"{name} {number(value)}" for name, value in evaluation.measures.items()]
    if unit is None:
        return ", ".join([f"episodes of {number(evaluation.episode_length, 0)} steps", *measures])
    known = f"fitness {fitness(evaluation)} {unit}".rstrip()
    return ", ".join([f"{known} over {interval_over(evaluation)}", *measures])


def instruction_line(task: str, instruction: str, *, ends_early: bool) -> str:
    """Return `hopper_forward: do a backflip; episodes end by the time limit alone`."""
    ends = "" if ends_early else "; episodes end by the time limit alone"
    return one_line(f"{task}: {instruction}{ends}")


def fitness_line(unit: str, solved: float) -> str:
    """Return the unit of the fitness, and the fitness that counts as solved."""
    return f"{unit}{solved_end(solved)}"


def solved_end(solved: float) -> str:
    """Return `; 500 counts as solved`, or an empty text if no such fitness is known (NaN)."""
    return "" if math.isnan(solved) else f"; {solved:g} counts as solved"


def plural(count: int, noun: str) -> str:
    """Return `1 reward` or `8 rewards`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def generation_title(generation: int, config: SynthesisConfig) -> str:
    """Return `Generation g1 (2 of 3)`; the names of its candidates begin with `g1`."""
    return f"Generation g{generation} ({generation + 1} of {config.search.generations})"
