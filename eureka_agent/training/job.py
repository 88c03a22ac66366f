"""A training as a job: all that it needs in one record, so that it can run anywhere."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from torch import Tensor

from eureka_agent.checks import check_source
from eureka_agent.config import Race, SandboxLevel, TrainerName, TrainingBudget
from eureka_agent.errors import CandidateError
from eureka_agent.jail import Sandbox
from eureka_agent.records import Failure, RewardResult, RewardSource, Rung
from eureka_agent.rewards.graph_reward import GraphReward
from eureka_agent.rewards.runner import BuiltInReward, OwnReward, RewardRunner, SparseReward
from eureka_agent.simulation.samples import sample_states
from eureka_agent.tasks.registry import find_task
from eureka_agent.tasks.source_lines import naming_lines_of
from eureka_agent.tasks.task import Task
from eureka_agent.training.checkpoint import Checkpoint
from eureka_agent.training.evaluation import Evaluated, EvaluatedPolicy, evaluate_with_behaviour
from eureka_agent.training.factory import make_trainer
from eureka_agent.training.initial_policy import policy_from_text
from eureka_agent.training.policy import Policy
from eureka_agent.training.results import Progress, TrainResult
from eureka_agent.training.trainer import Trainer, TrainerSettings, demand_support
from eureka_agent.utils.torch_threads import one_torch_thread


@dataclass(frozen=True)
class JobReward:
    """One reward of a job."""

    name: str
    source: RewardSource | None
    """None: a reward that the simulation computes; see `built_in`."""
    initial_policy: str | None = None
    """The policy that its training starts from, as base64 (`policy_to_text`); None: from random
    weights."""
    built_in: Literal["sparse", "own"] = "sparse"
    """Without a source: the task's sparse reward, or the one that its environments pay."""
    races: bool = False
    """Whether a race may stop its training early; what others are compared with trains to the
    end."""


@dataclass(frozen=True)
class TrainingJob:
    """One training of several rewards, with everything that decides its results.

    Every field is plain data, so that a job can be written as JSON (`utils/plain_json.py`) and run
    by `run_job` in this process, in another Python, or on another machine. The same job gives the
    same policies, bit for bit, on machines of the same kind.
    """

    task: str
    """What finds the task: its name, or the path of its file."""
    rewards: tuple[JobReward, ...]
    budget: TrainingBudget
    seed: int
    """Seed of training and evaluation."""
    has_fitness: bool = True
    """Whether the task's fitness measures what is wanted; if not, replays do not show it."""
    draws: int = 1
    """See `TrainerSettings.draws`: a reward can be trained several times in one population."""
    ends_early: bool = True
    """Whether the task's own termination ends episodes."""
    trainer: TrainerName = "population"
    algorithm: str = "PPO"
    """Algorithm of stable-baselines3, for the trainer `sb3`."""
    race: Race | None = None
    """How worse candidates are stopped early; None: they are not."""
    champion: tuple[Rung, ...] = ()
    """The rungs of the run's best candidate so far, which a race compares with."""
    sandbox: SandboxLevel = "full"
    """Which layers of the sandbox must hold before a reward runs."""
    device: str = "cpu"
    threads: int | None = None
    """Physics threads on the CPU, by default all cores."""
    checkpoint: str | None = None
    """Path of the file that the training is saved in, and resumed from; None: it is not saved. A
    trainer without checkpoints does not save it either."""

    @property
    def key(self) -> str:
        """Says which training it is: a checkpoint of another one is not used."""
        names = tuple(reward.name for reward in self.rewards)
        start = "".join(reward.initial_policy or "-" for reward in self.rewards)
        policies = hashlib.sha256(start.encode()).hexdigest()[:16]
        return f"{names} {self.seed} {self.draws} {self.budget} {policies}"


@dataclass(frozen=True)
class TrainedReward(RewardResult):
    """What a job found out about one of its rewards."""

    name: str
    policy: bytes | None
    """For `Policy.from_bytes`; None where the training failed."""
    replay: bytes | None = None
    """Episodes of the policy; see `Evaluated.replay`."""


def run_job(
    job: TrainingJob,
    on_progress: Callable[[Progress], None] | None = None,
    *,
    task: Task | None = None,
    sandbox: Sandbox | None = None,
) -> list[TrainedReward]:
    """Do the whole job: open the rewards in the sandbox, train, and evaluate the policies.

    Args:
        job: The job.
        on_progress: Called after every iteration of the training.
        task: The job's task where it is at hand, so that it need not be found.
        sandbox: An open sandbox of the job's level; by default one is opened for the job.

    Returns:
        One record for each reward, in order.

    Raises:
        UsageError: The trainer or the device is not available here, the trainer does not support
            what the job asks for, or an initial policy does not fit the task and the budget.
        SandboxError: The sandbox cannot be opened.
        StoreError: The checkpoint is damaged or cannot be written.
    """
    task = task or find_task(job.task)
    if not job.ends_early and task.ends_early:
        task = task.without_end()
    trainer = make_trainer(job.trainer, algorithm=job.algorithm, device=job.device)
    settings = _settings(job, trainer)
    with ExitStack() as resources, naming_lines_of(task):
        rewards = _open_rewards(job, task, sandbox, resources)
        rewards = _equal_for_all_draws(rewards, job.draws)
        opened = [reward for reward in rewards if not isinstance(reward, CandidateError)]
        settings = _for_opened(settings, rewards)
        remaining = iter(trainer.train(task, opened, settings, on_progress))
        results = [
            TrainResult(None, None, reward)
            if isinstance(reward, CandidateError)
            else next(remaining)
            for reward in rewards
        ]
        evaluations = _evaluations(job, task, results, rewards)
    return _records(job, results, evaluations)


