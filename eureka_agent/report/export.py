"""A whole run as one JSON file that needs neither this package nor SQLite to be read."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eureka_agent.config import SynthesisConfig
from eureka_agent.errors import StoreError, UsageError
from eureka_agent.extract.reading import checked_again
from eureka_agent.prompting.examples import example_text
from eureka_agent.records import (
    Baseline,
    Candidate,
    Completion,
    Feedback,
    Outcome,
    PromptRecord,
    ReevaluationSeed,
)
from eureka_agent.runs.store import Store
from eureka_agent.search.selection import best_so_far
from eureka_agent.text import escape_control, one_line
from eureka_agent.utils.serialization import from_json, to_json

FORMAT = "eureka-agent run 1"
"""Raised when a field changes its meaning or goes; a new one may come at any time. Described in
docs/store.md."""


@dataclass(frozen=True)
class RunExport:
    """All that a run's database holds."""

    format: str
    run: str
    """Name of the run's folder."""
    facts: Mapping[str, str]
    """When it was started and finished, its sandbox, seconds of training."""
    config: SynthesisConfig
    prompts: tuple[PromptRecord, ...]
    completions: Mapping[str, Completion]
    """What was answered, with its cost, by candidate name (`g1c3`)."""
    replaced: tuple[Completion, ...]
    """Answers that were paid for and asked for again: all were empty, or they failed and were sent
    back."""
    checked: Mapping[str, Candidate]
    """Candidates that passed the checks, trained or not."""
    candidates: tuple[Outcome, ...]
    """Code, failure, training, evaluation and reflection of each."""
    baselines: tuple[Baseline, ...]
    finals: tuple[ReevaluationSeed, ...]
    """Trainings of the best reward and the references with other seeds."""
    feedback: Mapping[int, Feedback]
    """What a person, or what stands for one, said of each generation."""
    policies: Mapping[str, str] = field(default_factory=dict)
    """Safetensors files in base64 by candidate name, where they were asked for."""


def exported(store: Store, *, policies: bool = False) -> RunExport:
    """Read a run from its database. Raises StoreError."""
    outcomes = store.outcomes()
    weights = {
        o.candidate.name: store.policy(o.candidate.generation, o.candidate.index)
        for o in outcomes
        if policies
    }
    return RunExport(
        format=FORMAT,
        run=store.path.resolve().parent.name,
        facts=store.facts(),
        config=store.config,
        prompts=tuple(store.prompts()),
        completions=store.answers(),
        replaced=tuple(store.replaced()),
        checked=store.checks(),
        candidates=tuple(outcomes),
        baselines=tuple(store.baselines()),
        finals=tuple(store.finals()),
        feedback=store.feedback(),
        policies={
            name: base64.b64encode(data).decode("ascii") for name, data in weights.items() if data
        },
    )


def best_as_example(store: Store) -> str:
    """Return the best reward so far as the text of an example file. Raises UsageError without
    one."""
    config = store.config
    best = best_so_far(store.outcomes(), store.feedback(), has_fitness=config.has_fitness)
    if best is None or best.candidate.reward is None:
        raise UsageError(
            "The run has no best reward that could be an example: let it go on, or take another"
            " run."
        )
    task = store.task
    reward = checked_again(best.candidate.reward, task.reward_inputs)
    return example_text(escape_control(config.instruction(task)), task.reward_inputs, reward)


def export_text(export: RunExport) -> str:
    """Return the file's content: plain JSON; NaN and infinities, which JSON lacks, are the strings
    of these names."""
    return json.dumps(_plain(json.loads(to_json(export))), indent=1, allow_nan=False) + "\n"


def read_export(path: Path) -> RunExport:
    """Return what `export_text` wrote. Raises StoreError when the file is none, or of another
    version."""
    try:
        text = path.read_text("utf-8")
        written = json.loads(text)["format"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise StoreError(f"{path} is no exported run: {one_line(str(error)[:400])}") from error
    if written != FORMAT:
        raise StoreError(f"{path} has the format {written!r}, this version reads {FORMAT!r}.")
    return from_json(RunExport, text)


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value
