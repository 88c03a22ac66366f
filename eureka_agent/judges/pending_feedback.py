"""A person's feedback so far, and the commands that change it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from eureka_agent.errors import UsageError
from eureka_agent.records import Feedback
from eureka_agent.search.feedback import FeedbackRequest
from eureka_agent.search.selection import greedy
from eureka_agent.utils.did_you_mean import did_you_mean


@dataclass(frozen=True)
class PendingFeedback:
    """Choices and comments that are not final. Methods return a new one or raise UsageError."""

    request: FeedbackRequest = field(repr=False)
    best: str | None = None
    between: tuple[str, ...] = ()
    worst: str | None = None
    words: Mapping[str, str] = field(default_factory=dict)

    def with_best(self, text: str) -> PendingFeedback:
        """Apply `best g0c3`."""
        name = self._ranked(text)
        between = tuple(other for other in self.between if other != name)
        worst = self.worst if self.worst != name else None
        return replace(self, best=name, between=between, worst=worst)

    def with_worst(self, text: str) -> PendingFeedback:
        """Apply `worst g0c1`."""
        name = self._ranked(text)
        better = self.between if self.best is None else (self.best, *self.between)
        others = [other for other in better if other != name]
        best = others[0] if others else None
        return replace(self, best=best, between=tuple(others[1:]), worst=name)

    def with_rank(self, text: str) -> PendingFeedback:
        """Apply `rank g0c3 > g0c0 > g0c1`; commas and spaces also separate names."""
        names = [self._ranked(name) for name in re.split(r"[\s,>]+", text) if name]
        if len(names) < 2:
            raise UsageError(
                "rank needs two candidates or more, the best first: rank g0c3 > g0c0 > g0c1"
            )
        if twice := [name for name in names if names.count(name) > 1]:
            raise UsageError(f"{twice[0]} is in this ranking twice.")
        return replace(self, best=names[0], between=tuple(names[1:-1]), worst=names[-1])

    def with_words(self, text: str) -> PendingFeedback:
        """Apply `say g0c3 too shaky`; further words on the same candidate are appended."""
        name, _, words = text.strip().partition(" ")
        name = self.candidate(name)
        if not words.strip():
            raise UsageError(f"say needs words: say {name} too shaky")
        earlier = f"{self.words[name]}\n" if name in self.words else ""
        return replace(self, words={**self.words, name: earlier + words.strip()})

    def candidate(self, text: str) -> str:
        """Return the name of a candidate of the generation, or of the earlier ones next to it."""
        request = self.request
        known = [outcome.candidate.name for outcome in (*request.earlier, *request.outcomes)]
        name = text.strip().casefold()
        if name not in known:
            what = f"There is no candidate {text.strip()!r} here." if name else "Which candidate?"
            raise UsageError(f"{what}{did_you_mean(name, known)} There are: {', '.join(known)}.")
        return name

    def finish(self, *, stop: bool = False) -> Feedback:
        """Return the feedback; raise UsageError if it is incomplete.

        If only a worst is named, the best is the previous best or the fittest. An instruction
        without a fitness needs a best.
        """
        request = self.request
        default = greedy(request.trained) if request.has_fitness else request.best
        best = self.best or (default.candidate.name if default else None)
        if best is None and not request.has_fitness:
            raise UsageError(
                "No candidate is chosen yet, and this instruction has no fitness to choose by: type"
                " best NAME first."
            )
        ranking: tuple[str, ...] = ()
        if self.worst is None:
            ranking = (self.best,) if self.best is not None else ()
        elif best is None or best == self.worst:
            raise UsageError(
                f"{self.worst} is the worst now; which one is the best? Type best NAME as well."
            )
        else:
            ranking = (best, *self.between, self.worst)
        return Feedback(request.generation, ranking, self.words, stop)

    def __str__(self) -> str:
        """Return e.g. `So far: best g0c3, then g0c0, worst g0c1; words on g0c3.`"""
        parts = [f"best {self.best}"] if self.best else []
        parts += [f"then {name}" for name in self.between]
        parts += [f"worst {self.worst}"] if self.worst else []
        summary = [", ".join(parts)] if parts else []
        summary += [f"words on {', '.join(self.words)}"] if self.words else []
        return f"So far: {'; '.join(summary)}." if summary else ""

    def _ranked(self, text: str) -> str:
        name = self.candidate(text)
        if name not in {outcome.candidate.name for outcome in self.request.trained}:
            raise UsageError(
                f"{name} failed and has no policy to compare: rank others, or type"
                f" say {name} WORDS."
            )
        return name


COMMANDS: Mapping[str, Callable[[PendingFeedback, str], PendingFeedback]] = {
    "best": PendingFeedback.with_best,
    "worst": PendingFeedback.with_worst,
    "rank": PendingFeedback.with_rank,
    "say": PendingFeedback.with_words,
}
"""The commands that change the pending feedback."""
