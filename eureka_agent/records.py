"""The frozen records that the stages of the loop hand to each other.

Each record is one arrow of the picture in `docs/architecture.md`. All are plain data (no tensors,
no modules): a run's database stores them as JSON, and a test can write one by hand.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from eureka_agent.text import shortened, storable

Role = Literal["system", "user", "assistant"]
Stage = Literal["extract", "check", "contract", "screening", "training", "internal"]
"""The stage at which a candidate failed; `internal`: it was lost through an error of ours."""
Operator = Literal["", "numbers", "structure", "cross", "form", "lineage"]
"""What a prompt asks for (`prompts/operators.md`); empty: whatever the proposer thinks best."""
OPERATORS: tuple[Operator, ...] = ("numbers", "structure", "cross", "form", "lineage")
INITIAL = -1
"""The generation of the search's initial reward; proposed generations count from 0."""


def candidate_name(generation: int, index: int) -> str:
    """Return the unique name of sample `index`: `g2c5`, or `start` for the initial reward."""
    return "start" if generation == INITIAL else f"g{generation}c{index}"


def _set(record: object, **values: str) -> None:
    """Set fields of a frozen record while it is being made."""
    for name, value in values.items():
        object.__setattr__(record, name, value)


@dataclass(frozen=True)
class Message:
    """One message of a chat."""

    role: Role
    content: str

    def __post_init__(self) -> None:
        """Replace lone surrogates, which no server accepts."""
        _set(self, content=storable(self.content))


@dataclass(frozen=True)
class Completion:
    """A proposer's answer to a prompt, as it arrived."""

    index: int
    """Index of the sample in its generation, from 0."""
    text: str
    """The answer, with lone surrogates replaced."""
    proposer: str
    """The model's name as the run requested it, or `grammar`, `scripted`, or `given` (initial
    reward)."""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cost_usd: float | None = None
    """None if the price is unknown, never 0 in that case."""
    truncated: bool = False
    """Whether the answer was cut at the token limit."""
    seconds: float = 0.0
    served_by: str = ""
    """The server's name for the model that answered, with its version if the server says so."""
    repair: int = 0
    """Number of earlier answers to the same prompt that failed and were sent back."""
    error: str = ""
    """Why there is no answer: the server refused the prompt, and the text is empty."""

    def __post_init__(self) -> None:
        """Replace lone surrogates, which neither files nor servers accept."""
        _set(self, text=storable(self.text), served_by=storable(self.served_by))


@dataclass(frozen=True)
class RewardSource:
    """The Python source of one reward function."""

    code: str
    parameters: tuple[str, ...]
    """The parameter names of `compute_reward` in order: state, `action`, `prev_<name>`, constants.
    """


@dataclass(frozen=True)
class Failure:
    """Why a candidate has no fitness; `message` is one sentence that the proposer can act on."""

    stage: Stage
    message: str
    """At most 1,000 characters."""

    def __post_init__(self) -> None:
        """Shorten the message to one line, because line breaks have a meaning in prompts."""
        _set(self, message=shortened(storable(" ".join(self.message.split()))))


@dataclass(frozen=True)
class Curve:
    """A number at about ten points of a training, and its range over the whole training."""

    name: str
    values: tuple[float, ...]
    maximum: float
    mean: float
    minimum: float

    @property
    def size(self) -> float:
        """The largest absolute value."""
        return max(abs(self.maximum), abs(self.minimum))

    def is_flat(self, share: float) -> bool:
        """Return whether the range is at most this share of the size."""
        return self.maximum - self.minimum <= share * self.size


@dataclass(frozen=True)
class TrainingRecord:
    """How a training went. Only the reflection uses it; fitness comes from `Evaluation`."""

    environment_steps: int
    seconds: float
    reward: Curve
    """Mean reward per environment step."""
    components: tuple[Curve, ...]
    """Mean of each named component per environment step."""
    fitness: Curve
    """Mean fitness of the episodes that ended, with exploration noise."""
    episode_length: Curve
    """Mean length of the episodes that ended, in environment steps."""
    correlations: Mapping[str, float] = field(default_factory=dict)
    """Correlation of each component's curve with the fitness curve (NaN if either is flat)."""
    diverged_envs: int = 0
    """Number of environments whose physics diverged during the training."""
    rungs: tuple[Rung, ...] = ()
    """What the policy reached at each rung of a race."""
    stopped: str = ""
    """Why a race stopped this training early, in one sentence; empty if it got its whole budget."""


@dataclass(frozen=True)
class Evaluation:
    """What the trained policy does without exploration, on fresh seeds, scored by trusted code."""

    fitness: float
    fitness_low: float
    fitness_high: float
    """95 % confidence interval of the mean over episodes."""
    episodes: int
    episode_length: float
    """Mean length in environment steps."""
    measures: Mapping[str, float] = field(default_factory=dict)
    """Further means per episode that the task reports, such as rotations."""


