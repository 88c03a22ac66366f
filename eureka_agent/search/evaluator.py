"""Evaluate rewards: check them, train with them, and measure the policies by the task's fitness."""

from __future__ import annotations

import copy
import hashlib
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from eureka_agent.checks import check_source
from eureka_agent.config import Race, TrainingBudget
from eureka_agent.errors import (
    CandidateError,
    CheckError,
    ContractError,
    EurekaError,
    ExtractionError,
    InternalError,
    TaskError,
)
from eureka_agent.extract.reading import faults_as_ours, read_answer, trace_of
from eureka_agent.jail import CheckedGraph, Sandbox, SandboxedReward
from eureka_agent.jail.contract import check_contract
from eureka_agent.records import (
    Baseline,
    Candidate,
    Evaluation,
    Failure,
    Outcome,
    RewardSource,
    Stage,
)
from eureka_agent.rewards.distance import COMPARED_ROWS
from eureka_agent.rewards.graph_reward import GraphReward
from eureka_agent.rewards.runner import RewardRunner, SparseReward
from eureka_agent.runs.store import Store
from eureka_agent.search.events import (
    BaselinesMeasured,
    InternalErrorRaised,
    Listener,
    TrainingProgress,
    TrainingStarted,
)
from eureka_agent.simulation.rollouts import Act, evaluate, random_actions
from eureka_agent.simulation.samples import sample_states
from eureka_agent.tasks.source_lines import naming_lines_of
from eureka_agent.tasks.task import Task
from eureka_agent.training import Checkpoint, Trainer, TrainResult, train
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


