"""Finding out what rewards are worth: through the wall, into training, and measured by the task's
own fitness."""

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
class TrainedReward:
    """What a training gave and what its policy does."""

    result: TrainResult
    evaluation: Evaluation | None
    """None when the training failed."""


class Evaluator:
    """Checks, probes and trains rewards of one task with one budget."""

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
        """`race`: how the candidates of a generation race; references never do. `checkpoint`: see
        `train`."""
        self.task, self.budget, self.sandbox = task, budget, sandbox
        self._seed, self._threads, self._device, self._emit = seed, threads, device, emit
        self._trainer, self._race, self._checkpoint = trainer, race, checkpoint
        with naming_lines_of(task):
            self._samples = sample_states(task, seed=seed, device=device)

    def seal(
        self, candidate: Candidate, open_rewards: ExitStack
    ) -> tuple[Candidate, RewardRunner] | Outcome:
        """Extract, check and probe a candidate; returns what computes its reward, or the failed
        outcome.

        A fault of ours that it meets costs this candidate alone; its traceback is told, and kept in
        the run's folder.
        """
        try:
            reward = read_answer(candidate.completion, self.task.reward_inputs)
            candidate = replace(candidate, reward=reward)
            with faults_as_ours("trying the reward on sample states"):
                sealed = self.open(reward, open_rewards)
                graph = sealed.graph(self._samples, self._counts)
                candidate = replace(candidate, fingerprint=_fingerprint(reward, graph))
                return candidate, self._move_to_device(sealed, graph)
        except CandidateError as error:
            return Outcome(candidate, Failure(_STAGES.get(type(error), "contract"), str(error)))
        except InternalError as error:
            self._emit(InternalErrorRaised(candidate.name, trace_of(error)))
            return Outcome(candidate, Failure("internal", str(error)))

    def open(self, reward: RewardSource, open_rewards: ExitStack) -> SandboxedReward:
        """Return a checked reward in a sealed child of its own, probed. Raises CandidateError."""
        rows = max(*self._counts, COMPARED_ROWS)
        sealed = self.sandbox.open(reward, self.task.reward_inputs, max_rows=rows)
        open_rewards.callback(sealed.close)
        try:
            check_contract(sealed, self._samples)
        except CandidateError:
            sealed.close()  # its process need not wait for the others
            raise
        return sealed

    @property
    def _counts(self) -> tuple[int, ...]:
        """How many rows a reward is called with: the samples, a rollout, and one step of all
        worlds."""
        return (
            len(self._samples["action"]),
            self.budget.num_envs * self.budget.horizon,
            self.budget.num_envs,
        )

    def _move_to_device(self, sealed: SandboxedReward, graph: CheckedGraph | None) -> RewardRunner:
        """Return a probed reward as operations on the worlds' device where it is not the CPU and
        the reward has them.

        Otherwise states are copied to the sealed child.
        """
        if graph is None or self._device == "cpu":
            return sealed
        return GraphReward(graph.graph, graph.counts, otherwise=sealed)

    def train(
        self,
        names: Sequence[str],
        rewards: Sequence[RewardRunner],
        candidates: Sequence[Candidate] = (),
        champion: Outcome | None = None,
    ) -> list[TrainedReward]:
        """Train one policy per reward with the trainer, and evaluate those that came out.

        Candidates race, against each other and against the run's best so far, `champion`; of whom
        the race stopped the policy of that moment is evaluated.
        """
        names = tuple(names)
        key = f"{names} {self._seed} {self.budget}"
        checkpoint = Checkpoint(self._checkpoint, key) if self._checkpoint else None
        saved = checkpoint.of_another_version if checkpoint else ""
        self._emit(TrainingStarted(tuple(candidates), names, self._where(names, rewards), saved))
        with naming_lines_of(self.task):  # they were tried out, but not for so many steps
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
        """Say where the rewards are computed; nothing when that is as usual, behind the wall on the
        CPU."""
        if self._device == "cpu":
            return ""
        pairs = list(zip(names, rewards, strict=True))
        places = {
            f"as tensor operations on {self._device}": [
                n for n, r in pairs if isinstance(r, GraphReward)
            ],
            "in sealed processes on the CPU": [
                n for n, r in pairs if isinstance(r, SandboxedReward)
            ],
        }
        parts = [f"{how}: {', '.join(who)}" for how, who in places.items() if who]
        return f"Rewards run {'; '.join(parts)}."

    def baselines(self) -> tuple[Baseline, ...]:
        """Train the human and the sparse reward with the same budget and seed, and measure random
        actions.

        There is no human baseline where the task has no human reward.
        """
        _, baselines = self.beside_baselines((), ())
        return baselines

    def beside_baselines(
        self, names: Sequence[str], rewards: Sequence[RewardRunner]
    ) -> tuple[list[TrainedReward], tuple[Baseline, ...]]:
        """Train `rewards` in one population with the human and the sparse reward."""
        evaluator, human, sparse, random = self.references(names, rewards)
        trained = [_baseline("human", human)] if human else []
        baselines = (*trained, _baseline("sparse", sparse), Baseline("random", random))
        self._emit(BaselinesMeasured(baselines))
        return evaluator, baselines

    def references(
        self, names: Sequence[str], rewards: Sequence[RewardRunner]
    ) -> tuple[list[TrainedReward], TrainedReward | None, TrainedReward, Evaluation]:
        """Return the trials of `rewards`, of the human and of the sparse reward, and what random
        actions do.

        None in place of the human reward's where the task has none.
        """
        with ExitStack() as open_rewards:
            human = {"human reward": self.human(open_rewards)} if self.task.has_human_reward else {}
            references = {**human, "sparse reward": SparseReward()}
            evaluator = self.train((*names, *references), (*rewards, *references.values()))
        (random,) = self._evaluate([random_actions(self.task, seed=self._seed)])
        return (
            evaluator[: len(names)],
            evaluator[len(names)] if human else None,
            evaluator[-1],
            random,
        )

    def human(self, open_rewards: ExitStack) -> RewardRunner:
        """Return the task's human reward, probed. Raises TaskError where it does not keep the
        contract."""
        try:
            sealed = self.open(
                check_source(self.task.human_reward, self.task.reward_inputs), open_rewards
            )
        except CandidateError as error:
            where = f"{self.task.folder}/human_reward.py" if self.task.folder else self.task.name
            raise TaskError(
                f"{where}: it is no reward function for {self.task.name}: {error}"
            ) from error
        return self._move_to_device(
            sealed, sealed.graph(self._samples, self._counts) if self._device != "cpu" else None
        )

    def with_seed(self, seed: int) -> Evaluator:
        """Return the same with another seed of training and evaluation."""
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
    """Train the references and store them, once."""
    if stored := store.baselines():
        emit(BaselinesMeasured(tuple(stored)))
        return
    started = time.monotonic()
    store.save_baselines(evaluator.baselines(), seconds=time.monotonic() - started)


def _fingerprint(reward: RewardSource, graph: CheckedGraph | None) -> str:
    """Return a text that is equal for rewards that compute the same: the graph's key, or else the
    source itself."""
    return graph.key if graph is not None else hashlib.sha256(reward.code.encode()).hexdigest()


def _baseline(name: Literal["human", "sparse"], trial: TrainedReward) -> Baseline:
    """A reference must train; if it does not, the comparison is void and the run has to say so."""
    if trial.evaluation is None or trial.result.record is None:
        raise EurekaError(f"The training of the {name} reward failed: {trial.result.error}")
    return Baseline(name, trial.evaluation, trial.result.record.environment_steps)
