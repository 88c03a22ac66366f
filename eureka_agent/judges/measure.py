"""The success measure of the code judge: written by a model or in a file, checked, accepted."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from eureka_agent.checks import check_source
from eureka_agent.errors import CandidateError, JudgeError, RewardFileError
from eureka_agent.extract.files import load_reward_file
from eureka_agent.extract.reading import read_answer
from eureka_agent.jail import Sandbox
from eureka_agent.jail.contract import check_contract
from eureka_agent.judges.answers import StoredQuestions
from eureka_agent.judges.measured import MEASURED_ROWS, measured
from eureka_agent.prompting.judging import measure_prompt, measure_repair_prompt
from eureka_agent.proposers.base import Proposer
from eureka_agent.records import INITIAL, Completion, RewardSource
from eureka_agent.runs.store import Store
from eureka_agent.simulation.rollouts import random_actions
from eureka_agent.simulation.samples import sample_states
from eureka_agent.tasks.task import Task
from eureka_agent.utils.torch_threads import one_torch_thread

MEASURE = "measure"
"""The function's name in prompts and where it is shown; inside it is a reward function."""
_REPAIRS = 2
"""How often a measure that cannot be used is sent back."""
_LARGEST_STEP = 1.0
_MOST_BY_CHANCE = 0.5
"""What random actions may earn on average."""
_DEFINED = re.compile(rf"\bdef\s+{MEASURE}\s*\(")
_ENTRY = re.compile(r"\bcompute_reward\b")

Accept = Callable[[str], bool]
"""Shows the code of a measure and returns whether it is accepted."""


class MeasureChecks:
    """Checks whether a measure can be used.

    Args:
        task: The task, with the episodes of the run.
        sandbox: Runs the measure.
        seed: Seed of the sample states and of the random actions.
    """

    def __init__(self, task: Task, sandbox: Sandbox, *, seed: int) -> None:
        self._task = task
        self._sandbox = sandbox
        self._seed = seed
        self._samples = sample_states(task, seed=seed)

    def check(self, measure: RewardSource) -> None:
        """Raise CandidateError with one sentence if a measure cannot be used.

        It has to keep the contract of a reward, contribute between -1 and 1 in every step, and not
        be high for random actions already.
        """
        with ExitStack() as opened:
            spec = self._task.reward_inputs
            runner = self._sandbox.open(measure, spec, max_rows=MEASURED_ROWS)
            opened.callback(runner.close)
            check_contract(runner, self._samples)
            largest = float(runner(self._samples).reward.abs().max())
        if largest > _LARGEST_STEP:
            raise CandidateError(
                f"A single step contributes up to {largest:.3g}, but the sum over the episode is"
                " meant to be 1 at most: divide by the number of steps of an episode"
                f" ({self._task.max_episode_steps}), or count progress only."
            )
        self._check_chance(measure)

    def _check_chance(self, measure: RewardSource) -> None:
        acts = [random_actions(self._task, seed=self._seed)]
        with one_torch_thread():
            (scores,) = measured(self._task, measure, self._sandbox, acts, seed=self._seed)
        if scores is None:
            raise CandidateError("It failed on the states that random actions lead to.")
        by_chance = float(scores.mean())
        if by_chance > _MOST_BY_CHANCE:
            raise CandidateError(
                f"Random actions already reach {by_chance:.2f} of 1 on average, so it does not"
                " tell success from chance: count only what was asked, and scale it so that the"
                " sum over an episode is 1 when all of it is done."
            )


def measure_from_file(path: Path, task: Task, checks: MeasureChecks) -> RewardSource:
    """Return the measure in a file. Raises RewardFileError if it cannot be used."""
    measure = load_reward_file(path, task, read=as_reward)
    try:
        checks.check(measure)
    except CandidateError as error:
        raise RewardFileError(f"{path} is not a usable measure: {shown(str(error))}") from error
    return measure


def measure_from_model(
    store: Store, proposer: Proposer, task: Task, instruction: str, checks: MeasureChecks
) -> RewardSource:
    """Return the measure that a model writes; one that cannot be used is sent back twice.

    Answers are stored; a resumed run reads them again and asks for none twice.

    Raises:
        JudgeError: None of the answers holds a usable measure.
        ProposerError: The model failed for good.
        LimitReachedError: The run's limits leave no room for a request.
    """
    prompt = measure_prompt(task, instruction)
    questions = StoredQuestions(
        store, proposer, INITIAL, lambda answer: _problem(answer, task, checks) is None
    )
    for stored in questions.stored().values():
        return _read(stored, task)
    problem: str | None = None
    for attempt in range(1 + _REPAIRS):
        answer = questions.ask({(MEASURE, attempt): prompt})[MEASURE, attempt]
        problem = _problem(answer, task, checks)
        if problem is None:
            return _read(answer, task)
        prompt = measure_repair_prompt(prompt, answer.text, problem)
    raise JudgeError(
        f"{proposer.name} wrote no usable success measure in {1 + _REPAIRS} answers; the last:"
        f" {problem} Ask another --model, or write the measure yourself: --measure FILE."
    )


def as_reward(text: str) -> str:
    """Return a text in which the function `measure` is called `compute_reward`."""
    return _DEFINED.sub("def compute_reward(", text)


def shown(text: str) -> str:
    """Return code or a message about it in which the function is called `measure`."""
    return _ENTRY.sub(MEASURE, text)


def _problem(answer: Completion, task: Task, checks: MeasureChecks) -> str | None:
    """Return why the measure in an answer cannot be used; None if it can."""
    try:
        checks.check(_read(answer, task))
    except CandidateError as error:
        return shown(str(error))
    return None


def _read(answer: Completion, task: Task) -> RewardSource:
    """Return the measure in an answer. Raises CandidateError if it holds none."""
    renamed = Completion(0, as_reward(answer.text), answer.proposer, error=answer.error)
    return read_answer(renamed, task.reward_inputs)


def stored_again(measure: RewardSource, task: Task) -> RewardSource:
    """Return a stored measure after checking it again, since a run may come from somebody else."""
    return check_source(measure.code, task.reward_inputs)
