"""Prompts, what they show, and settings that changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from eureka_agent.records.candidates import Feedback, Outcome
from eureka_agent.text import storable

Role = Literal["system", "user", "assistant"]
SampleRole = Literal["refine", "bold", "faster", "combine", "robust", "simplify"]
"""What one sample of a generation is asked to do with the parents (`prompts/roles.md`)."""
SAMPLE_ROLES: tuple[SampleRole, ...] = (
    "refine",
    "bold",
    "faster",
    "combine",
    "robust",
    "simplify",
)


@dataclass(frozen=True)
class Message:
    """One message of a chat."""

    role: Role
    content: str

    def __post_init__(self) -> None:
        """Replace lone surrogates, which no server accepts."""
        object.__setattr__(self, "content", storable(self.content))


@dataclass(frozen=True)
class ImageMessage(Message):
    """A message with an image after its text."""

    image: bytes
    """A JPEG file."""


@dataclass(frozen=True)
class Example:
    """An instruction with a reward for it, shown in prompts for other instructions."""

    name: str
    """The file's name without its suffix."""
    description: str
    """What the robot should do, in one sentence."""
    state: str
    """The state that the reward reads: a Markdown list with shapes, units and meanings."""
    state_names: str
    """The names of that state, separated by spaces."""
    code: str


@dataclass(frozen=True)
class Prompt:
    """What a proposer is asked: models read `messages`, the grammar `parents` and `history`."""

    generation: int
    messages: tuple[Message, ...]
    parents: tuple[Outcome, ...] = ()
    """The outcomes to improve on, best first; empty in the first generation."""
    history: tuple[Outcome, ...] = ()
    """The outcomes that the prompt may use, failures included, oldest first."""
    feedback: tuple[Feedback, ...] = ()
    """The feedback on the generations so far, oldest first."""
    repair: int = 0
    """Number of failed answers in this conversation; above 0 when an answer is sent back."""
    run: tuple[Outcome, ...] = field(default=(), repr=False)
    """Every outcome of the run so far, for the choice of a model."""
    asks_for: str = ""
    """What is asked for, in messages about requests; by default the candidate's name."""


@dataclass(frozen=True)
class PromptRecord:
    """A prompt as it was sent, and the samples that it asks for."""

    generation: int
    attempt: int
    """Number of earlier attempts in which every candidate failed."""
    prompt_index: int
    """Index of the prompt in its attempt: samples may get different prompts, and some are repairs.
    """
    samples: tuple[int, ...]
    """Indices of the samples that it asks for."""
    messages: tuple[Message, ...]
    parents: tuple[str, ...]
    """Names of the candidates that it shows to be improved."""
    repair: int = 0
    """Number of failed answers in this conversation; above 0 when an answer is sent back."""


@dataclass(frozen=True)
class SettingChange:
    """A setting of the run that a resume changed."""

    when: str
    """Local time (ISO 8601)."""
    name: str
    """The setting's name in the config."""
    before: str
    after: str
    """`before` and `after` are JSON."""
