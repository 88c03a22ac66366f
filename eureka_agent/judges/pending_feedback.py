"""What a person has said of a generation so far, and how a typed line changes it."""

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
    """Choices and words that are not final yet. Its methods return a new one, or raise
    UsageError."""

    request: FeedbackRequest = field(repr=False)
    best: str = ""
    between: tuple[str, ...] = ()
    worst: str = ""
    words: Mapping[str, str] = field(default_factory=dict)

    def with_best(self, text: str) -> PendingFeedback:
        """`best g0c3`."""
        name = self._ranked(text)
        between = tuple(other for other in self.between if other != name)
        return replace(
            self, best=name, between=between, worst="" if self.worst == name else self.worst
        )

    def with_worst(self, text: str) -> PendingFeedback:
        """`worst g0c1`."""
        name = self._ranked(text)
        others = [other for other in (self.best, *self.between) if other not in ("", name)]
        return replace(self, best="".join(others[:1]), between=tuple(others[1:]), worst=name)

    def with_rank(self, text: str) -> PendingFeedback:
        """`rank g0c3 > g0c0 > g0c1`; commas and spaces do, too."""
        names = [self._ranked(name) for name in re.split(r"[\s,>]+", text) if name]
        if len(names) < 2:
            raise UsageError(
                "rank needs two candidates or more, the best first: rank g0c3 > g0c0 > g0c1"
            )
        if twice := [name for name in names if names.count(name) > 1]:
            raise UsageError(f"{twice[0]} stands in this ranking twice.")
        return replace(self, best=names[0], between=tuple(names[1:-1]), worst=names[-1])

    def with_words(self, text: str) -> PendingFeedback:
        """`say g0c3 too shaky`; what is said again of the same candidate is added."""
        name, _, words = text.strip().partition(" ")
        name = self.candidate(name)
        if not words.strip():
            raise UsageError(f"say needs words: say {name} too shaky")
        before = f"{self.words[name]}\n" if name in self.words else ""
        return replace(self, words={**self.words, name: before + words.strip()})

    def candidate(self, text: str) -> str:
        """Return the name of the candidate that is meant, of the generation or the best before
        it."""
        request = self.request
        known = [outcome.candidate.name for outcome in (*request.before, *request.outcomes)]
        name = text.strip().casefold()
        if name not in known:
            what = f"There is no candidate {text.strip()!r} here." if name else "Which candidate?"
            raise UsageError(f"{what}{did_you_mean(name, known)} There are: {', '.join(known)}.")
        return name

    def finish(self, *, stop: bool = False) -> Feedback:
        """Return what was said, once it says enough.

        Where only a worst is named, the best is the best so far, or the fittest. A wish without
        fitness needs a best.
        """
        request = self.request
        default = greedy(request.trained) if request.has_fitness else request.best
        best = self.best or (default.candidate.name if default else "")
        if not best and not request.has_fitness:
            raise UsageError(
                "Nobody is chosen yet, and this wish has no fitness to choose by: say best NAME"
                " first."
            )
        if self.worst and best in ("", self.worst):
            raise UsageError(
                f"{self.worst} is the worst now, so which one is the best? Say best NAME, too."
            )
        ranking = (best, *self.between, self.worst) if self.worst else (best,) if self.best else ()
        return Feedback(request.generation, ranking, self.words, stop)

    def __str__(self) -> str:
        """`Best g0c3, then g0c0, worst g0c1; words on g0c3.`"""
        parts = [f"best {self.best}"] if self.best else []
        parts += [f"then {name}" for name in self.between]
        parts += [f"worst {self.worst}"] if self.worst else []
        said = [", ".join(parts)] if parts else []
        said += [f"words on {', '.join(self.words)}"] if self.words else []
        return f"So far: {'; '.join(said)}." if said else ""

    def _ranked(self, text: str) -> str:
        name = self.candidate(text)
        if name not in {outcome.candidate.name for outcome in self.request.trained}:
            raise UsageError(
                f"{name} has no policy to compare, it failed: rank others, or use say {name} WORDS."
            )
        return name


COMMANDS: Mapping[str, Callable[[PendingFeedback, str], PendingFeedback]] = {
    "best": PendingFeedback.with_best,
    "worst": PendingFeedback.with_worst,
    "rank": PendingFeedback.with_rank,
    "say": PendingFeedback.with_words,
}
"""The commands that change a draft."""
