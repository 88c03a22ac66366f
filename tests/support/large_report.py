"""A report of 5 generations of 16 candidates, made of copies of a small run's best candidate."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from random import Random

from eureka_agent.records import Completion, Outcome
from eureka_agent.report import RunReport
from eureka_agent.report.model import CandidateReport, GenerationReport

GENERATIONS, SAMPLES = 5, 16


@dataclass
class RandomReplays:
    """Replays of one size in bytes; it remembers what was read."""

    names: tuple[str, ...]
    size: int
    read: list[str] = field(default_factory=list)

    def scene(self) -> bytes | None:
        return Random(0).randbytes(self.size)

    def replays(self) -> tuple[str, ...]:
        return self.names

    def replay(self, name: str) -> bytes | None:
        self.read.append(name)
        return Random(name).randbytes(self.size)


@dataclass(frozen=True)
class SameReplays:
    """The same real replay for every reward."""

    names: tuple[str, ...]
    scene_pack: bytes
    pack: bytes

    def scene(self) -> bytes | None:
        return self.scene_pack

    def replays(self) -> tuple[str, ...]:
        return self.names

    def replay(self, name: str) -> bytes | None:
        return self.pack if name in self.names else None


def large_report(report: RunReport) -> RunReport:
    """Return the report with 80 candidates, each with the code and curves of its best one."""
    generations = tuple(_generation(report, index) for index in range(GENERATIONS))
    outcomes = tuple(outcome for part in generations for outcome in part.outcomes)
    result = replace(report.result, best=outcomes[-1])
    return replace(report, generations=generations, outcomes=outcomes, result=result)


def names_of(report: RunReport) -> tuple[str, ...]:
    """Return the names of all rewards that can have a replay."""
    return (*report.candidates, "human reward", "sparse reward")


def _generation(report: RunReport, index: int) -> GenerationReport:
    best = report.result.best
    assert best is not None
    outcomes = [_copy(best, index, sample) for sample in range(SAMPLES)]
    parents = (f"g{index - 1}c0",) if index else ()
    candidates = [
        CandidateReport(each.candidate.name, each.candidate.completion, parents, True, each)
        for each in outcomes
    ]
    return GenerationReport(
        index,
        tuple(candidates),
        parents,
        best=outcomes[index],
        best_so_far=outcomes[index],
        feedback=None,
        cost=report.effort.cost,
    )


def _copy(outcome: Outcome, generation: int, sample: int) -> Outcome:
    before = outcome.candidate
    text = f"Idea {sample}.\n\n{before.completion.text}" * 3
    completion = Completion(sample, text, "model", 1000, 500, 0.01)
    return replace(outcome, candidate=replace(before, generation=generation, completion=completion))
