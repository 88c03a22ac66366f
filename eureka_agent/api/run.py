"""One run from its folder to its result, and `synthesize`, `evolve` and `resume`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Unpack

from eureka_agent.api.evaluate_reward import check_file, check_human_reward, check_static
from eureka_agent.api.preparation import (
    Participants,
    RunOverrides,
    asks_named_models,
    broadcast,
    connect,
    initial_policy_of,
    make_participants,
    opened_judge,
    sandbox_of,
    stored_config,
)
from eureka_agent.api.result import SynthesisResult
from eureka_agent.api.resuming import resumed_config, resumed_task
from eureka_agent.api.reward_function import RewardFunction
from eureka_agent.config import SynthesisConfig
from eureka_agent.jail import Sandbox
from eureka_agent.judges import CodeJudge
from eureka_agent.judges.web import WebJudge
from eureka_agent.prompting.examples import choose_examples
from eureka_agent.proposers.chat import ChatProposer
from eureka_agent.proposers.factory import with_address
from eureka_agent.records import Generation, Outcome
from eureka_agent.report import notebook_listener, run_report, summary
from eureka_agent.report.artifacts import FileWriter
from eureka_agent.report.html.writer import ReportWriter
from eureka_agent.report.progress_file import ProgressFile
from eureka_agent.report.tracking.factory import tracked
from eureka_agent.runs.changes import Changes
from eureka_agent.runs.directory import RunDir, check_run_name, saving
from eureka_agent.runs.foreign_run import TrustedSettings
from eureka_agent.runs.store import Store
from eureka_agent.runs.stored_task import stored_task
from eureka_agent.runs.versions import installed_versions
from eureka_agent.search.evaluator import Evaluator
from eureka_agent.search.events import Listener, RunFinished, RunStarted
from eureka_agent.search.feedback import RunJudge
from eureka_agent.search.initial_policies import INITIAL_POLICY
from eureka_agent.search.loop import Search
from eureka_agent.search.proposals import examples_of
from eureka_agent.simulation.task_check import checked_task
from eureka_agent.tasks.registry import AN_INSTRUCTION
from eureka_agent.tasks.task import Task, TaskLike
from eureka_agent.training import discard
from eureka_agent.training.budgets import training_budget
from eureka_agent.training.policy import Policy
from eureka_agent.utils.arguments import check_names, check_value
from eureka_agent.utils.files import write_file
from eureka_agent.utils.forks import refuse_fork
from eureka_agent.utils.out_of_memory import memory_advice
from eureka_agent.utils.paths import user_path
from eureka_agent.utils.serialization import to_json

_SCENE_ADVICE = (
    "--env takes the name of a task, or the path of its code: the scene for the instruction."
)


class Run:
    """A run that this process works on; made by `started` or `resumed`."""

    def __init__(
        self, run_dir: RunDir, store: Store, task: Task, search: Search, emit: Listener
    ) -> None:
        self.dir = run_dir
        self.task = task
        self._store = store
        self._search = search
        self._emit = emit

    @property
    def best(self) -> Outcome | None:
        """The best candidate so far."""
        return self._search.best

    def generations(self) -> Iterator[Generation]:
        """Yield each generation when it is finished, and write the files for people."""
        config = self._store.config
        num_envs = training_budget(config, self.task).num_envs
        with memory_advice(
            f"lower --num-envs (now {num_envs:,}) or --samples (now {config.search.samples:,})"
        ):
            yield from self._search.run()
        self._store.save_stopped(self._search.stopped)
        discard(self.dir.checkpoint)  # of the last training, which is over
        with saving(self.dir.path):
            figures = summary(run_report(self._store))
            write_file(self.dir.summary, json.dumps(figures, indent=2) + "\n")
        self._store.save_finished()
        self._emit(self._finished())

    def result(self) -> SynthesisResult:
        """Return what was found so far."""
        finished = self._finished()
        source = finished.best.candidate.reward if finished.best else None
        level = self._search.evaluator.sandbox.level
        return SynthesisResult(
            path=self.dir.path,
            task=self.task,
            best=finished.best,
            reward=RewardFunction(self.task, source, sandbox=level) if source else None,
            policy=Policy.load(self.dir.policy) if finished.best else None,
            baselines=finished.baselines,
            outcomes=finished.outcomes,
            expected=finished.expected,
            human_normalised=finished.human_normalised,
        )

    def _finished(self) -> RunFinished:
        report = run_report(self._store)
        return RunFinished(
            path=self.dir.path,
            best=report.result.best,
            baselines=report.result.baselines,
            outcomes=report.outcomes,
            expected=report.result.expected,
            human_normalised=report.result.human_normalised,
            environment_steps=report.effort.environment_steps,
            seconds=report.effort.seconds,
            finals=report.result.final_seeds,
            replaced=report.effort.replaced,
            stopped=report.stopped,
        )


# ---------------------------------------------------------------------- the API
def synthesize(config: SynthesisConfig, **overrides: Unpack[RunOverrides]) -> SynthesisResult:
    """Search for a reward function and return the best one, with its policy.

    Args:
        config: The run's settings.
        **overrides: Objects in place of what the config names:
            `proposer` (a `Proposer`) writes the rewards;
            `judge` (a callable from `FeedbackRequest` to `Feedback`) judges each generation;
            `listener` (a callable) is called with every event of `eureka_agent.search.events`;
            `sandbox` (an open `Sandbox`) runs the rewards and stays open.

    Returns:
        The best reward, its policy, and all candidates.

    Raises:
        UsageError: The settings cannot work; nothing was written.
        ProposerError: The model failed for good; `resume` continues the run.
        SandboxError: The sandbox could not be opened.
        StoreError: The run's folder cannot be written.
        TaskError: The task's code failed.
    """
    with started(config, **overrides) as run:
        for _ in run.generations():
            pass
        return run.result()


def evolve(config: SynthesisConfig, **overrides: Unpack[RunOverrides]) -> Iterator[Generation]:
    """Like `synthesize`, but yield each generation; stop iterating to stop the search.

    Args:
        config: The run's settings.
        **overrides: See `synthesize`.

    Yields:
        Each generation when it is finished.

    Raises:
        EurekaError: See `synthesize`; raised when iteration starts or continues.
    """
    with started(config, **overrides) as run:
        yield from run.generations()


def resume(
    path: Path | str,
    *,
    task: TaskLike | None = None,
    again: TrustedSettings | None = None,
    changes: Changes | None = None,
    **overrides: Unpack[RunOverrides],
) -> SynthesisResult:
    """Continue a run that was stopped at any moment, and return its result.

    Nothing that the run's database holds is asked for or trained again. A complete run returns at
    once.

    Args:
        path: The run's folder.
        task: The run's task, needed if its code lies outside `envs/`: a run's folder may come from
            somebody else and never starts code by itself.
        again: Other settings that are not taken from the folder, such as
            `TrustedSettings(base_url="https://…")`.
        changes: New settings, such as `Changes(model=("gpt-5",))`.
        **overrides: See `synthesize`.

    Returns:
        The best reward, its policy, and all candidates.

    Raises:
        RunDirError: Another process is working on the run.
        StoreError: The run's database is damaged or missing, or cannot be written.
        UsageError: A setting must be given again, or a change cannot work.
        EurekaError: See `synthesize`.
    """
    run_dir = RunDir(user_path(path))
    with resumed(run_dir, task=task, again=again, changes=changes, **overrides) as run:
        for _ in run.generations():
            pass
        return run.result()


@contextmanager
def started(config: SynthesisConfig, **overrides: Unpack[RunOverrides]) -> Iterator[Run]:
    """Start a new run: open its sandbox, then create its folder and its database."""
    check_value("config", config, SynthesisConfig)
    check_names(overrides, RunOverrides.__annotations__, "There is no argument")
    refuse_fork()
    if config.run.run_name is not None:
        check_run_name(config.run.run_name)
    advice = AN_INSTRUCTION if config.task.env is None else _SCENE_ADVICE
    task = checked_task(config.task.scene, folder=config.task.task_path, advice=advice)
    config = stored_config(config, task)
    if asks_named_models(config, overrides):
        config = with_address(config)
    task_record = stored_task(task, training_budget(config, task))
    if config.search.initial_reward == "human":
        _ = task.human_reward  # raises if there is none
    task = config.task.episodes_of(task)
    participants = make_participants(config, task, overrides, choose_examples(config, task))
    initial_policy = initial_policy_of(config, task)
    reward_file = config.search.initial_reward if config.search.initial_reward != "human" else None
    if reward_file is not None:
        check_static(Path(reward_file), task)
    with sandbox_of(config, overrides) as sandbox, opened_judge(participants.judge):
        if task_record.kept != "envs" and task.has_human_source:
            check_human_reward(task, sandbox)
        if reward_file is not None:
            check_file(Path(reward_file), task, sandbox)
        if isinstance(participants.judge, CodeJudge) and config.search.measure is not None:
            participants.judge.read_file(config.search.measure, sandbox, seed=config.search.seed)
        run_dir = RunDir.create(config.run.runs_dir, task.name, config.run.run_name)
        with Store.create(run_dir.database, config) as store:
            store.save_task(task_record)
            _save_scene(store, task)
            if initial_policy is not None:
                store.save_metadata(INITIAL_POLICY, initial_policy)
            with _listening(run_dir, store, task, participants, overrides) as emit:
                yield _run(run_dir, store, task, participants, sandbox, emit, resumed=False)


@contextmanager
def resumed(
    run_dir: RunDir,
    *,
    task: TaskLike | None = None,
    again: TrustedSettings | None = None,
    changes: Changes | None = None,
    **overrides: Unpack[RunOverrides],
) -> Iterator[Run]:
    """Open an existing run to continue it, for the time of a `with` block.

    Args:
        run_dir: The run's folder.
        task: The run's own task, where it must be given again; see `resume`.
        again: Settings of somebody else's run that count only if they are given again.
        changes: Settings that differ from now on.
        overrides: Objects in place of what the config names; see `RunOverrides`.
    """
    check_names(overrides, RunOverrides.__annotations__, "There is no argument")
    refuse_fork()
    with Store.open(run_dir.database) as store:
        again = again or TrustedSettings()
        config = resumed_config(store, changes or Changes(), again, overrides)
        whole_task = resumed_task(store, task)
        own_task = config.task.episodes_of(whole_task)
        examples = examples_of(store, own_task)
        runs_dir = run_dir.path.resolve().parent
        participants = make_participants(config, own_task, overrides, examples, runs_dir)
        with sandbox_of(config, overrides) as sandbox, opened_judge(participants.judge):
            store.save_config(config)
            if store.metadata("task") is None:  # the run was stopped right after it was created
                store.save_task(stored_task(whole_task, training_budget(config, whole_task)))
            _save_scene(store, own_task)
            with _listening(run_dir, store, own_task, participants, overrides) as emit:
                yield _run(run_dir, store, own_task, participants, sandbox, emit, resumed=True)


@contextmanager
def _listening(
    run_dir: RunDir, store: Store, task: Task, participants: Participants, overrides: RunOverrides
) -> Iterator[Listener]:
    """Yield what gets the run's events: its files, its trackers, and the caller's listener."""
    show = overrides.get("listener") or notebook_listener()
    with tracked(participants.trackers, run_dir.curves, show) as track:
        files = FileWriter(run_dir, store, task.reward_inputs)
        pages = (ReportWriter(run_dir, store), ProgressFile(run_dir, store))
        yield broadcast(files, *pages, track, show)


def _save_scene(store: Store, task: Task) -> None:
    """Write what replays show, unless it is written, so that showing them runs no task's code."""
    scene = task.scene() if store.scene() is None else None
    if scene is not None:
        store.save_scene(scene)


