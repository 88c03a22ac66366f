"""One run, from its folder to its result; `synthesize`, `evolve` and `resume` are made of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypedDict, Unpack

from eureka_agent.api.evaluate_reward import check_file, check_human_reward, check_static
from eureka_agent.api.resuming import changed_config, task_again
from eureka_agent.api.reward_function import RewardFunction
from eureka_agent.config import SynthesisConfig
from eureka_agent.errors import UsageError
from eureka_agent.jail import Sandbox
from eureka_agent.judges import make_judge
from eureka_agent.prompting.examples import choose_examples
from eureka_agent.prompting.prompt import write_prompt
from eureka_agent.proposers.base import Proposer
from eureka_agent.proposers.chat import ChatProposer
from eureka_agent.proposers.factory import make_proposer, with_address
from eureka_agent.proposers.model import ANSWER_TOKENS, ServerProfile
from eureka_agent.proposers.spending import Usage
from eureka_agent.records import Baseline, Example, Generation, Message, Outcome
from eureka_agent.report import CurveWriter, changed_settings, notebook_listener, summary
from eureka_agent.report.artifacts import FileWriter
from eureka_agent.runs.changes import Changes
from eureka_agent.runs.directory import RunDir, check_run_name, saving
from eureka_agent.runs.foreign_run import TrustedSettings
from eureka_agent.runs.store import Store
from eureka_agent.runs.stored_task import stored_task
from eureka_agent.search.evaluator import Evaluator
from eureka_agent.search.events import Event, Listener, RunFinished, RunStarted
from eureka_agent.search.feedback import Judge
from eureka_agent.search.loop import Search
from eureka_agent.search.proposals import examples_of
from eureka_agent.search.selection import score_of
from eureka_agent.search.statistics import human_normalised
from eureka_agent.search.strategies import LINEAGE
from eureka_agent.simulation.task_check import checked_task
from eureka_agent.tasks.registry import A_WISH, looks_like_path, reference
from eureka_agent.tasks.task import Task, TaskLike
from eureka_agent.training import discard, make_trainer
from eureka_agent.training.budgets import training_budget
from eureka_agent.training.memory_check import refuse_too_large
from eureka_agent.training.policy import Policy
from eureka_agent.utils.arguments import check_names, check_value
from eureka_agent.utils.files import write_file
from eureka_agent.utils.forks import refuse_fork
from eureka_agent.utils.out_of_memory import memory_advice
from eureka_agent.utils.paths import user_path
from eureka_agent.utils.serialization import from_json, to_json

_SCENE = (
    "--env takes the name of a task, or the path of its code: the scene that the wish is put on."
)
_FEEDBACK_BYTES = 12_000
"""An earlier reward with what came of it, and the other candidates' figures, in a prompt: rarely
more."""


@dataclass(frozen=True)
class SynthesisResult:
    """What a run found."""

    path: Path
    """The run's folder."""
    task: Task
    best: Outcome | None
    """The best candidate; None when no candidate could be trained (or a person chose none)."""
    reward: RewardFunction | None
    policy: Policy | None
    baselines: tuple[Baseline, ...]
    outcomes: tuple[Outcome, ...]
    """Every candidate of the run, in order."""
    human_normalised: float | None
    """`(best - sparse) / |human - sparse|` (Eureka, section 4)."""

    def __repr__(self) -> str:
        """Return one short line: the records behind it fill pages."""
        best = (
            f"{self.best.candidate.name} with fitness {self.best.fitness:.4g}"
            if self.best
            else "none"
        )
        return (
            f"SynthesisResult(path={str(self.path)!r}, task={self.task.name!r}, best={best!r}, "
            f"candidates={len(self.outcomes)}, human_normalised={self.human_normalised})"
        )


