"""The frozen records that the stages of the loop hand to each other.

Each record is one arrow of the picture in `docs/architecture.md`. All are plain data (no tensors,
no modules): a run's database stores them as JSON, and a test can write one by hand.
"""

from eureka_agent.records.behaviour import (
    TIME_LIMIT,
    Behaviour,
    ComponentEffect,
    EndCause,
    EpisodeSketch,
    HalfGains,
    QuantitySpread,
)
from eureka_agent.records.candidates import (
    INITIAL,
    Candidate,
    Feedback,
    Generation,
    Outcome,
    RewardSource,
    candidate_name,
)
from eureka_agent.records.completions import Completion
from eureka_agent.records.figures import FigureRow, Spread, StateFigures
from eureka_agent.records.prompts import (
    SAMPLE_ROLES,
    Example,
    ImageMessage,
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
from eureka_agent.records.scores import JudgeAnswer, JudgeScore

__all__ = [
    "INITIAL",
    "SAMPLE_ROLES",
    "TIME_LIMIT",
    "Baseline",
    "Behaviour",
    "Candidate",
    "Completion",
    "ComponentEffect",
    "Curve",
    "EndCause",
    "EpisodeSketch",
    "Evaluation",
    "Example",
    "Failure",
    "Feedback",
    "FigureRow",
    "Generation",
    "HalfGains",
    "ImageMessage",
    "JudgeAnswer",
    "JudgeScore",
    "Message",
    "Outcome",
    "Prompt",
    "PromptRecord",
    "QuantitySpread",
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
