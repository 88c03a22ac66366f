"""The frozen records that the stages of the loop hand to each other.

Each record is one arrow of the picture in `docs/architecture.md`. All are plain data (no tensors,
no modules): a run's database stores them as JSON, and a test can write one by hand.
"""

from eureka_agent.records.candidates import (
    INITIAL,
    Candidate,
    Completion,
    Feedback,
    Generation,
    Outcome,
    RewardSource,
    candidate_name,
)
from eureka_agent.records.figures import FigureRow, Spread, StateFigures
from eureka_agent.records.prompts import (
    SAMPLE_ROLES,
    Example,
    Message,
    Prompt,
    PromptRecord,
    Role,
    SampleRole,
    SettingChange,
)
from eureka_agent.records.results import (
    Baseline,
    Curve,
    Evaluation,
    Failure,
    ReevaluationResult,
    ReevaluationSeed,
    RewardResult,
    Rung,
    SeededResult,
    SeedResult,
    Stage,
    TrainingRecord,
)

__all__ = [
    "INITIAL",
    "SAMPLE_ROLES",
    "Baseline",
    "Candidate",
    "Completion",
    "Curve",
    "Evaluation",
    "Example",
    "Failure",
    "Feedback",
    "FigureRow",
    "Generation",
    "Message",
    "Outcome",
    "Prompt",
    "PromptRecord",
    "ReevaluationResult",
    "ReevaluationSeed",
    "RewardResult",
    "RewardSource",
    "Role",
    "Rung",
    "SampleRole",
    "SeedResult",
    "SeededResult",
    "SettingChange",
    "Spread",
    "Stage",
    "StateFigures",
    "TrainingRecord",
    "candidate_name",
]