@dataclass(frozen=True)
class Rung:
    """Fitness of a candidate at a rung, from the episodes of its exploring environments."""

    environment_steps: int
    """Environment steps trained so far."""
    fitness: float
    fitness_low: float
    fitness_high: float
    """95 % confidence interval of the mean over iterations."""


@dataclass(frozen=True)
class Candidate:
    """A reward function that was proposed or given, or an answer without one (`reward` is None)."""

    generation: int
    completion: Completion
    reward: RewardSource | None
    fingerprint: str = ""
    """Equal for rewards that compute the same, however they are written; empty until known."""

    @property
    def index(self) -> int:
        """Index of the sample in its generation, from 0."""
        return self.completion.index

    @property
    def name(self) -> str:
        """Short name, unique in a run: `g2c5` is sample 5 of generation 2."""
        return candidate_name(self.generation, self.index)

    @property
    def is_initial(self) -> bool:
        """Whether this is the search's initial reward, which nobody proposed."""
        return self.generation == INITIAL


@dataclass(frozen=True)
class Outcome:
    """All that is known about a candidate once its generation is over."""

    candidate: Candidate
    failure: Failure | None = None
    training: TrainingRecord | None = None
    evaluation: Evaluation | None = None
    reflection: str = ""
    """What the next prompt says about this candidate."""
    duplicate_of: str = ""
    """Name of the earlier candidate that computes the same; training and evaluation are copied from
    it."""
    sandbox: tuple[str, ...] = ()
    """The layers of the sandbox that were active while its reward ran."""
    distance_to_human: float | None = None
    """Distance from the task's human reward, 0 to 1 (`rewards/distance.py`); never in a prompt."""

    @property
    def fitness(self) -> float:
        """The evaluated fitness; -inf for a failure, so that NaN or a failure never wins."""
        value = self.evaluation.fitness if self.evaluation else -math.inf
        return value if math.isfinite(value) else -math.inf

    def without_fitness(self) -> Outcome:
        """Return the outcome without the task's fitness, for an instruction of the user's own."""
        training, evaluation = self.training, self.evaluation
        if training is not None:
            training = replace(
                training, fitness=Curve("fitness", (), *(math.nan,) * 3), correlations={}, rungs=()
            )
        if evaluation is not None:
            nan = math.nan
            evaluation = replace(
                evaluation, fitness=nan, fitness_low=nan, fitness_high=nan, measures={}
            )
        return replace(self, training=training, evaluation=evaluation)


@dataclass(frozen=True)
class Feedback:
    """A judge's verdict on one generation."""

    generation: int
    ranking: tuple[str, ...] = ()
    """Names of trained candidates, best first. The first becomes the next parent; the last of two
    or more is reported to the model as the worst. Candidates that are not named lie between. Empty:
    no ranking; fitness decides, or the previous best is kept."""
    words: Mapping[str, str] = field(default_factory=dict)
    """Comments by candidate name. The next prompt quotes them verbatim."""
    stop: bool = False
    """End the search here with the best so far."""
    edited: Mapping[str, str] = field(default_factory=dict)
    """Source of a reward that the judge wrote, by the name of the candidate that it is an edit of.
    Each joins the next generation as a candidate of its own."""

    @property
    def worst(self) -> str | None:
        """Name of the lowest-ranked candidate; None for a ranking of fewer than two."""
        return self.ranking[-1] if len(self.ranking) > 1 else None

    def about(self, names: Collection[str]) -> Feedback:
        """Return the feedback on these candidates."""
        ranking = tuple(name for name in self.ranking if name in names)
        return replace(
            self,
            ranking=ranking,
            words={name: words for name, words in self.words.items() if name in names},
        )


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


@dataclass(frozen=True)
class Baseline:
    """A reference with the run's budget: the human reward, the sparse reward, random actions."""

    name: Literal["human", "sparse", "random"]
    evaluation: Evaluation
    environment_steps: int = 0
    """Environment steps spent on its training."""


@dataclass(frozen=True)
class ReevaluationResult:
    """One training of the final comparison."""

    evaluation: Evaluation
    """Evaluation of the last policy, or of random actions if the training failed."""
    peak: float
    """Maximum of the training's fitness curve (about ten points, with exploration)."""
    environment_steps: int


@dataclass(frozen=True)
class ReevaluationSeed:
    """The best reward and the references, trained with a seed that the search did not use."""

    seed: int
    best: ReevaluationResult
    human: ReevaluationResult | None
    """None if the task has no human reward."""
    sparse: ReevaluationResult


@dataclass(frozen=True)
class Generation:
    """One finished generation: its outcomes in sample order, the run's best so far, feedback."""

    index: int
    outcomes: tuple[Outcome, ...]
    best: Outcome | None
    feedback: Feedback | None = None
    """None if no judge was asked."""
