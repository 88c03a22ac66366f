"""The frozen records that the stages of the loop hand to each other.

One arrow of the picture in `docs/architecture.md`, one record. All of them are plain data (no
tensors, no modules), so that a run's database holds them as JSON and a test can write one by hand.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from eureka_agent.text import shortened, storable

Role = Literal["system", "user", "assistant"]
Stage = Literal["extract", "check", "contract", "screening", "training", "internal"]
"""What a candidate failed at; `internal`: it was lost by a fault of ours."""
Operator = Literal["", "numbers", "structure", "cross", "form", "lineage"]
"""What a prompt asks to do with its parents (`prompts/operators.md`); empty for whatever the
proposer thinks best."""
OPERATORS: tuple[Operator, ...] = ("numbers", "structure", "cross", "form", "lineage")
INITIAL = -1
"""The generation of the reward that a search starts from, if it was given one; what is proposed
counts from 0."""


def candidate_name(generation: int, index: int) -> str:
    """Return the short name of sample `index`, unique in a run: `g2c5` in generation 2; `start` for
    what was given."""
    return "start" if generation == INITIAL else f"g{generation}c{index}"


def _set(record: object, **values: str) -> None:
    """Set fields of a frozen record while it is made."""
    for name, value in values.items():
        object.__setattr__(record, name, value)


@dataclass(frozen=True)
class Message:
    """One message of a chat."""

    role: Role
    content: str

    def __post_init__(self) -> None:
        """Replace lone surrogates, which no server takes."""
        _set(self, content=storable(self.content))


@dataclass(frozen=True)
class Completion:
    """What a proposer answered to a prompt, as it came."""

    index: int
    """Which of the generation's samples this is, from 0."""
    text: str
    """Without lone surrogates, whatever the server sent."""
    proposer: str
    """The model's name as the run asked for it, or `grammar`, or `scripted`; `given` where a search
    starts from it."""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cost_usd: float | None = None
    """None when the price is unknown; never 0 for an unknown price."""
    truncated: bool = False
    """True when the answer was cut at the token limit."""
    seconds: float = 0.0
    served_by: str = ""
    """What the server calls the model that answered, with its version where it says so."""
    repair: int = 0
    """How many answers to the same prompt failed before this one, and were sent back."""
    error: str = ""
    """Why there is no answer, where the request was refused for its prompt; the text is empty
    then."""

    def __post_init__(self) -> None:
        """Replace lone surrogates, which neither files nor servers take."""
        _set(self, text=storable(self.text), served_by=storable(self.served_by))


@dataclass(frozen=True)
class RewardSource:
    """The Python source of one reward function."""

    code: str
    parameters: tuple[str, ...]
    """The names that `compute_reward` takes, in order: state, `action`, `prev_<name>`,
    constants."""


@dataclass(frozen=True)
class Failure:
    """Why a candidate has no fitness; `message` is one sentence that the proposer can act on."""

    stage: Stage
    message: str
    """At most 1,000 characters."""

    def __post_init__(self) -> None:
        """Cut what is longer, and make it one line: it stands in prompts, where lines have a
        meaning."""
        _set(self, message=shortened(storable(" ".join(self.message.split()))))


@dataclass(frozen=True)
class Curve:
    """A number over a training at about ten points, and its range over the whole training."""

    name: str
    values: tuple[float, ...]
    maximum: float
    mean: float
    minimum: float


@dataclass(frozen=True)
class TrainingRecord:
    """How a training went. Feeds the reflection only; fitness comes from `Evaluation`."""

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
    """Per component: correlation of its curve with the fitness curve (NaN where either is flat)."""
    diverged_envs: int = 0
    """Worlds whose physics diverged during the training."""
    rungs: tuple[Rung, ...] = ()
    """What the policy did at each rung of a race."""
    stopped: str = ""
    """Why a race stopped this training before its end, in one sentence; empty when it got its whole
    budget."""


@dataclass(frozen=True)
class Evaluation:
    """What the trained policy really does: deterministic, on fresh seeds, scored by trusted
    code."""

    fitness: float
    fitness_low: float
    fitness_high: float
    """95 % confidence interval of the mean over episodes."""
    episodes: int
    episode_length: float
    """Mean, in environment steps."""
    measures: Mapping[str, float] = field(default_factory=dict)
    """Further per-episode means that the task reports, such as rotations."""


@dataclass(frozen=True)
class Rung:
    """Where a candidate stood during its training; fitness is that of an episode of its exploring
    worlds."""

    environment_steps: int
    """How long it had trained."""
    fitness: float
    fitness_low: float
    fitness_high: float
    """95 % confidence interval of the mean over iterations."""


