"""Evaluate rewards: check them, train with them, and measure the policies by the task's fitness."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from eureka_agent.checks import check_source
from eureka_agent.config import Race, TrainerName, TrainingBudget
from eureka_agent.errors import (
    CandidateError,
    CheckError,
    ContractError,
    ExtractionError,
    InternalError,
    TaskError,
)
from eureka_agent.executors import Executor, LocalExecutor
from eureka_agent.extract.reading import faults_as_ours, read_answer, trace_of
from eureka_agent.jail import CheckedGraph, Sandbox, SandboxedReward
from eureka_agent.jail.contract import check_contract
from eureka_agent.records import (
    Candidate,
    Evaluation,
    Failure,
    Outcome,
    RewardSource,
    Stage,
)
from eureka_agent.rewards.distance import COMPARED_ROWS
from eureka_agent.rewards.graph_reward import GraphReward
from eureka_agent.rewards.runner import RewardRunner
from eureka_agent.search.events import (
    InternalErrorRaised,
    Listener,
    RewardPlaces,
    TrainingProgress,
    TrainingStarted,
)
from eureka_agent.simulation.rollouts import evaluate, random_actions
from eureka_agent.simulation.samples import sample_states
from eureka_agent.tasks.registry import reference
from eureka_agent.tasks.source_lines import naming_lines_of
from eureka_agent.tasks.task import Task
from eureka_agent.training import Checkpoint, make_trainer
from eureka_agent.training.job import JobReward, TrainedReward, TrainingJob, row_counts
from eureka_agent.utils.torch_threads import one_torch_thread

_STAGES: dict[type[CandidateError], Stage] = {
    ExtractionError: "extract",
    CheckError: "check",
    ContractError: "contract",
}


@dataclass(frozen=True)
class PreparedCandidate:
    """A candidate that passed the checks, with what computes its reward."""

    candidate: Candidate
    reward: RewardRunner


class Evaluator:
    """Checks, trains and evaluates rewards of one task with one budget."""

    def __init__(
        self,
        task: Task,
        budget: TrainingBudget,
        sandbox: Sandbox,
        *,
        seed: int,
        threads: int | None = None,
        device: str = "cpu",
        emit: Listener = lambda event: None,
        trainer: TrainerName = "population",
        algorithm: str = "PPO",
        has_fitness: bool = True,
        race: Race | None = None,
        checkpoint: Path | None = None,
        executor: Executor | None = None,
    ) -> None:
        """Create an evaluator; this simulates a few steps to get sample states.

        Args:
            task: What the policies are trained for.
            budget: Environments and steps of each training, episodes of each evaluation.
            sandbox: Runs the rewards.
            seed: Seed of training and evaluation.
            threads: Number of threads; None for all cores.
            device: Where the environments are simulated.
            emit: Called with every event.
            trainer: Name of the trainer.
            algorithm: Algorithm of stable-baselines3, for the trainer `sb3`.
            has_fitness: Whether the task's fitness measures what is wanted.
            race: How the candidates of a generation race; references never race.
            checkpoint: File in which the training in progress is saved, if the trainer can.
            executor: Where the trainings run; by default in this process.

        Raises:
            TaskError: The task's code failed.
            UsageError: The trainer is not available here.
        """
        made = make_trainer(trainer, algorithm=algorithm, device=device)
        self.task = task
        self.budget = budget
        self.sandbox = sandbox
        self.trains_together = made.trains_together
        """Whether the rewards of one training share one batch of environments."""
        self.supports_draws = made.supports_draws
        """Whether a training can draw different luck for its rewards."""
        self._seed = seed
        self._threads = threads
        self._device = device
        self._emit = emit
        self._trainer = trainer
        self._algorithm = algorithm
        self._has_fitness = has_fitness
        self._race = race
        self._checkpoint = checkpoint if made.supports_checkpoints else None
        self._executor = executor or LocalExecutor(task=task, sandbox=sandbox)
        self._on_device: set[str] = set()
        with naming_lines_of(task):
            self._samples = sample_states(task, seed=seed, device=device)

    # ------------------------------------------------------------------ check
    def prepare(self, candidate: Candidate, open_rewards: ExitStack) -> PreparedCandidate | Outcome:
        """Extract a candidate's reward, check it and open it in the sandbox.

        An error of eureka_agent itself costs this candidate alone: `InternalErrorRaised` carries
        its traceback.

        Args:
            candidate: A candidate whose completion was not read yet.
            open_rewards: Closes the reward's process.

        Returns:
            The prepared candidate, or the outcome of one that failed.

        Raises:
            SandboxError: The sandbox itself failed.
        """
        try:
            reward = read_answer(candidate.completion, self.task.reward_inputs)
            candidate = replace(candidate, reward=reward)
            with faults_as_ours("trying the reward on sample states"):
                sandboxed = self.open(reward, open_rewards)
                graph = sandboxed.graph(self._samples, self._counts)
                candidate = replace(candidate, fingerprint=_fingerprint(reward, graph))
                return PreparedCandidate(candidate, self._move_to_device(sandboxed, graph))
        except CandidateError as error:
            failure = Failure(_STAGES.get(type(error), "contract"), str(error))
            return Outcome(candidate, failure=failure)
        except InternalError as error:
            self._emit(InternalErrorRaised(candidate.name, trace_of(error)))
            return Outcome(candidate, failure=Failure("internal", str(error)))

    def open(self, reward: RewardSource, open_rewards: ExitStack) -> SandboxedReward:
        """Open a checked reward in a sandboxed process of its own and check its contract.

        Args:
            reward: A reward that passed the static checks.
            open_rewards: Closes the process.

        Returns:
            The reward, ready to be called.

        Raises:
            CandidateError: The reward breaks the contract on sample states.
            SandboxError: The sandbox itself failed.
        """
        rows = max(*self._counts, COMPARED_ROWS)
        sandboxed = self.sandbox.open(reward, self.task.reward_inputs, max_rows=rows)
        open_rewards.callback(sandboxed.close)
        try:
            check_contract(sandboxed, self._samples)
        except CandidateError:
            sandboxed.close()  # its process need not wait for the others
            raise
        return sandboxed

    def human(self, name: str) -> JobReward:
        """Check the task's human reward.

        Args:
            name: Its name in the training.

        Returns:
            The reward to train with.

        Raises:
            TaskError: The reward fails the checks or breaks the contract.
        """
        if self.task.has_own_reward:
            return JobReward(name, None, built_in="own")
        try:
            source = check_source(self.task.human_reward, self.task.reward_inputs)
            with ExitStack() as open_rewards:
                sandboxed = self.open(source, open_rewards)
                if self._device != "cpu":
                    self._move_to_device(sandboxed, sandboxed.graph(self._samples, self._counts))
        except CandidateError as error:
            where = f"{self.task.folder}/human_reward.py" if self.task.folder else self.task.name
            raise TaskError(
                f"{where}: it is not a valid reward function for {self.task.name}: {error}"
            ) from error
        return JobReward(name, source)

    @property
    def _counts(self) -> tuple[int, ...]:
        """The numbers of rows in a call: the samples, a rollout, one step of all environments."""
        return len(self._samples["action"]), *row_counts(self.budget)

    def _move_to_device(
        self, sandboxed: SandboxedReward, graph: CheckedGraph | None
    ) -> RewardRunner:
        """Return the reward as tensor operations on the environments' device.

        On the CPU, or without a graph, it is returned as it is: a GPU's states are then copied to
        its process.
        """
        if graph is None or self._device == "cpu":
            return sandboxed
        self._on_device.add(sandboxed.reward.code)
        return GraphReward(graph.graph, graph.counts, otherwise=sandboxed)

    # ------------------------------------------------------------------ train and evaluate
    def train(
        self,
        rewards: Sequence[JobReward],
        candidates: Sequence[Candidate] = (),
        champion: Outcome | None = None,
        *,
        draws: int = 1,
    ) -> list[TrainedReward]:
        """Train one policy per reward, and evaluate each policy that resulted.

        A policy that a race stopped is evaluated as it was then.

        Args:
            rewards: The rewards, which passed `open`.
            candidates: The candidates of the rewards, if this is their first training.
            champion: The run's best so far, with which candidates are compared in a race.
            draws: Reward `k` trains with draw `k % draws` from the seed (`TrainerSettings.draws`).

        Returns:
            One result per reward, in order.

        Raises:
            TaskError: The task's code failed.
            StoreError: The checkpoint cannot be written.
        """
        races = any(reward.races for reward in rewards)
        job = self._job(rewards, race=self._race if races else None, champion=champion)
        job = replace(job, draws=draws)
        names = tuple(reward.name for reward in rewards)
        ignored = None
        if self._checkpoint is not None:
            ignored = Checkpoint(self._checkpoint, job.key).of_another_version
        self._emit(TrainingStarted(tuple(candidates), names, self._places(rewards), ignored))
        running = self._executor.submit(
            job, lambda progress: self._emit(TrainingProgress(names, progress))
        )
        return running.result()

    def _job(
        self, rewards: Sequence[JobReward], *, race: Race | None, champion: Outcome | None
    ) -> TrainingJob:
        rungs = champion.training.rungs if champion and champion.training else ()
        return TrainingJob(
            task=reference(self.task),
            rewards=tuple(rewards),
            budget=self.budget,
            seed=self._seed,
            has_fitness=self._has_fitness,
            ends_early=self.task.ends_early,
            trainer=self._trainer,
            algorithm=self._algorithm,
            race=race,
            champion=rungs,
            sandbox=self.sandbox.level,
            device=self._device,
            threads=self._threads,
            checkpoint=str(self._checkpoint) if self._checkpoint else None,
        )

    def _places(self, rewards: Sequence[JobReward]) -> RewardPlaces:
        """Return where the rewards are computed."""
        known = [(reward.name, reward.source.code) for reward in rewards if reward.source]
        return RewardPlaces(
            self._device,
            as_operations=tuple(name for name, code in known if code in self._on_device),
            in_sandbox=tuple(name for name, code in known if code not in self._on_device),
        )

    def with_seed(self, seed: int) -> Evaluator:
        """Return the same evaluator with another seed.

        Args:
            seed: Seed of training and evaluation.
        """
        other = copy.copy(self)
        other._seed = seed
        return other

    def random_actions(self) -> Evaluation:
        """Return the evaluation of random actions."""
        with one_torch_thread(), naming_lines_of(self.task):
            (evaluation,) = evaluate(
                self.task,
                [random_actions(self.task, seed=self._seed)],
                episodes=self.budget.evaluation_episodes,
                seed=self._seed,
                threads=self._threads,
                device=self._device,
            )
        return evaluation


def _fingerprint(reward: RewardSource, graph: CheckedGraph | None) -> str:
    """Return the graph's key, equal for rewards that compute the same, or a hash of the source."""
    return graph.key if graph is not None else hashlib.sha256(reward.code.encode()).hexdigest()
