"""`SynthesisConfig`: the settings of a run. Its field docstrings are the command line's help."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from eureka_agent.config.budget import TrainingBudget
from eureka_agent.config.checks import check_combinations
from eureka_agent.config.extra_body import extra_fields
from eureka_agent.config.limits import check_sizes
from eureka_agent.config.race import Race
from eureka_agent.errors import ConfigError, UsageError
from eureka_agent.utils.arguments import check_values, refuse_unknown_arguments
from eureka_agent.utils.did_you_mean import alias_used

if TYPE_CHECKING:  # keeps `synthesize --help` free of torch and mujoco
    from eureka_agent.tasks.task import Task, TaskLike
else:
    TaskLike = str  # the form on the command line and in a stored run

BudgetName = Literal["quick", "normal", "paper"]
TrainerName = Literal["population", "sb3", "rsl_rl"]
FeedbackName = Literal["none", "cli", "synthetic"]
SandboxLevel = Literal["full", "reduced", "static-checks"]
EndName = Literal["never", "task"]
StrategyName = Literal["greedy", "restarts", "islands", "random"]


class Described(Protocol):
    """A task, or what a run's record holds of it."""

    @property
    def description(self) -> str:
        """The task's instruction, in one sentence."""
        ...


@refuse_unknown_arguments
@dataclass(frozen=True)
class SynthesisConfig:
    """Search for a reward function. The defaults run on a laptop without an API key or a GPU."""

    task: TaskLike
    """What the robot should do: the name, an alias or the exact description of a task (see
    `eureka-agent tasks`), or the path of your own task's folder or file. With --env: any
    instruction in words."""
    env: TaskLike | None = None
    """An existing task, by name or path, whose scene is used for a new instruction (--task). Such a
    run has no fitness of its own."""
    task_path: Path | None = None
    """Folder with task folders of your own, whose tasks are then found by name as well. Their code
    is run."""
    end: EndName | None = None
    """With --env: what ends episodes before the time limit. never (the default): nothing, so that
    for example a hopper may lie down; task: the conditions of the scene's own task."""
    generations: int = 3
    """Rounds of proposing, training and reflecting. For --protocol eureka or matched see
    docs/search.md."""
    samples: int = 8
    """Reward functions proposed in each generation."""
    budget: BudgetName = "normal"
    """How long each reward is trained, as the task defines it. --quick is short for --budget quick.
    """
    initial_reward: str | None = None
    """Start the search from a reward: human (the task's own, which the model then sees) or a Python
    file with compute_reward. It is trained like any candidate and is the first parent. Needs a
    model."""
    examples: int = 0
    """Number of example rewards for other tasks to show to the model. The examples nearest to the
    instruction are taken from a library of handwritten pairs. The grammar ignores this option."""
    examples_dir: Path | None = None
    """Folder with your own examples (Markdown files), added to the library; see docs/prompts.md."""
    attempts: int = 3
    """Maximum number of times a generation is requested. It is requested again, with the reasons,
    while all of its rewards fail."""
    repairs: int = 0
    """Maximum number of times an answer that fails the checks or the contract is sent back to its
    model with the reason; the last answer counts. The grammar's rewards always pass."""
    seed: int = 0
    """Seed of the search, the training and the evaluation."""
    model: str | None = None
    """Model that writes the rewards: a name at OpenAI or at --base-url, or provider/name (such as
    anthropic/…) through LiteLLM. Without it the built-in grammar proposes the rewards."""
    models: tuple[str, ...] = ()
    """Several models instead of one, each with its share of the samples, e.g. --models gpt-5=2
    anthropic/…=1."""
    model_choice: Literal["weights", "bandit"] = "weights"
    """With --models: use the given shares (weights), or learn which model's rewards improve fitness
    most for their cost (bandit)."""
    base_url: str | None = None
    """Address of an OpenAI-compatible server, e.g. http://localhost:11434/v1. The key is read from
    OPENAI_API_KEY."""
    stream: bool = False
    """Request streamed answers, for servers that support nothing else."""
    extra_body: str | None = None
    """Further fields of each request to a model, as a JSON object, e.g. '{"enable_thinking":
    false}'. With "n" each answer holds that many choices, and each choice is a sample."""
    temperature: float | None = 1.0
    """Sampling temperature of the model; None leaves it to the server."""
    answer_tokens: int | None = None
    """Longest answer of a model in tokens, thoughts included. Default: the server's limit, or
    16,384 with --max-tokens or --max-cost-usd."""
    request_timeout_s: float = 600.0
    """Seconds after which a request without a complete answer has failed. It is then sent once
    more."""
    concurrency: int = 8
    """Maximum number of requests to models at a time. Lower it for a server that is slow or refuses
    parallel requests."""
    max_cost_usd: float | None = None
    """Stop with the best reward so far before models cost more than this. A resumed run includes
    its earlier costs."""
    max_tokens: int | None = None
    """Stop with the best reward so far before models use more tokens than this, counting prompts
    and answers."""
    max_wall_min: float | None = None
    """Stop with the best reward so far after this many minutes, counted from the start or the
    resume. Requests and trainings under way are finished; no further attempt, generation or final
    seed begins."""
    price_in: float | None = None
    """Price of a prompt in USD per million tokens, for models that are not in the price list, or to
    override it."""
    price_out: float | None = None
    """Price of an answer in USD per million tokens."""
    num_envs: int | None = None
    """Number of environments per reward, instead of the budget's."""
    environment_steps: int | None = None
    """Environment steps per reward, instead of the budget's."""
    feedback: FeedbackName = "none"
    """Who ranks each generation's rewards and says what to change: nobody (none), you at this
    terminal (cli), or a stand-in that ranks by the task's fitness (synthetic). With --env choose
    one of the last two."""
    trainer: TrainerName = "population"
    """What trains the policies: our PPO, which trains all rewards at once (population), or
    stable-baselines3 or rsl_rl, which train one after the other."""
    algorithm: str = "PPO"
    """Algorithm of stable-baselines3 (--trainer sb3): A2C, DDPG, PPO, SAC or TD3."""
    racing: bool = False
    """Stop rewards early that are behind, so that about a quarter of a generation trains to the
    end. This takes a third of the environment steps, more if rewards are similar, and may stop a
    reward that would have won. Only with --trainer population."""
    race_rungs: tuple[float, ...] = Race.rungs
    """Racing: shares of the training after which rewards are compared."""
    race_keep: tuple[float, ...] = Race.keep
    """Racing: shares of a generation's rewards that go on after each comparison."""
    race_minimum: int = Race.minimum
    """Racing: least number of a generation's rewards that train to the end."""
    race_chance: bool = Race.chance
    """Racing: also keep rewards that are not significantly worse (95 %) than the leader. Without it
    a race uses at most the steps that the rungs imply, plus those of late bloomers."""
    strategy: StrategyName = "greedy"
    """What the rewards of a generation build on: the best so far (greedy, as in Eureka), the best
    of their own part of the samples (islands), the best since the last restart (restarts), or
    nothing (random)."""
    islands: int = 2
    """Number of parallel searches that share the samples of a generation (--strategy islands)."""
    restart_every: int = 5
    """Number of generations of each search (--strategy restarts)."""
    vary_instructions: bool = False
    """Give each sample a different instruction: other numbers, another structure, a cross of two
    rewards, another form, or the next step of the lineage. For models; the grammar has its own
    operators."""
    novelty: float = 0.0
    """Refuse a reward before training if its distance to an earlier one is below this value.
    Distances go from 0 (equivalent) to 1; see docs/distance.md. At 0 only rewards that compute the
    same are not trained twice."""
    preference_check: bool = False
    """Refuse a reward before training if it ranks failed episodes of earlier policies above
    successful ones."""
    final_seeds: int = 0
    """Number of other seeds to train the best reward with at the end, next to the human and the
    sparse reward. The search itself reports the luckiest of many trainings. Use 5 or more for a
    meaningful interval."""
    baselines: bool = True
    """Train the human and the sparse reward with the same budget, and measure random actions, for
    comparison."""
    sandbox: SandboxLevel = "full"
    """Protection that is required before a reward is run: all layers (full), those that every Linux
    has (reduced), or the static checks alone (static-checks). The last is the only one on macOS;
    code that gets past the checks can then do what you can do. See `eureka-agent doctor` and
    docs/sandbox.md."""
    device: Literal["cpu", "cuda"] = "cpu"
    """Where physics and training run. cuda needs a GPU and MuJoCo Warp (pip install
    'eureka-agent[warp]')."""
    threads: int | None = None
    """Physics threads on the CPU; by default one for each core."""
    runs_dir: Path = Path("runs")
    """Folder that holds the runs."""
    run_name: str | None = None
    """Name of the run's folder, by default <date>-<task>-<short id>. The folder must not exist yet.
    """

    def __post_init__(self) -> None:
        """Refuse settings that cannot work, before anything is written."""
        # In Python, weights are most naturally a dictionary's values.
        if isinstance(self.models, Mapping):
            object.__setattr__(
                self, "models", tuple(f"{name}={weight}" for name, weight in self.models.items())
            )
        self._check_task()
        check_values(self, but=("task", "env"))
        check_sizes(self)
        check_combinations(self)

    def _check_task(self) -> None:
        """Check the types of `task` and `env`; paths become text."""
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
                "With env, task is the instruction in words and env the task whose scene is used."
            )
        if isinstance(self.task, str) and not self.task.strip():
            raise UsageError("--task is empty: name a task or say what the robot should do.")

    @property
    def model_weights(self) -> dict[str, float]:
        """Each model that writes rewards, with its share of the samples; empty for the grammar.

        Raises UsageError for a weight that is not a number.
        """
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
        """Further fields of a request's body. Raises UsageError if they are not valid."""
        return extra_fields(self.extra_body)

    @property
    def has_fitness(self) -> bool:
        """Whether the instruction is the task's own, so that the task's fitness measures it."""
        return self.env is None

    @property
    def race(self) -> Race | None:
        """How candidates of a generation race; None if all train to the end."""
        if not (self.racing and self.has_fitness):
            return None
        return Race(self.race_rungs, self.race_keep, self.race_minimum, self.race_chance)

    def instruction(self, task: Described) -> str:
        """Return what the robot should do, in one sentence."""
        return task.description if self.has_fitness else str(self.task).strip()

    def asked_as(self, task: Task) -> str:
        """Return the user's words for the task if they are neither its name nor its description."""
        return alias_used(str(self.task), task) if self.has_fitness else ""

    @property
    def ends_early(self) -> bool:
        """Whether the task may end episodes before the time limit."""
        return self.env is None or self.end == "task"

    def episodes_of(self, task: Task) -> Task:
        """Return the task with this run's episodes; with --env only time ends them by default."""
        return task if self.ends_early else task.without_end()

    def override(self, budget: TrainingBudget) -> TrainingBudget:
        """Return a task's budget with what `num_envs` and `environment_steps` replace in it."""
        if self.num_envs is not None:
            budget = replace(budget, num_envs=self.num_envs)
        if self.environment_steps is not None:
            budget = replace(budget, environment_steps=self.environment_steps)
        return budget


def _is_task(value: object) -> bool:
    """Whether `value` is a `Task`.

    This module does not import `Task`, which takes seconds; whoever passes one has imported it.
    """
    module = sys.modules.get("eureka_agent.tasks.task")
    return module is not None and isinstance(value, module.Task)