class Run:
    """A run that this process works on; made by `started` or `resumed`."""

    def __init__(
        self, run_dir: RunDir, store: Store, task: Task, search: Search, emit: Listener
    ) -> None:
        self.dir, self.task = run_dir, task
        self._store, self._search, self._emit = store, search, emit

    @property
    def best(self) -> Outcome | None:
        """The best candidate so far."""
        return self._search.best

    def generations(self) -> Iterator[Generation]:
        """Yield each generation as it finishes; the files for people are written along the way."""
        config, worlds = self._store.config, training_budget(self._store.config, self.task).num_envs
        with memory_advice(
            f"lower --num-envs (now {worlds:,}) or --samples (now {config.samples:,})"
        ):
            yield from self._search.run()
        self._store.save_metadata("stopped", self._search.stopped)
        discard(self.dir.checkpoint)  # of the last training, which is over
        finished = self._finished()
        with saving(self.dir.path):
            figures = summary(finished, self._store.config, self.task)
            write_file(self.dir.summary, json.dumps(figures, indent=2) + "\n")
        self._store.save_finished()
        self._emit(finished)

    def result(self) -> SynthesisResult:
        """Return what was found so far."""
        finished = self._finished()
        reward = finished.best.candidate.reward if finished.best else None
        return SynthesisResult(
            path=self.dir.path,
            task=self.task,
            best=finished.best,
            reward=(
                RewardFunction(self.task, reward, sandbox=self._search.evaluator.sandbox.level)
                if reward
                else None
            ),
            policy=Policy.load(self.dir.policy) if finished.best else None,
            baselines=finished.baselines,
            outcomes=finished.outcomes,
            human_normalised=finished.human_normalised,
        )

    def _finished(self) -> RunFinished:
        outcomes, baselines = tuple(self._store.outcomes()), tuple(self._store.baselines())
        trainings = [
            outcome.training.environment_steps
            for outcome in outcomes
            if outcome.training and not outcome.duplicate_of
        ]
        finals = [
            each
            for final in self._store.finals()
            for each in (final.best, final.human, final.sparse)
        ]
        return RunFinished(
            path=self.dir.path,
            best=self.best,
            baselines=baselines,
            outcomes=outcomes,
            human_normalised=_score(self.best, baselines),
            environment_steps=sum(trainings)
            + sum(baseline.environment_steps for baseline in baselines)
            + sum(training.environment_steps for training in finals if training),
            seconds=self._store.seconds,
            finals=tuple(self._store.finals()),
            replaced=tuple(self._store.replaced()),
            stopped=self._search.stopped,
        )


def _score(best: Outcome | None, baselines: tuple[Baseline, ...]) -> float | None:
    scores = {baseline.name: score_of(baseline.evaluation) for baseline in baselines}
    if best is None or not {"human", "sparse"} <= scores.keys():
        return None
    return human_normalised(best.fitness, scores["human"], scores["sparse"])


class RunOverrides(TypedDict, total=False):
    """What a caller may bring along, beyond the config."""

    proposer: Proposer
    """Instead of the one that the config names."""
    judge: Judge
    """Looks at each generation and says `Feedback`; instead of the one that the config names."""
    listener: Listener
    """Is told what happens: called with every event of `eureka_agent.search.events`. Without one a
    notebook gets lines of text below its cell, and a script nothing."""
    sandbox: Sandbox
    """An open wall can serve many runs; by default each run builds its own (about two seconds)."""


# ---------------------------------------------------------------------- the API
def synthesize(config: SynthesisConfig, **given: Unpack[RunOverrides]) -> SynthesisResult:
    """Search a reward function and return the best one, with its policy.

    `given`: `proposer`, `judge`, `listener`, `sandbox`, see `RunOverrides`. Raises UsageError
    before anything is written when the config cannot work.
    """
    with started(config, **given) as run:
        for _ in run.generations():
            pass
        return run.result()


def evolve(config: SynthesisConfig, **given: Unpack[RunOverrides]) -> Iterator[Generation]:
    """Like `synthesize`, but yield each generation as it finishes; stop iterating to stop the
    search."""
    with started(config, **given) as run:
        yield from run.generations()