@dataclass(frozen=True)
class Candidate:
    """One reward function that was proposed, or given to start from, or the lack of one."""

    generation: int
    completion: Completion
    reward: RewardSource | None
    fingerprint: str = ""
    """Equal for rewards that compute the same, whatever their source looks like; empty before that
    is known."""

    @property
    def index(self) -> int:
        """Which sample of its generation this is, from 0."""
        return self.completion.index

    @property
    def name(self) -> str:
        """Short name, unique in a run: `g2c5` is sample 5 of generation 2."""
        return candidate_name(self.generation, self.index)

    @property
    def is_initial(self) -> bool:
        """Whether it is what the search starts from, and nobody proposed it."""
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
    """Name of the candidate before it that computes the same; training and evaluation are that
    one's."""
    sandbox: tuple[str, ...] = ()
    """The layers of the wall that held while its reward ran."""
    distance_to_human: float | None = None
    """How far its reward is from the task's human reward, 0 to 1 (`rewards/distance.py`); for
    people, never in a prompt."""

    @property
    def fitness(self) -> float:
        """The evaluated fitness; -inf for a failure, so that NaN or failure never wins."""
        value = self.evaluation.fitness if self.evaluation else -math.inf
        return value if math.isfinite(value) else -math.inf

    def without_fitness(self) -> Outcome:
        """Return the outcome as it is told where the wish is not the task's own: nothing of the
        task's fitness."""
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
    """What a person, or what stands for one, says once a generation was tried out."""

    generation: int
    ranking: tuple[str, ...] = ()
    """Names of trained candidates, best first. The first is what the search goes on from; of two or
    more, the last is the worst. Those not named lie between. Empty: no choice, the best so far
    stays (or fitness decides)."""
    words: Mapping[str, str] = field(default_factory=dict)
    """By candidate's name: what to say of it. The next prompt quotes it verbatim."""
    stop: bool = False
    """End the search here, with the best so far."""

    @property
    def worst(self) -> str | None:
        """Name of the candidate that is liked least, if one is."""
        return self.ranking[-1] if len(self.ranking) > 1 else None

    def about(self, names: Collection[str]) -> Feedback:
        """Return what is said of these candidates."""
        ranking = tuple(name for name in self.ranking if name in names)
        return replace(
            self,
            ranking=ranking,
            words={name: w for name, w in self.words.items() if name in names},
        )


@dataclass(frozen=True)
class Example:
    """A wish and a reward for it, to be shown beside another wish."""

    name: str
    """Of its file, without the ending."""
    description: str
    """What the robot should do, in one sentence."""
    state: str
    """What the reward reads: a Markdown list with shapes, units and meanings."""
    state_names: str
    """The names of it, with spaces between them."""
    code: str


@dataclass(frozen=True)
class Prompt:
    """What a proposer is asked. Models read `messages`; the grammar reads `parents` and
    `history`."""

    generation: int
    messages: tuple[Message, ...]
    parents: tuple[Outcome, ...] = ()
    """The outcomes to improve on, best first; empty in the first generation."""
    history: tuple[Outcome, ...] = ()
    """The outcomes that it tells of, failures included, oldest first."""
    feedback: tuple[Feedback, ...] = ()
    """What was said of the generations so far, oldest first."""
    repair: int = 0
    """Above 0 when it sends an answer back: how many failed, this one among them."""
    run: tuple[Outcome, ...] = field(default=(), repr=False)
    """Every outcome of the run so far, whatever the prompt tells: what the choice of a model learns
    from."""


@dataclass(frozen=True)
class PromptRecord:
    """A prompt as it was sent, and what for."""

    generation: int
    attempt: int
    """Above 0 when every candidate of the attempts before failed."""
    prompt_index: int
    """Which of the attempt's prompts this is: a search may tell its samples different things, and
    send some back."""
    samples: tuple[int, ...]
    """The samples of the generation that it asks for."""
    messages: tuple[Message, ...]
    parents: tuple[str, ...]
    """Names of the candidates that it shows to be improved."""
    repair: int = 0
    """Above 0 when it sends its only sample's answer back: how many failed, this one among them."""


@dataclass(frozen=True)
class SettingChange:
    """A setting of the run that a resume changed."""

    when: str
    """Local time (ISO 8601)."""
    name: str
    """As the config calls it."""
    before: str
    after: str
    """Values as JSON."""


@dataclass(frozen=True)
class Baseline:
    """A reference trained with the run's budget: the human reward, the sparse reward, random
    actions."""

    name: Literal["human", "sparse", "random"]
    evaluation: Evaluation
    environment_steps: int = 0
    """Spent on its training."""


@dataclass(frozen=True)
class ReevaluationResult:
    """One training of the final comparison."""

    evaluation: Evaluation
    """Of the last policy; of random actions where the training broke."""
    peak: float
    """The highest of about ten points of the training's fitness curve, while exploring."""
    environment_steps: int


@dataclass(frozen=True)
class ReevaluationSeed:
    """The run's best reward and the references, trained with a seed that the search did not use."""

    seed: int
    best: ReevaluationResult
    human: ReevaluationResult | None
    """None where the task has no human reward."""
    sparse: ReevaluationResult


@dataclass(frozen=True)
class Generation:
    """One finished generation: its outcomes in sample order, the best of the run so far, what was
    said."""

    index: int
    outcomes: tuple[Outcome, ...]
    best: Outcome | None
    feedback: Feedback | None = None
    """None where nobody was asked."""
