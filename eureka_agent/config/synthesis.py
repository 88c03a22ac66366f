"""The one configuration: the command line, the Python API and the record in a run are all this
class."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from eureka_agent.config.budget import TrainingBudget
from eureka_agent.config.extra_body import extra_fields
from eureka_agent.config.limits import check_sizes
from eureka_agent.errors import ConfigError, UsageError
from eureka_agent.utils.addresses import refuse_user_information
from eureka_agent.utils.arguments import check_values, refuse_unknown_arguments
from eureka_agent.utils.did_you_mean import alias_used, did_you_mean
from eureka_agent.utils.redaction import redacted

if TYPE_CHECKING:  # keeps `synthesize --help` free of torch and mujoco
    from eureka_agent.tasks.task import Task, TaskLike
else:
    TaskLike = str  # what the command line and a stored run have

BudgetName = Literal["quick", "normal", "paper"]
TrainerName = Literal["population", "sb3", "rsl_rl"]
FeedbackName = Literal["none", "cli", "synthetic"]
SandboxLevel = Literal["full", "reduced", "static-checks"]
EndName = Literal["never", "task"]
StrategyName = Literal["greedy", "restarts", "islands", "random"]

PROTOCOLS = {
    "eureka": (
        "--generations 25 --samples 16 --strategy restarts --restart-every 5 --final-seeds 5"
        " --budget paper"
    ),
    "matched": "--generations 5 --samples 16 --final-seeds 5",
}
"""What `--protocol` stands for; what is written after it counts more. `eureka` is the paper's: five
searches of five generations of 16, the best of all trained with five more seeds. `matched` takes 80
trainings whatever the strategy."""

SB3_ALGORITHMS = ("A2C", "DDPG", "PPO", "SAC", "TD3")
"""Those of stable-baselines3 that act in continuous spaces."""


def sb3_algorithm(name: str) -> str:
    """Return the algorithm of stable-baselines3 that is called `name`, in any case. Raises
    UsageError."""
    if name.upper() in SB3_ALGORITHMS:
        return name.upper()
    known = f"{did_you_mean(name, SB3_ALGORITHMS)} Known are {', '.join(SB3_ALGORITHMS)}."
    if name.upper() == "DQN":
        raise UsageError(
            f"DQN chooses among a few actions, and a task's actions are continuous.{known}"
        )
    raise UsageError(f"stable-baselines3 has no algorithm {name!r} for continuous actions.{known}")


@dataclass(frozen=True)
class Race:
    """Successive halving of the candidates that train side by side; see `training/racing.py`."""

    rungs: tuple[float, ...] = (0.04, 0.2, 0.3)
    """Shares of the training after which candidates are compared."""
    keep: tuple[float, ...] = (0.5, 0.375, 0.25)
    """Shares of the candidates that go on after each rung."""
    minimum: int = 1
    """Candidates that train to the end, at least."""
    chance: bool = True
    """Whom chance may have put behind the leader goes on, too."""
    hand_on: bool = False
    """The worlds of those that stop go to those that go on."""

    def places(self, candidates: int, rung: int) -> int:
        """Return how many of `candidates` that began go on after rung 0, 1, …"""
        return min(candidates, max(self.minimum, math.ceil(self.keep[rung] * candidates - 1e-9)))

    def share(self, candidates: int) -> float:
        """Return the share of the environment steps that training all `candidates` to the end would
        take, at least."""
        alive = [candidates, *(self.places(candidates, i) for i in range(len(self.rungs)))]
        stretches = [end - start for start, end in pairwise((0.0, *self.rungs, 1.0))]
        return sum(n * stretch for n, stretch in zip(alive, stretches, strict=True)) / candidates


class Described(Protocol):
    """A task, or what a run remembers of it."""

    @property
    def description(self) -> str:
        """The task's own wish, in one sentence."""
        ...