def resume(
    path: Path | str,
    *,
    task: TaskLike | None = None,
    again: TrustedSettings | None = None,
    changes: Changes | None = None,
    **given: Unpack[RunOverrides],
) -> SynthesisResult:
    """Go on with a run that was stopped, at whatever moment, and return its result.

    Nothing that the run's database holds is asked or trained again. A run that is complete returns
    at once. With `changes=Changes(model="gpt-5")` it goes on with other settings.

    A run's folder may be somebody else's. `task`: the run's task again, where its code lies outside
    `envs/`: a run's folder alone never starts code. `again`: what else is not taken from the
    folder, such as `TrustedSettings(base_url="https://…")`.
    """
    with resumed(RunDir(user_path(path)), task=task, again=again, changes=changes, **given) as run:
        for _ in run.generations():
            pass
        return run.result()


@contextmanager
def started(config: SynthesisConfig, **given: Unpack[RunOverrides]) -> Iterator[Run]:
    """Make a new run: its wall, then its folder and its database."""
    check_value("config", config, SynthesisConfig)
    check_names(given, RunOverrides.__annotations__, "There is no argument")
    refuse_fork()
    if config.run_name is not None:
        check_run_name(config.run_name)
    task = checked_task(config.env or config.task, advice=A_WISH if config.env is None else _SCENE)
    config = _storable(config, task)
    if "proposer" not in given:
        config = with_address(config)
    facts = stored_task(task, training_budget(config, task))
    if config.initial_reward == "human":
        _ = task.human_reward  # there may be none
    task = config.episodes_of(task)
    chosen, judge = _prepared(config, task, given, choose_examples(config, task))
    given_file = config.initial_reward if config.initial_reward != "human" else None
    if given_file is not None:
        check_static(Path(given_file), task)
    with _sandbox(config, given) as sandbox:
        if facts.kept != "envs" and task.has_human_reward:
            check_human_reward(task, sandbox)
        if given_file is not None:
            check_file(Path(given_file), task, sandbox)
        run_dir = RunDir.create(config.runs_dir, task.name, config.run_name)
        with Store.create(run_dir.database, config) as store:
            store.save_task(facts)
            yield _run(
                run_dir, store, task, chosen, sandbox, given.get("listener"), judge, resumed=False
            )


@contextmanager
def resumed(
    run_dir: RunDir,
    *,
    task: TaskLike | None = None,
    again: TrustedSettings | None = None,
    changes: Changes | None = None,
    **given: Unpack[RunOverrides],
) -> Iterator[Run]:
    """Open an existing run to go on with it; `task`, `again` and `changes`: see `resume`."""
    check_names(given, RunOverrides.__annotations__, "There is no argument")
    refuse_fork()
    with Store.open(run_dir.database) as store:
        config = changed_config(store, changes or Changes(), again or TrustedSettings(), given)
        of_run = config.episodes_of(task_again(store, task))
        chosen, judge = _prepared(config, of_run, given, examples_of(store, of_run))
        with _sandbox(config, given) as sandbox:
            store.save_config(config)
            yield _run(
                run_dir, store, of_run, chosen, sandbox, given.get("listener"), judge, resumed=True
            )


def _storable(config: SynthesisConfig, task: Task) -> SynthesisConfig:
    """Return the config as the run keeps it: a path is whole, and an object is the path or the name
    of its task."""
    given = config.env or config.task
    if isinstance(given, str) and not looks_like_path(given):
        return config
    kept = reference(task)
    return replace(config, task=kept) if config.env is None else replace(config, env=kept)


def _prepared(
    config: SynthesisConfig, task: Task, given: RunOverrides, examples: Sequence[Example]
) -> tuple[tuple[Proposer, str], Judge | None]:
    """Find the proposer and the judge, and refuse what cannot work while nothing is written yet."""
    make_trainer(
        config.trainer, algorithm=config.algorithm, device=config.device
    )  # its package may be missing
    refuse_too_large(config, task)
    judge = given.get("judge") or make_judge(config)
    if (proposer := given.get("proposer")) is None:
        proposer, announcement = make_proposer(task, config)
    elif config.max_tokens is not None or config.max_cost_usd is not None:
        raise UsageError(
            "max_tokens and max_cost_usd limit the models that the config names; a proposer of your"
            " own gets its own limits: chat_proposer(..., spending=Spending(max_cost_usd=...))."
        )
    else:
        announcement = f"The proposer {proposer.name!r} proposes the rewards."
    if isinstance(proposer, ChatProposer):
        announcement += f" {_expense(config, task, proposer, examples)}"
    return (proposer, announcement), judge


