"""Scores that a judge gives, and the answers of models that they come from."""

from __future__ import annotations

from dataclasses import dataclass

from eureka_agent.records.completions import Completion


@dataclass(frozen=True)
class JudgeScore:
    """How far a policy fulfils the instruction, as a judge measured it."""

    value: float
    """0 (not at all) to 1 (completely): the mean of several single scores."""
    spread: float
    """The highest minus the lowest of the single scores: of episodes, or of a model's answers."""
    basis: str
    """What the score is based on, in words."""


@dataclass(frozen=True)
class JudgeAnswer:
    """What a model answered to one question of a judge, so that a resumed run asks no question
    twice."""

    generation: int
    """The generation that was judged; -1 for what is asked before the first."""
    about: str
    """The candidate's name, or `measure`."""
    question: int
    """Number of the question about it, from 0."""
    completion: Completion
