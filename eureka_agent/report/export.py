"""A whole run as one JSON file, which can be read without this package and SQLite."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from eureka_agent.config import SynthesisConfig
from eureka_agent.errors import StoreError, UsageError
from eureka_agent.extract.reading import checked_again
from eureka_agent.prompting.examples import example_text
from eureka_agent.records import (
    Baseline,
    Candidate,
    Completion,
    Feedback,
    JudgeAnswer,
    Outcome,
    PromptRecord,
    ReevaluationSeed,
    RewardSource,
)
from eureka_agent.report.standard_json import as_name, standard_json
from eureka_agent.runs.store import Store
from eureka_agent.search.selection import best_so_far
from eureka_agent.text import escape_control, one_line
from eureka_agent.utils.serialization import from_json, to_json

FORMAT = "eureka-agent run 2"
"""The number rises when a field changes its meaning or is removed; a new field does not change it.
See docs/store.md."""


@dataclass(frozen=True)
class RunExport:
    """The content of a run's database."""

    format: str
    run: str
    """Name of the run's folder."""
    facts: Mapping[str, str]
    """Times of start and end, the sandbox, seconds of training."""
    config: SynthesisConfig
    prompts: tuple[PromptRecord, ...]
    completions: Mapping[str, Completion]
    """With costs, by candidate name (`g1c3`)."""
    replaced: tuple[Completion, ...]
    """Completions that were paid for and replaced: all were empty, or they failed and were sent
    back."""
    checked: Mapping[str, Candidate]
    """Candidates that passed the checks, trained or not."""
    candidates: tuple[Outcome, ...]
    """Code, failure, training, evaluation and reflection of each."""
    baselines: tuple[Baseline, ...]
    finals: tuple[ReevaluationSeed, ...]
    """Trainings of the best reward and the references with other seeds."""
    feedback: Mapping[int, Feedback]
    """The judge's feedback by generation."""
    judge_answers: tuple[JudgeAnswer, ...] = ()
    """What models answered to a judge: its measure, and scores of what they saw."""
    policies: Mapping[str, str] = field(default_factory=dict)
    """Safetensors files in base64 by candidate name, if they were requested."""


def exported(store: Store, *, policies: bool = False) -> RunExport:
    """Read a run from its database. Raises StoreError."""
    outcomes = store.outcomes()
    exported_policies: dict[str, str] = {}
    for candidate in (outcome.candidate for outcome in outcomes if policies):
        if data := store.policy(candidate.generation, candidate.index):
            exported_policies[candidate.name] = base64.b64encode(data).decode("ascii")
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
        judge_answers=tuple(store.judge_answers()),
        policies=exported_policies,
    )


def best_reward(store: Store) -> RewardSource:
    """Return the best reward so far, checked again.

    Raises:
        UsageError: There is none.
        StoreError: It does not pass the checks.
    """
    best = best_so_far(
        store.outcomes(), store.feedback(), has_fitness=store.config.task.has_fitness
    )
    if best is None or best.candidate.reward is None:
        raise UsageError("The run has no best reward yet: continue it, or use another run.")
    return checked_again(best.candidate.reward, store.task.reward_inputs)


def best_as_example(store: Store) -> str:
    """Return the best reward so far as the text of an example file. Raises as `best_reward`."""
    task = store.task
    instruction = escape_control(store.config.task.instruction(task))
    return example_text(instruction, task.reward_inputs, best_reward(store))


def export_text(export: RunExport) -> str:
    """Return the file's content as plain JSON.

    NaN and infinities, which JSON lacks, become the strings of these names.
    """
    plain = standard_json(json.loads(to_json(export)), as_name)
    return json.dumps(plain, indent=1, allow_nan=False) + "\n"


def read_export(path: Path) -> RunExport:
    """Return what `export_text` wrote.

    Raises StoreError if the file is not an exported run, or of another version.
    """
    try:
        text = path.read_text("utf-8")
        written = json.loads(text)["format"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise StoreError(f"{path} is not an exported run: {one_line(str(error), 400)}") from error
    if written != FORMAT:
        raise StoreError(f"{path} has the format {written!r}, this version reads {FORMAT!r}.")
    return from_json(RunExport, text)
