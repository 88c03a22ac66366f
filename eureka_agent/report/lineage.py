"""Which candidate was built on which, and what changed between them."""

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
    """Return the candidates that led to one, oldest first, itself last: each was in the prompt of
    the next."""
    parents = {
        candidate_name(a.generation, sample): a.parents[:1]
        for a in store.prompts()
        for sample in a.samples
    }
    line = [name]
    while (parent := parents.get(line[0])) and parent[
        0
    ] not in line:  # a foreign run may go in circles
        line[:0] = parent
    return line


def lineage(store: Store, outcomes: Sequence[Outcome]) -> list[RenderableType]:
    """Return the line that led to the best candidate, with the fitness of each; nothing where it
    has no parent."""
    judged = not store.config.has_fitness
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
    """Return how the code of two candidates differs, as a unified diff; of one: from its parent to
    it.

    Empty when the code is the same. Raises UsageError for names without code.
    """
    if second is None:
        line = ancestors(store, _known(store, first))
        if len(line) < 2:
            raise UsageError(
                f"{first} was written from the task alone: name the candidate to compare it with."
            )
        first, second = line[-2:]
    before, after = (code_of(store, name).splitlines(keepends=True) for name in (first, second))
    return "".join(difflib.unified_diff(before, after, first, second))


def code_of(store: Store, name: str) -> str:
    """Return a candidate's code, also of one that did not pass the checks. Raises UsageError."""
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
