"""The code that changed between two candidates."""

from __future__ import annotations

import difflib

from eureka_agent.errors import ExtractionError, InternalError, UsageError
from eureka_agent.extract.reading import code_in
from eureka_agent.report.model import CandidateReport, RunReport
from eureka_agent.utils.did_you_mean import did_you_mean


def code_difference(report: RunReport, first: str, second: str | None = None) -> str:
    """Return how the code of two candidates differs, as a unified diff.

    Args:
        report: The run.
        first: Name of a candidate.
        second: The candidate to compare it with; by default `first` is compared with its parent.

    Returns:
        The difference; empty if the code is the same.

    Raises:
        UsageError: There is no such candidate, or it has no code or no parent.
    """
    if second is None:
        line = report.ancestors(_known(report, first).name)
        if len(line) < 2:
            raise UsageError(f"{first} has no parent: name the candidate to compare it with.")
        first, second = line[-2:]
    before = code_of(report, first).splitlines(keepends=True)
    after = code_of(report, second).splitlines(keepends=True)
    return "".join(difflib.unified_diff(before, after, first, second))


def code_of(report: RunReport, name: str) -> str:
    """Return a candidate's code, even if it failed the checks. Raises UsageError."""
    candidate = _known(report, name)
    outcome = candidate.outcome
    if outcome is not None and outcome.candidate.reward is not None:
        return outcome.candidate.reward.code
    try:
        return code_in(candidate.completion)
    except (ExtractionError, InternalError) as error:
        raise UsageError(f"{name} has no code: {error}") from error


def _known(report: RunReport, name: str) -> CandidateReport:
    candidates = report.candidates
    if name not in candidates:
        names = list(candidates)
        raise UsageError(
            f"The run has no candidate {name!r}.{did_you_mean(name, names)} It has"
            f" {', '.join(names[:8]) or 'none'}{' and so on' if len(names) > 8 else ''}."
        )
    return candidates[name]
