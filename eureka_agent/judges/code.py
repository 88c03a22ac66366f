"""A judge that scores episodes by a success measure in code, frozen before the first training."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from eureka_agent.errors import CandidateError, StoreError, UsageError
from eureka_agent.jail import Sandbox
from eureka_agent.judges.measure import (
    Accept,
    MeasureChecks,
    measure_from_file,
    measure_from_model,
    shown,
    stored_again,
)
from eureka_agent.judges.measured import EPISODES, measured
from eureka_agent.judges.scoring import (
    by_score,
    distinct_policies,
    episodes_seed,
    loaded,
    mean_score,
)
from eureka_agent.proposers.base import Proposer
from eureka_agent.proposers.events import ProposerEvent
from eureka_agent.records import Feedback, JudgeScore, RewardSource
from eureka_agent.runs.store import Store
from eureka_agent.search.feedback import FeedbackRequest
from eureka_agent.tasks.task import Task
from eureka_agent.utils.torch_threads import one_torch_thread

_BASIS = f"{EPISODES} episodes, scored by the success measure"
_FAILED = "the success measure failed on its states, which counts as 0"


class CodeJudge:
    """Scores by a measure that a model wrote, or that a file holds; a `RunJudge`.

    Args:
        task: The task, with the episodes of the run.
        proposer: Writes the measure.
        accept: Asks the person whether the measure is what was meant.
    """

    needs_terminal = False

    def __init__(self, task: Task, proposer: Proposer, accept: Accept) -> None:
        self._task = task
        self._proposer = proposer
        self._accept = accept
        self._measure: RewardSource | None = None
        self._sandbox: Sandbox | None = None
        self._store: Store | None = None

    def open(self) -> None:
        """See `Judge.open`; the work is done in `begin`."""

    def close(self) -> None:
        """See `Judge.close`; nothing was taken."""

    def read_file(self, path: Path, sandbox: Sandbox, *, seed: int) -> None:
        """Read the measure from a file, before the run's folder is created.

        Args:
            path: The file.
            sandbox: The run's open sandbox.
            seed: The run's seed.

        Raises:
            RewardFileError: The file cannot be read, or is not a usable measure.
        """
        checks = MeasureChecks(self._task, sandbox, seed=seed)
        self._measure = measure_from_file(path, self._task, checks)

    def begin(self, store: Store, sandbox: Sandbox, emit: Callable[[ProposerEvent], None]) -> None:
        """See `RunJudge.begin`: read, or write and freeze the measure."""
        self._sandbox = sandbox
        self._store = store
        stored = store.measure
        if stored is not None:
            self._measure = _trusted(stored, self._task)
            return
        self._measure = self._measure or self._written(store, sandbox)
        store.save_measure(self._measure)

    def ask(self, request: FeedbackRequest) -> Feedback:
        """See `Judge.ask`: score every policy on the same new episodes, and rank by the scores."""
        assert self._measure is not None
        assert self._sandbox is not None
        assert self._store is not None
        config = self._store.config
        names = distinct_policies(request)
        with one_torch_thread():
            results = measured(
                self._task,
                self._measure,
                self._sandbox,
                loaded([*names]),
                seed=episodes_seed(config.search.seed, request.generation),
                threads=config.training.threads,
                device=config.training.device,
            )
        scores: dict[str, JudgeScore] = {}
        for own, values in zip(names.values(), results, strict=True):
            failed = JudgeScore(0.0, 0.0, _FAILED)
            score = failed if values is None else mean_score(values.tolist(), _BASIS)
            scores |= dict.fromkeys(own, score)
        return by_score(request, scores)

    def _written(self, store: Store, sandbox: Sandbox) -> RewardSource:
        """Return the measure that the model writes and the person accepts."""
        config = store.config
        checks = MeasureChecks(self._task, sandbox, seed=config.search.seed)
        instruction = config.task.instruction(self._task)
        measure = measure_from_model(store, self._proposer, self._task, instruction, checks)
        if not self._accept(shown(measure.code)):
            raise UsageError(
                "The success measure was not accepted, so nothing was trained. Say more precisely"
                " what you want with --task, or write the measure yourself: --measure FILE."
            )
        return measure


def _trusted(stored: RewardSource, task: Task) -> RewardSource:
    """Return the stored measure, checked again. Raises StoreError if it is not valid."""
    try:
        return stored_again(stored, task)
    except CandidateError as error:
        raise StoreError(
            "The run holds a success measure that does not pass the checks, so it is not run:"
            f" {shown(str(error))} Start a new run."
        ) from error