def _expense(
    config: SynthesisConfig, task: Task, proposer: ChatProposer, examples: Sequence[Example]
) -> str:
    """Return what the models take at most, in one sentence. Raises UsageError when not even one
    request fits in."""
    first = write_prompt(task, config.instruction(task), 0, (), (), examples=examples)
    worst, spending = proposer.worst_case(first.messages), proposer.spending
    if limit := spending.exceeded_by(worst):
        raise UsageError(
            f"{limit} is less than the first request alone may take ({worst}): raise it, or let"
            " answers be shorter (--answer-tokens)."
        )
    # A prompt with parents holds these, and what came of them, besides.
    parents = LINEAGE if config.vary_instructions else 1
    later = proposer.worst_case((*first.messages, Message("user", "x" * _FEEDBACK_BYTES * parents)))
    first_ones = 0 if config.initial_reward else config.samples
    total = worst.times(first_ones) + later.times(config.samples * config.generations - first_ones)
    models = proposer.models.values()
    unpriced = " of unknown price" if any(model.price is None for model in models) else ""
    longest = max(model.answer_tokens or ANSWER_TOKENS for model in models)
    return (
        f"At most {total}{unpriced}, if no answer is longer than {longest:,} tokens and none is"
        " asked for again."
    )


def _sandbox(config: SynthesisConfig, given: RunOverrides) -> AbstractContextManager[Sandbox]:
    """The caller's wall stays open; one of our own is closed with the run."""
    sandbox = given.get("sandbox")
    return nullcontext(sandbox) if sandbox is not None else Sandbox(required=config.sandbox)


def _run(
    run_dir: RunDir,
    store: Store,
    task: Task,
    chosen: tuple[Proposer, str],
    sandbox: Sandbox,
    listener: Listener | None,
    judge: Judge | None,
    *,
    resumed: bool,
) -> Run:
    config, budget = store.config, training_budget(store.config, task)
    proposer, announcement = chosen
    listeners: list[Listener] = [
        FileWriter(run_dir, store, task.reward_inputs),
        CurveWriter(run_dir.curves),
    ]
    listener = listener or notebook_listener()
    if listener is not None:
        listeners.append(listener)

    def emit(event: Event) -> None:
        for each in listeners:
            each(event)

    if isinstance(proposer, ChatProposer):
        proposer.emit = emit
        spent, habits = store.metadata("spending"), store.metadata("habits")
        proposer.apply_profiles(from_json(dict[str, ServerProfile], habits) if habits else {})
        proposer.save_profiles = lambda known: store.save_metadata(
            "habits", to_json(known, dict[str, ServerProfile])
        )
        proposer.spending.resume_from(
            from_json(Usage, spent) if spent else Usage(),
            lambda committed: store.save_metadata("spending", to_json(committed)),
        )
    if resumed and store.changes:
        announcement += f" Changed since the start: {', '.join(changed_settings(store.changes))}."
    store.save_metadata("sandbox", sandbox.describe())
    emit(RunStarted(run_dir.path, task, config, budget, announcement, sandbox.describe(), resumed))
    evaluator = Evaluator(
        task,
        budget,
        sandbox,
        seed=config.seed,
        threads=config.threads,
        device=config.device,
        emit=emit,
        trainer=make_trainer(config.trainer, algorithm=config.algorithm, device=config.device),
        race=config.race,
        checkpoint=run_dir.checkpoint,
    )
    return Run(run_dir, store, task, Search(store, proposer, evaluator, emit, judge), emit)