def _settings(job: TrainingJob, trainer: Trainer) -> TrainerSettings:
    """Return how the job trains. Raises UsageError for what the trainer does not support."""
    checkpoint = None
    if job.checkpoint is not None and trainer.supports_checkpoints:
        checkpoint = Checkpoint(Path(job.checkpoint), job.key)
    settings = TrainerSettings(
        job.budget,
        seed=job.seed,
        threads=job.threads,
        device=job.device,
        race=job.race,
        champion=job.champion,
        checkpoint=checkpoint,
        draws=job.draws,
        initial_policies=_initial_policies(job),
        races=tuple(reward.races for reward in job.rewards) if job.race else (),
    )
    demand_support(trainer, settings)
    return settings


def _initial_policies(job: TrainingJob) -> tuple[Policy | None, ...]:
    """Return what each reward's training starts from; empty if none starts from a policy."""
    texts = [reward.initial_policy for reward in job.rewards]
    if not any(texts):
        return ()
    known = {text: policy_from_text(text) for text in texts if text}
    return tuple(known[text] if text else None for text in texts)


def _for_opened(
    settings: TrainerSettings, rewards: Sequence[RewardRunner | CandidateError]
) -> TrainerSettings:
    """Return the settings without those of rewards that could not be opened."""
    opened = [k for k, reward in enumerate(rewards) if not isinstance(reward, CandidateError)]
    policies = settings.initial_policies
    return replace(
        settings,
        initial_policies=tuple(policies[k] for k in opened) if policies else (),
        races=tuple(settings.races[k] for k in opened) if settings.races else (),
    )


def _open_rewards(
    job: TrainingJob, task: Task, sandbox: Sandbox | None, resources: ExitStack
) -> list[RewardRunner | CandidateError]:
    """Return what computes each reward, or why it cannot be opened."""
    if sandbox is None and any(reward.source for reward in job.rewards):
        sandbox = resources.enter_context(Sandbox(required=job.sandbox))
    samples = {} if job.device == "cpu" else sample_states(task, seed=job.seed, device=job.device)
    rewards: list[RewardRunner | CandidateError] = []
    for reward in job.rewards:
        if reward.source is None or sandbox is None:
            rewards.append(OwnReward() if reward.built_in == "own" else SparseReward())
            continue
        try:
            rewards.append(_open(job, task, reward.source, sandbox, samples, resources))
        except CandidateError as error:
            rewards.append(error)
    return rewards


def _equal_for_all_draws(
    rewards: Sequence[RewardRunner | CandidateError], draws: int
) -> list[RewardRunner | CandidateError]:
    """Return the rewards; if one of a reward's copies cannot be opened, none of them trains.

    The trainer finds a candidate's draw from its place.
    """
    equal: list[RewardRunner | CandidateError] = []
    for first in range(0, len(rewards), draws):
        copies = rewards[first : first + draws]
        errors = [copy for copy in copies if isinstance(copy, CandidateError)]
        equal += errors[:1] * len(copies) if errors else copies
    return equal


def _open(
    job: TrainingJob,
    task: Task,
    source: RewardSource,
    sandbox: Sandbox,
    samples: Mapping[str, Tensor],
    resources: ExitStack,
) -> RewardRunner:
    """Check a source again, since a job may come from anywhere, and open it in the sandbox.

    With `samples`, which states on a GPU have, a reward that has a graph becomes tensor operations
    there. Without a graph it stays in the sandbox, and states are copied to the CPU for it.
    """
    checked = check_source(source.code, task.reward_inputs)
    counts = row_counts(job.budget)
    if samples:
        counts = (len(samples["action"]), *counts)
    opened = sandbox.open(checked, task.reward_inputs, max_rows=max(counts))
    resources.callback(opened.close)
    graph = opened.graph(samples, counts) if samples else None
    return opened if graph is None else GraphReward(graph.graph, graph.counts, otherwise=opened)


def row_counts(budget: TrainingBudget) -> tuple[int, ...]:
    """Return the numbers of rows that trainings call a reward with: a rollout, and one step."""
    return budget.num_envs * budget.horizon, budget.num_envs


def _evaluations(
    job: TrainingJob,
    task: Task,
    results: Sequence[TrainResult],
    rewards: Sequence[RewardRunner | CandidateError],
) -> list[Evaluated | None]:
    """Evaluate the policies, all at once; None where there is none.

    The components of built-in rewards are not measured: each has only one.
    """
    policies: list[EvaluatedPolicy] = []
    for result, reward in zip(results, rewards, strict=True):
        measured = None if isinstance(reward, BuiltInReward | CandidateError) else reward
        if result.policy is not None:
            policies.append(EvaluatedPolicy(result.policy, measured))
    with one_torch_thread():
        found = iter(
            evaluate_with_behaviour(
                task,
                policies,
                episodes=job.budget.evaluation_episodes,
                seed=job.seed,
                max_rows=max(row_counts(job.budget)),
                has_fitness=job.has_fitness,
                threads=job.threads,
                device=job.device,
            )
        )
    return [None if result.policy is None else next(found) for result in results]


def _records(
    job: TrainingJob,
    results: Sequence[TrainResult],
    evaluations: Sequence[Evaluated | None],
) -> list[TrainedReward]:
    records = []
    for reward, result, evaluated in zip(job.rewards, results, evaluations, strict=True):
        failure = Failure("training", str(result.error)) if result.error else None
        policy = result.policy.to_bytes() if result.policy else None
        record = TrainedReward(
            reward.name,
            policy,
            failure=failure,
            training=result.record,
            evaluation=evaluated.evaluation if evaluated else None,
            behaviour=evaluated.behaviour if evaluated else None,
            replay=evaluated.replay if evaluated else None,
        )
        records.append(record)
    return records
