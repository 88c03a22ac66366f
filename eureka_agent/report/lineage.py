"""The ancestors of a candidate, and the code that changed between them."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from rich.console import RenderableType
from rich.text import Text

from eureka_agent.errors import ExtractionError, InternalError, UsageError
from eureka_agent.extract.reading import code_in
from eureka_agent.records import Outcome, candidate_name
from eureka_agent.report.formatting import number
from eureka_agent.runs.store import Store
from eureka_agent.search.selection import best_so_far
from eureka_agent.utils.did_you_mean import did_you_mean


def ancestors(store: Store, name: str) -> list[str]:
    """Return the ancestors of a candidate, oldest first, and the candidate itself.

    Each was the parent in the next one's prompt.
    """
    parents = {
        candidate_name(prompt.generation, sample): prompt.parents[0]
        for prompt in store.prompts()
        for sample in prompt.samples
        if prompt.parents
    }
    line = [name]
    # A run from elsewhere may contain a cycle.
    while (parent := parents.get(line[0])) is not None and parent not in line:
        line.insert(0, parent)
    return line


def lineage(store: Store, outcomes: Sequence[Outcome]) -> list[RenderableType]:
    """Return the ancestors of the best candidate with their fitness; empty if it has no parent."""
    judged = not store.config.task.has_fitness
    best = best_so_far(outcomes, store.feedback(), has_fitness=not judged)
    line = ancestors(store, best.candidate.name) if best else []
    if len(line) < 2:
        return []
    known = {outcome.candidate.name: outcome for outcome in outcomes}
    steps = [
        name if judged or name not in known else f"{name} ({number(known[name].fitness)})"
        for name in line
    ]
    return [Text(f"Lineage: {' → '.join(steps)}.", overflow="fold")]


def code_diff(store: Store, first: str, second: str | None = None) -> str:
    """Return how the code of two candidates differs, as a unified diff.

    With one name, the candidate is compared with its parent. Empty if the code is the same. Raises
    UsageError for a candidate without code.
    """
    if second is None:
        line = ancestors(store, _known(store, first))
        if len(line) < 2:
            raise UsageError(f"{first} has no parent: name the candidate to compare it with.")
        first, second = line[-2:]
    before, after = (code_of(store, name).splitlines(keepends=True) for name in (first, second))
    return "".join(difflib.unified_diff(before, after, first, second))


def code_of(store: Store, name: str) -> str:
    """Return a candidate's code, even if it failed the checks. Raises UsageError."""
    name = _known(store, name)
    for outcome in store.outcomes():
        if outcome.candidate.name == name and outcome.candidate.reward is not None:
            return outcome.candidate.reward.code
    try:
        return code_in(store.answers()[name])
    except (ExtractionError, InternalError) as error:
        raise UsageError(f"{name} has no code: {error}") from error


def _known(store: Store, name: str) -> str:
    names = list(store.answers())
    if name not in names:
        raise UsageError(
            f"The run has no candidate {name!r}.{did_you_mean(name, names)} It has"
            f" {', '.join(names[:8]) or 'none'}{' and so on' if len(names) > 8 else ''}."
        )
    return name