@refuse_unknown_arguments
@dataclass(frozen=True)
class SynthesisConfig:
    """Search a reward function for a task. Defaults run on a laptop, without a key and without a
    GPU."""

    task: TaskLike
    """What the robot should do: a task's name, an alias or its exact description (see `eureka-agent
    tasks`), or the path of the folder or file of a task of your own. With --env: any wish in
    words."""
    env: TaskLike | None = None
    """An existing task, by name or path, whose scene a new wish (--task) is put on. It has no
    fitness of its own then."""
    end: EndName | None = None
    """With --env: what ends episodes before the time limit. By default nothing (never), so that a
    hopper may lie down; or what ends those of the scene's own task (task)."""
    generations: int = 3
    """Rounds of proposing, training and reflecting (--protocol eureka or matched: see
    docs/search.md)."""
    samples: int = 8
    """Reward functions proposed in each generation."""
    budget: BudgetName = "normal"
    """How much training each reward gets, as the task defines it (--quick is short for --budget
    quick)."""
    initial_reward: str | None = None
    """Start the search from a reward: human, the task's own, which the model gets to see then; or a
    Python file with compute_reward. It is trained like any candidate, and is the first parent.
    Needs a model."""
    examples: int = 0
    """Show the model so many rewards for other tasks, those nearest to the wish, from a library of
    pairs that were written by hand. The grammar reads no prompts and ignores them."""
    examples_dir: Path | None = None
    """Folder with Markdown files of your own that join the library; see docs/prompts.md."""
    attempts: int = 3
    """How often a generation is asked for at most: again, with the reasons, as long as every reward
    of it fails."""
    repairs: int = 0
    """Send an answer whose reward fails the checks or the probe back to its model, with the reason,
    at most so often; the last answer counts. The grammar's rewards pass them."""
    seed: int = 0
    """Seed of the search, the training and the evaluation."""
    model: str | None = None
    """A model that writes the rewards: a name at OpenAI or at --base-url, or provider/name, e.g.
    anthropic/…, through LiteLLM. Without it the built-in grammar proposes the rewards."""
    models: tuple[str, ...] = ()
    """Several models instead of one, each with its share of the samples, e.g. --models gpt-5=2
    anthropic/…=1."""
    model_choice: Literal["weights", "bandit"] = "weights"
    """With --models: keep to the shares, or learn which model's rewards improve fitness for their
    cost."""
    base_url: str | None = None
    """Address of an OpenAI-compatible server, e.g. http://localhost:11434/v1; the key is read from
    OPENAI_API_KEY."""
    stream: bool = False
    """Ask the model to stream its answers, for servers that do nothing else."""
    extra_body: str | None = None
    """Further fields of each request to a model, as a JSON object, e.g. '{"enable_thinking":
    false}'. With "n" an answer holds so many choices, and each is a sample."""
    temperature: float | None = 1.0
    """Sampling temperature of the model; None leaves it to the server."""
    answer_tokens: int | None = None
    """Longest answer of a model in tokens, thoughts included; by default the server's own limit,
    and 16,384 where
    --max-tokens or --max-cost-usd is given."""
    request_timeout_s: float = 600.0
    """A request to a model that has no whole answer after so many seconds has failed; it is asked
    once more."""
    concurrency: int = 8
    """Requests to models at a time; fewer for a server that is slow, or refuses many at once."""
    max_cost_usd: float | None = None
    """Stop, with the best so far, before models cost more than this. A resumed run counts what it
    spent before."""
    max_tokens: int | None = None
    """Stop, with the best so far, before models take more tokens than this, prompts and answers
    together."""
    max_wall_min: float | None = None
    """Stop, with the best so far, once this many minutes have passed since the start, or since the
    resume: what is being asked and trained then is finished, and no other attempt, generation or
        final seed begins."""
    price_in: float | None = None
    """USD per million tokens of a prompt, for models whose price is not listed (or instead of
    it)."""
    price_out: float | None = None
    """USD per million tokens of an answer."""
    num_envs: int | None = None
    """Worlds per reward, instead of the budget's."""
    environment_steps: int | None = None
    """Environment steps per reward, instead of the budget's."""
    feedback: FeedbackName = "none"
    """Who looks at each generation, ranks its rewards and says what to change: nobody, you at this
    terminal, or a stand-in that ranks by the task's fitness. A wish without fitness (--env) needs
    one of the last two."""
    trainer: TrainerName = "population"
    """What trains the policies: our PPO, all rewards at once; or stable-baselines3 or rsl_rl, one
    after the other."""
    algorithm: str = "PPO"
    """Algorithm of stable-baselines3 (--trainer sb3): A2C, DDPG, PPO, SAC or TD3."""
    racing: bool = False
    """Stop rewards that are behind early, so that about a quarter of a generation trains to the
    end. Takes a third of the environment steps, more where rewards are alike, and may stop one that
    would have won after all. Population trainer only."""
    race_rungs: tuple[float, ...] = Race.rungs
    """Racing: shares of the training after which rewards are compared."""
    race_keep: tuple[float, ...] = Race.keep
    """Racing: shares of a generation's rewards that go on after each comparison."""
    race_minimum: int = Race.minimum
    """Racing: rewards of a generation that train to the end, at least."""
    race_chance: bool = Race.chance
    """Racing: whom chance may have put behind the leader goes on, too. Without it no race takes
    more steps than its rungs say, but for late bloomers."""
    race_hand_on: bool = Race.hand_on
    """Racing: the worlds of rewards that stop go to those that go on, whose rollouts get as much
    shorter, so that each update learns from as many steps. For a GPU that few worlds leave idle;
    short rollouts may teach less."""
    strategy: StrategyName = "greedy"
    """What the rewards of a generation build on: greedy, the best of all so far (Eureka); islands,
    the best of their own part of the samples; restarts, the best since the last restart; random,
    nothing."""
    islands: int = 2
    """Islands (--strategy islands): searches side by side that share the samples of a
    generation."""
    restart_every: int = 5
    """Restarts (--strategy restarts): generations of each search."""
    vary_instructions: bool = False
    """Ask each sample for something else: other numbers, another structure, a cross of two, another
    form, the lineage's next step. For models; the grammar has operators of its own."""
    novelty: float = 0.0
    """Refuse rewards nearer than this to an earlier one before they are trained. Distances go from
    0, wanting the same, to 1; see docs/distance.md. At 0 only rewards that compute the same are not
    trained twice."""
    preference_check: bool = False
    """Refuse rewards that rank failed episodes of earlier policies above successful ones before
    they are trained."""
    final_seeds: int = 0
    """At the end, train the best reward anew with so many other seeds, beside the human and the
    sparse reward: the search's own figure is that of its luckiest training. 5 or more give an
    interval worth the name."""
    baselines: bool = True
    """Train the human and the sparse reward with the same budget and measure random actions, to
    compare with."""
    sandbox: SandboxLevel = "full"
    """Which layers of the sandbox must hold before a reward is run: all; those that every Linux has
    (reduced); or none (checks), the only one for macOS, where code that fools the static checks can
    do what you can. See `eureka-agent doctor`, and docs/sandbox.md."""
    device: Literal["cpu", "cuda"] = "cpu"
    """Where physics and training run; cuda needs a GPU and MuJoCo Warp (pip install
    'eureka-agent[warp]')."""
    threads: int | None = None
    """Physics threads on the CPU; by default every core."""
    runs_dir: Path = Path("runs")
    """Folder that holds the runs."""
    run_name: str | None = None
    """Name of the run's folder, by default <date>-<task>-<short id>. It must not exist yet."""

    def __post_init__(self) -> None:
        """Refuse values that cannot work, before anything is written."""
        if isinstance(
            self.models, Mapping
        ):  # in Python, weights are most naturally a dictionary's values
            object.__setattr__(
                self, "models", tuple(f"{name}={weight}" for name, weight in self.models.items())
            )
        self._check_task()
        check_values(self, but=("task", "env"))
        check_sizes(self)
        if self.examples_dir is not None and not self.examples:
            raise UsageError(
                "--examples-dir needs --examples: how many of the pairs should a prompt show?"
            )
        self._check_race()
        if self.end is not None and self.env is None:
            raise UsageError(
                "--end is for a wish on a scene (--env): a task's own episodes end where the task"
                " says."
            )
        self._check_start()
        self._check_screening()
        self._check_finals()
        self._check_strategy()
        if self.temperature is not None and not 0.0 <= self.temperature <= 2.0:
            raise UsageError(f"--temperature must lie between 0 and 2, got {self.temperature}.")
        self._check_models()
        self._check_address()
        if sb3_algorithm(self.algorithm) != "PPO" and self.trainer != "sb3":
            raise UsageError(
                f"--algorithm {self.algorithm} needs --trainer sb3; {self.trainer} trains with PPO."
            )

    def _check_strategy(self) -> None:
        """Refuse numbers that the strategy cannot work with."""
        if self.strategy == "islands" and not 1 < self.islands <= self.samples:
            raise UsageError(
                f"--islands must lie between 2 and the samples of a generation ({self.samples}),"
                f" got {self.islands}."
            )
        if self.strategy == "restarts" and not 0 < self.restart_every < self.generations:
            raise UsageError(
                "--restart-every must lie between 1 and the generations before the last"
                f" ({self.generations - 1}), got {self.restart_every}: with --strategy restarts"
                " there has to be a restart."
            )

    def _check_race(self) -> None:
        if not all(0.0 < a < b for a, b in pairwise((*self.race_rungs, 1.0))):
            raise UsageError(
                "--race-rungs must rise between 0 and 1, got"
                f" {' '.join(map(str, self.race_rungs))}."
            )
        if self.racing and self.trainer != "population":
            raise UsageError(
                f"--racing needs --trainer population; {self.trainer} trains one reward after the"
                " other."
            )
        falls = all(1.0 >= a >= b > 0.0 for a, b in pairwise((1.0, *self.race_keep)))
        if len(self.race_keep) != len(self.race_rungs) or not falls:
            raise UsageError(
                "--race-keep needs a share for each of --race-rungs, from 1 downwards and above 0, "
                f"got {' '.join(map(str, self.race_keep))} for {len(self.race_rungs)} rungs."
            )

    def _check_address(self) -> None:
        if self.base_url is not None and not self.model_weights:
            raise UsageError(
                "--base-url needs --model: which model of that server should write the rewards?"
            )
        if (self.stream or self.extra_body is not None) and not self.model_weights:
            raise UsageError("--stream and --extra-body need --model: they say how it is asked.")
        _ = self.extra_fields
        if self.base_url is not None and not self.base_url.startswith(("http://", "https://")):
            raise UsageError(
                f"--base-url must start with http:// or https://, got {redacted(self.base_url)!r}."
            )
        if self.base_url is not None:
            refuse_user_information(self.base_url, "--base-url")
        if odd := [name for name in self.model_weights if "://" in name]:
            raise UsageError(
                "A model's name is no address: give the server as --base-url, got"
                f" {redacted(odd[0])!r}."
            )

    def _check_task(self) -> None:
        """Refuse what is neither a text, a path nor a task; a wish is a text. Paths become
        texts."""
        for name in ("task", "env"):
            value = getattr(self, name)
            if isinstance(value, os.PathLike):
                object.__setattr__(self, name, os.fspath(value))
            elif not (
                isinstance(value, str) or _is_task(value) or (name == "env" and value is None)
            ):
                what = (
                    f"the class {value.__name__}: give an object of it"
                    if isinstance(value, type)
                    else repr(value)
                )
                raise ConfigError(f"{name} takes a name, a path or a Task object, got {what}.")
        if self.env is not None and not isinstance(self.task, str):
            raise UsageError(
                "With env, task is the wish in words and env the task whose scene it is put on."
            )
        if isinstance(self.task, str) and not self.task.strip():
            raise UsageError("--task is empty: name a task or say what the robot should do.")

    def _check_start(self) -> None:
        if self.initial_reward is None:
            return
        if not self.initial_reward.strip():
            raise UsageError("--initial-reward is empty: give human, or the path of a reward file.")
        if self.initial_reward == "human" and not self.has_fitness:
            raise UsageError(
                f"--initial-reward human is the reward of the task {self.env}, which wants"
                f" something else than the wish {self.task!r}: give a file with a reward for the"
                " wish."
            )
        if self.strategy == "random":
            raise UsageError(
                "--strategy random builds on nothing: leave --initial-reward out, or take another"
                " strategy."
            )

    def _check_finals(self) -> None:
        if self.final_seeds < 0 or (self.final_seeds and not self.has_fitness):
            got = self.final_seeds
            raise UsageError(
                f"--final-seeds must be 0 or more, and needs a fitness (no --env); got {got}."
            )

    def _check_screening(self) -> None:
        if not 0.0 <= self.novelty < 1.0:
            raise UsageError(f"--novelty must lie between 0 (off) and 1, got {self.novelty}.")
        if self.preference_check and not self.has_fitness:
            raise UsageError(
                "--preference-check needs a fitness, and a wish on --env has none: leave one of"
                " them out."
            )

    def _check_models(self) -> None:
        """Refuse models, limits and prices that make no sense together."""
        if self.model is not None and self.models:
            raise UsageError("--model names one model and --models several: give one of the two.")
        weights = self.model_weights
        if len(weights) < len(self.models):
            raise UsageError(f"--models names a model twice: {' '.join(self.models)}.")
        if not all(weight > 0.0 and math.isfinite(weight) for weight in weights.values()):
            raise UsageError(
                f"--models needs weights above 0, e.g. gpt-5=2, got {' '.join(self.models)}."
            )
        if self.model_choice == "bandit" and (len(weights) < 2 or not self.has_fitness):
            raise UsageError(
                "--model-choice bandit needs several --models, and a task with a fitness to learn"
                " from."
            )
        for name in ("max_cost_usd", "max_wall_min", "request_timeout_s"):
            value = getattr(self, name)
            if value is not None and not (value > 0.0 and math.isfinite(value)):
                raise UsageError(f"--{name.replace('_', '-')} must be above 0, got {value}.")
        prices = [price for price in (self.price_in, self.price_out) if price is not None]
        if len(prices) == 1 or any(not (price >= 0.0 and math.isfinite(price)) for price in prices):
            raise UsageError(
                "--price-in and --price-out go together, in USD per million tokens, 0 or above."
            )

    @property
    def model_weights(self) -> dict[str, float]:
        """The models that write the rewards, with their shares of the samples; none where the
        grammar does."""
        if self.model is not None:
            return {self.model: 1.0}
        weights = {}
        for named in self.models:
            name, equals, weight = named.rpartition("=")
            try:
                weights[name if equals else named] = float(weight) if equals else 1.0
            except ValueError:
                raise UsageError(
                    "--models takes names with numbers as weights, e.g. gpt-5=2 o4=1, got"
                    f" {named!r}."
                ) from None
        return weights

    @property
    def extra_fields(self) -> dict[str, object]:
        """Further fields of a request's body. Raises UsageError for what is none."""
        return extra_fields(self.extra_body)

    @property
    def has_fitness(self) -> bool:
        """Whether the wish is the task's own, so that the task's fitness measures it."""
        return self.env is None

    @property
    def race(self) -> Race | None:
        """How candidates of a generation race; None where all train to the end."""
        if not (self.racing and self.has_fitness):
            return None
        return Race(
            self.race_rungs, self.race_keep, self.race_minimum, self.race_chance, self.race_hand_on
        )

    def instruction(self, task: Described) -> str:
        """Return what the robot should do, in one sentence."""
        return task.description if self.has_fitness else str(self.task).strip()

    def asked_as(self, task: Task) -> str:
        """Return the user's own words for the task where they are neither its name nor its
        description; else empty."""
        return alias_used(str(self.task), task) if self.has_fitness else ""

    @property
    def ends_early(self) -> bool:
        """Whether episodes end where the task ends them, and not by the time limit alone."""
        return self.env is None or self.end == "task"

    def episodes_of(self, task: Task) -> Task:
        """Return the task with the episodes that this run has: those of a wish end by time alone,
        unless asked."""
        return task if self.ends_early else task.without_end()

    def override(self, budget: TrainingBudget) -> TrainingBudget:
        """Return a task's budget with what `num_envs` and `environment_steps` replace in it."""
        if self.num_envs is not None:
            budget = replace(budget, num_envs=self.num_envs)
        if self.environment_steps is not None:
            budget = replace(budget, environment_steps=self.environment_steps)
        return budget


def _is_task(value: object) -> bool:
    """Whether `value` is a `Task`; who has one has imported it, and this module does not, which
    takes seconds."""
    module = sys.modules.get("eureka_agent.tasks.task")
    return module is not None and isinstance(value, module.Task)