@dataclass(frozen=True)
class TrainedReward:
    """The result of one training and the evaluation of its policy."""

    result: TrainResult
    evaluation: Evaluation | None
    """None if the training failed."""


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
        trainer: Trainer = train,
        race: Race | None = None,
        checkpoint: Path | None = None,
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
            trainer: Trains a population of policies.
            race: How the candidates of a generation race; references never race.
            checkpoint: File in which the training in progress is saved.

        Raises:
            TaskError: The task's code failed.
        """
        self.task = task
        self.budget = budget
        self.sandbox = sandbox
        self._seed = seed
        self._threads = threads
        self._device = device
        self._emit = emit
        self._trainer = trainer
        self._race = race
        self._checkpoint = checkpoint
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
            return Outcome(candidate, Failure(_STAGES.get(type(error), "contract"), str(error)))
        except InternalError as error:
            self._emit(InternalErrorRaised(candidate.name, trace_of(error)))
            return Outcome(candidate, Failure("internal", str(error)))

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

    def human(self, open_rewards: ExitStack) -> RewardRunner:
        """Open the task's human reward.

        Args:
            open_rewards: Closes the reward's process.

        Returns:
            What computes the reward.

        Raises:
            TaskError: The reward fails the checks or breaks the contract.
        """
        try:
            sandboxed = self.open(
                check_source(self.task.human_reward, self.task.reward_inputs), open_rewards
            )
        except CandidateError as error:
            where = f"{self.task.folder}/human_reward.py" if self.task.folder else self.task.name
            raise TaskError(
                f"{where}: it is not a valid reward function for {self.task.name}: {error}"
            ) from error
        on_cpu = self._device == "cpu"
        graph = None if on_cpu else sandboxed.graph(self._samples, self._counts)
        return self._move_to_device(sandboxed, graph)

    @property
    def _counts(self) -> tuple[int, ...]:
        """The numbers of rows in a call: the samples, a rollout, one step of all environments."""
        return (
            len(self._samples["action"]),
            self.budget.num_envs * self.budget.horizon,
            self.budget.num_envs,
        )

    def _move_to_device(
        self, sandboxed: SandboxedReward, graph: CheckedGraph | None
    ) -> RewardRunner:
        """Return the reward as tensor operations on the environments' device.

        On the CPU, or without a graph, it is returned as it is: a GPU's states are then copied to
        its process.
        """
        if graph is None or self._device == "cpu":
            return sandboxed
        return GraphReward(graph.graph, graph.counts, otherwise=sandboxed)

    # ------------------------------------------------------------------ train and evaluate
    def train(
        self,
        names: Sequence[str],
        rewards: Sequence[RewardRunner],
        candidates: Sequence[Candidate] = (),
        champion: Outcome | None = None,
    ) -> list[TrainedReward]:
        """Train one policy per reward, and evaluate each policy that resulted.

        A policy that a race stopped is evaluated as it was then.

        Args:
            names: One short name per reward, for events.
            rewards: What computes the rewards.
            candidates: The candidates of the rewards, which then race; empty for references.
            champion: The run's best so far, with which candidates are compared in a race.

        Returns:
            One result per reward, in order.

        Raises:
            TaskError: The task's code failed.
            StoreError: The checkpoint cannot be written.
        """
        names = tuple(names)
        key = f"{names} {self._seed} {self.budget}"
        checkpoint = Checkpoint(self._checkpoint, key) if self._checkpoint else None
        ignored = checkpoint.of_another_version if checkpoint else ""
        self._emit(TrainingStarted(tuple(candidates), names, self._where(names, rewards), ignored))
        with naming_lines_of(self.task):  # its code was tried, but for fewer steps
            results = self._trainer(
                self.task,
                rewards,
                self.budget,
                seed=self._seed,
                threads=self._threads,
                race=self._race if candidates else None,
                champion=champion.training.rungs if champion and champion.training else (),
                checkpoint=checkpoint,
                on_progress=lambda progress: self._emit(TrainingProgress(names, progress)),
            )
        evaluations = iter(
            self._evaluate([result.policy for result in results if result.policy is not None])
        )
        return [
            TrainedReward(result, next(evaluations) if result.policy is not None else None)
            for result in results
        ]

    def _where(self, names: Sequence[str], rewards: Sequence[RewardRunner]) -> str:
        """Say where the rewards are computed; empty on the CPU, where all run in the sandbox."""
        if self._device == "cpu":
            return ""
        pairs = list(zip(names, rewards, strict=True))
        on_device = [name for name, reward in pairs if isinstance(reward, GraphReward)]
        on_cpu = [name for name, reward in pairs if isinstance(reward, SandboxedReward)]
        parts = []
        if on_device:
            parts.append(f"as tensor operations on {self._device}: {', '.join(on_device)}")
        if on_cpu:
            parts.append(f"in sandboxed processes on the CPU: {', '.join(on_cpu)}")
        return f"Rewards run {'; '.join(parts)}."

    def baselines(self) -> tuple[Baseline, ...]:
        """Train the human and the sparse reward, and measure random actions.

        Returns:
            The baselines; no human baseline if the task has no human reward.

        Raises:
            EurekaError: The training of a baseline failed.
        """
        _, baselines = self.train_with_baselines((), ())
        return baselines

    def train_with_baselines(
        self, names: Sequence[str], rewards: Sequence[RewardRunner]
    ) -> tuple[list[TrainedReward], tuple[Baseline, ...]]:
        """Train rewards in one population with the human and the sparse reward.

        Args:
            names: One short name per reward, for events.
            rewards: What computes the rewards.

        Returns:
            One result per reward, and the baselines.

        Raises:
            EurekaError: The training of a baseline failed.
        """
        trained, human, sparse, random = self.references(names, rewards)
        references = [_baseline("human", human)] if human else []
        baselines = (*references, _baseline("sparse", sparse), Baseline("random", random))
        self._emit(BaselinesMeasured(baselines))
        return trained, baselines

    def references(
        self, names: Sequence[str], rewards: Sequence[RewardRunner]
    ) -> tuple[list[TrainedReward], TrainedReward | None, TrainedReward, Evaluation]:
        """Train rewards in one population with the references, and evaluate random actions.

        Args:
            names: One short name per reward, for events.
            rewards: What computes the rewards.

        Returns:
            The results of `rewards`, of the human reward (None if the task has none), of the sparse
            reward, and the evaluation of random actions.

        Raises:
            TaskError: The human reward fails the checks.
        """
        with ExitStack() as open_rewards:
            human = {"human reward": self.human(open_rewards)} if self.task.has_human_reward else {}
            references = {**human, "sparse reward": SparseReward()}
            trained = self.train((*names, *references), (*rewards, *references.values()))
        (random,) = self._evaluate([random_actions(self.task, seed=self._seed)])
        return (
            trained[: len(names)],
            trained[len(names)] if human else None,
            trained[-1],
            random,
        )

    def with_seed(self, seed: int) -> Evaluator:
        """Return the same evaluator with another seed.

        Args:
            seed: Seed of training and evaluation.
        """
        other = copy.copy(self)
        other._seed = seed
        return other

    def _evaluate(self, policies: Sequence[Act]) -> list[Evaluation]:
        with one_torch_thread(), naming_lines_of(self.task):
            return evaluate(
                self.task,
                policies,
                episodes=self.budget.evaluation_episodes,
                seed=self._seed,
                threads=self._threads,
                device=self._device,
            )


def measure_baselines(store: Store, evaluator: Evaluator, emit: Listener) -> None:
    """Train and store the baselines, unless the store has them."""
    if stored := store.baselines():
        emit(BaselinesMeasured(tuple(stored)))
        return
    started = time.monotonic()
    store.save_baselines(evaluator.baselines(), seconds=time.monotonic() - started)


def _fingerprint(reward: RewardSource, graph: CheckedGraph | None) -> str:
    """Return the graph's key, equal for rewards that compute the same, or a hash of the source."""
    return graph.key if graph is not None else hashlib.sha256(reward.code.encode()).hexdigest()


def _baseline(name: Literal["human", "sparse"], trained: TrainedReward) -> Baseline:
    """Return a reference's result. Raises EurekaError if it has none: the comparison is void."""
    if trained.evaluation is None or trained.result.record is None:
        raise EurekaError(f"The training of the {name} reward failed: {trained.result.error}")
    return Baseline(name, trained.evaluation, trained.result.record.environment_steps)