def _run(
    run_dir: RunDir,
    store: Store,
    task: Task,
    participants: Participants,
    sandbox: Sandbox,
    emit: Listener,
    *,
    resumed: bool,
) -> Run:
    config, budget = store.config, training_budget(store.config, task)
    proposer = participants.proposer
    if isinstance(proposer, ChatProposer):
        connect(proposer, store, emit)
    if isinstance(participants.judge, RunJudge):
        participants.judge.begin(store, sandbox, emit)
    store.save_metadata("sandbox", to_json(sandbox.layers))
    store.save_versions(installed_versions())
    judge = participants.judge
    needs_terminal = judge is not None and judge.needs_terminal
    page = judge.page(run_dir) if isinstance(judge, WebJudge) else None
    emit(
        RunStarted(
            run_dir.path,
            task,
            config,
            budget,
            participants.description,
            sandbox.layers,
            resumed,
            store.changes,
            needs_terminal,
            page,
        )
    )
    evaluator = Evaluator(
        task,
        budget,
        sandbox,
        seed=config.search.seed,
        threads=config.training.threads,
        device=config.training.device,
        emit=emit,
        trainer=config.training.trainer_name,
        algorithm=config.training.algorithm,
        has_fitness=config.task.has_fitness,
        race=config.race,
        checkpoint=run_dir.checkpoint,
    )
    search = Search(store, proposer, evaluator, emit, judge)
    return Run(run_dir, store, task, search, emit)
