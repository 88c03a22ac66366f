"""The command line: `synthesize` and `eureka-agent`.

The commands import what they need when they run, so that `--help` and errors in options are fast.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro
from rich.text import Text

from eureka_agent.cli.authoring import new_task, validate_task
from eureka_agent.cli.export import export
from eureka_agent.cli.guard import guarded, say
from eureka_agent.cli.pages import compare, replay, report, serve
from eureka_agent.cli.presets import Presets, written_out
from eureka_agent.config import BudgetName, SandboxLevel, SynthesisConfig
from eureka_agent.config.limits import check_count, check_seed
from eureka_agent.errors import EurekaError, ProposerError
from eureka_agent.runs.changes import Changes
from eureka_agent.text import escape_control
from eureka_agent.utils.terminal import Terminal

if TYPE_CHECKING:
    from eureka_agent.api.run import Run
    from eureka_agent.jail import Sandbox

_TASK_ADVICE = (
    "A reward is checked for a task: for an instruction of your own, name the task of its scene."
)
_NO_CHANGES = Changes()
_NO_PRESETS = Presets()
_CONVENTIONS = (
    tyro.conf.OmitArgPrefixes,
    tyro.conf.DisallowNone,
    tyro.conf.FlagCreatePairsOff,
)
"""Options are named as their fields, whichever group these are in; None is never typed."""

# Nothing renders, and importing mujoco may start a process to find GL.
os.environ.setdefault("MUJOCO_GL", "disable")


def main(args: Sequence[str] | None = None) -> int:
    """Run `eureka-agent`; return the exit code."""
    commands: dict[str, Callable[..., None]] = {
        "synthesize": synthesize,
        "tasks": tasks,
        "new-task": new_task,
        "validate-task": validate_task,
        "check": check,
        "evaluate": evaluate,
        "resume": resume,
        "runs": runs,
        "show": show,
        "serve": serve,
        "diff": diff,
        "report": report,
        "compare": compare,
        "replay": replay,
        "export": export,
        "doctor": doctor,
    }
    description = (
        "Language models write reward functions for robot learning; simulation evaluates them."
    )

    def parse_and_run(arguments: list[str]) -> None:
        if arguments[:1] == ["synthesize"]:
            arguments = ["synthesize", *written_out(arguments[1:])]
        tyro.extras.subcommand_cli_from_dict(
            commands,
            prog="eureka-agent",
            description=description,
            args=arguments,
            config=_CONVENTIONS,
        )

    return guarded(parse_and_run, args)


def synthesize_main(args: Sequence[str] | None = None) -> int:
    """Run the command `synthesize`; return the exit code."""

    def parse_and_run(arguments: list[str]) -> None:
        tyro.cli(synthesize, prog="synthesize", args=written_out(arguments), config=_CONVENTIONS)

    return guarded(parse_and_run, args)


# ---------------------------------------------------------------------- the commands
def synthesize(
    config: Annotated[SynthesisConfig, tyro.conf.arg(name="")],
    presets: Annotated[Presets, tyro.conf.arg(name="")] = _NO_PRESETS,
) -> None:
    """Search for a reward function for a task. The defaults need neither a key nor a GPU."""
    from eureka_agent.api.run import started
    from eureka_agent.report import make_listener, speed_of

    del presets  # `written_out` has put the options that they stand for before parsing
    console = Terminal()
    if (
        config.search.feedback == "none"
        and config.search.judge == "none"
        and not config.task.has_fitness
        and sys.stdin.isatty()
        and console.is_terminal
    ):
        config = config.replaced(feedback="cli")  # a person has to judge, and one is there
    with make_listener(console, speed_of) as listener, started(config, listener=listener) as run:
        _finish(run)


def resume(
    run: tyro.conf.Positional[str],
    changes: Annotated[Changes, tyro.conf.arg(name="")] = _NO_CHANGES,
    runs_dir: Path = Path("runs"),
    task: str | None = None,
    examples_dir: Path | None = None,
    initial_reward: str | None = None,
    sandbox: SandboxLevel | None = None,
) -> None:
    """Continue a run that was stopped, with new settings if you like.

    Nothing is asked for or trained twice. A run's folder may come from somebody else: if it names a
    remote server, files to read or a weaker sandbox, these are used only if you give them again.

    Args:
        run: The run's folder, its name, or the start of its name.
        changes: New settings of the run.
        runs_dir: Folder that holds the runs.
        task: The path of the run's task, if it is your own: a run's folder alone never starts code.
        examples_dir: The run's folder of examples, if the run has not read it yet.
        initial_reward: The run's initial reward file, if the run has not read it yet.
        sandbox: Which layers of the sandbox must hold; needed if the run was started with fewer
            than full.
    """
    from eureka_agent.api.run import resumed
    from eureka_agent.report import make_listener
    from eureka_agent.runs.directory import RunDir
    from eureka_agent.runs.foreign_run import TrustedSettings

    found = RunDir.find(run, runs_dir)
    again = TrustedSettings(changes.base_url, examples_dir, initial_reward, sandbox)
    with (
        make_listener(Terminal()) as listener,
        resumed(found, task=task, again=again, changes=changes, listener=listener) as opened,
    ):
        _finish(opened)


def show(run: tyro.conf.Positional[str], runs_dir: Path = Path("runs")) -> None:
    """Show a run: its generations, every candidate's fitness or failure, and the best reward.

    Args:
        run: The run's folder, its name, or the start of its name.
        runs_dir: Folder that holds the runs.
    """
    from eureka_agent.report import put, run_view
    from eureka_agent.runs.directory import RunDir
    from eureka_agent.runs.store import Store

    found = RunDir.find(run, runs_dir)
    with Store.open(found.database, writable=False) as store:
        put(Terminal(), run_view(store))


def runs(runs_dir: tyro.conf.Positional[Path] = Path("runs")) -> None:
    """List the runs of a folder: task, state, generations, best fitness, cost and start.

    Args:
        runs_dir: Folder that holds the runs.
    """
    from eureka_agent.report import overview, put, runs_table, whole_line
    from eureka_agent.runs.directory import RunDir

    found = [overview(run) for run in RunDir.all_in(runs_dir)]
    put(Terminal(), runs_table(found) if found else whole_line(f"There are no runs in {runs_dir}."))


def diff(
    run: tyro.conf.Positional[str],
    first: tyro.conf.Positional[str],
    second: tyro.conf.Positional[str | None] = None,
    runs_dir: Path = Path("runs"),
) -> None:
    """Show how the code of two candidates differs, or that of one candidate and its parent.

    Args:
        run: The run's folder, its name, or the start of its name.
        first: A candidate, such as g1c3.
        second: The candidate to compare it with; by default `first` is compared with its parent.
        runs_dir: Folder that holds the runs.
    """
    from rich.syntax import Syntax

    from eureka_agent.report import code_diff
    from eureka_agent.runs.directory import RunDir
    from eureka_agent.runs.store import Store

    with Store.open(RunDir.find(run, runs_dir).database, writable=False) as store:
        text = code_diff(store, first, second)
    console = Terminal()
    if text and console.is_terminal:
        console.print(Syntax(text, "diff", background_color="default"))
    else:
        console.out(escape_control(text).rstrip("\n") or "The code is the same.", highlight=False)


def tasks(task_path: Path | None = None, times: bool = False) -> None:
    """List the tasks.

    Args:
        task_path: Folder with task folders of your own, which are listed as well. Their code is
            run.
        times: Say how long a run of each task takes on this machine; measuring it takes some
            seconds for each.
    """
    from eureka_agent.report import default_run, put, speed_of, tasks_table
    from eureka_agent.tasks.registry import all_tasks, broken_tasks, tasks_in

    found = (*all_tasks(), *(tasks_in(task_path) if task_path is not None else ()))
    speeds: dict[str, float] | None = None
    if times:
        measured = {task.name: speed_of(default_run(task, "quick")) for task in found}
        speeds = {name: speed for name, speed in measured.items() if speed}
    put(Terminal(), tasks_table(found, speeds, broken_tasks()))


def check(reward: tyro.conf.Positional[Path], task: str, sandbox: SandboxLevel = "full") -> None:
    """Check a reward file for a task: allowed code, known names, shapes, finite values, purity.

    Args:
        reward: The file with the reward, in any form that docs/rewards.md names.
        task: The task's name, an alias or its exact description; or the path of a task of your own.
        sandbox: Which layers of the sandbox must hold, see `synthesize --help`.
    """
    from eureka_agent.api.evaluate_reward import check_file, check_static
    from eureka_agent.report import put, whole_line
    from eureka_agent.simulation.task_check import checked_task

    found = checked_task(task, advice=_TASK_ADVICE)
    check_static(reward, found)
    with _open_sandbox(sandbox) as opened:
        components = check_file(reward, found, opened)
    names = ", ".join(components) or "none"
    put(
        Terminal(),
        whole_line(f"{reward} is a valid reward function for {found.name}; components: {names}."),
    )


def evaluate(
    reward: tyro.conf.Positional[Path],
    task: str,
    budget: BudgetName = "normal",
    quick: bool = False,
    seed: int = 0,
    seeds: int = 1,
    policy: Path | None = None,
    sandbox: SandboxLevel = "full",
) -> None:
    """Train with a reward file, and compare its fitness with the human and the sparse reward.

    Args:
        reward: The file with the reward, in any form that docs/rewards.md names.
        task: The task's name, an alias or its exact description; or the path of a task of your own.
        budget: How much training each of the three rewards gets.
        quick: Short for --budget quick.
        seed: Seed of training and evaluation.
        seeds: Training seeds of each reward; means and intervals are over them. With 1
            the intervals are over the episodes of one training.
        policy: Where to write the policy of the reward's best training (safetensors).
        sandbox: Which layers of the sandbox must hold, see `synthesize --help`.
    """
    from eureka_agent.api.evaluate_reward import check_static, compare
    from eureka_agent.report import (
        comparison_length,
        comparison_table,
        make_listener,
        put,
        whole_line,
    )
    from eureka_agent.simulation.task_check import checked_task
    from eureka_agent.training.budgets import budgets_of
    from eureka_agent.utils.paths import check_writable, user_path

    console = Terminal()
    budget = "quick" if quick else budget
    check_seed(seed)
    check_count("seeds", seeds)
    if policy is not None:
        policy = user_path(policy)
        check_writable(policy, "--policy")
    found = checked_task(task, advice=_TASK_ADVICE)
    check_static(reward, found)
    with _open_sandbox(sandbox) as opened, make_listener(console) as listener:

        def started() -> None:
            put(console, *comparison_length(found, budget, seeds))

        comparison = compare(
            reward,
            found,
            budgets_of(found)[budget],
            opened,
            seed=seed,
            seeds=seeds,
            emit=listener,
            started=started,
        )
    put(console, comparison_table(comparison, found, budget))
    if policy is not None:
        comparison.policy.save(policy)
        put(console, whole_line(f"The policy is in {policy}."))


def doctor(python: str | None = None) -> None:
    """Check this installation: versions, the simulator, and every layer of the sandbox.

    Args:
        python: Check another Python instead, for environments in it (`synthesize --python`).
    """
    from eureka_agent.cli.doctor import examine, examine_python
    from eureka_agent.report import doctor_table, put

    findings = examine() if python is None else examine_python(python)
    put(Terminal(), doctor_table(findings))
    broken = [finding for finding in findings if not finding.ok]
    if broken:
        raise SystemExit(1)


# ---------------------------------------------------------------------- helpers
@contextmanager
def _open_sandbox(level: SandboxLevel) -> Iterator[Sandbox]:
    """Open the sandbox, and say so if a layer is missing."""
    from eureka_agent.jail import Sandbox

    with Sandbox(required=level) as sandbox:
        if sandbox.layers.missing:
            say(Text(sandbox.describe()))
        yield sandbox


def _finish(run: Run) -> None:
    """Run until the end; if something stops the run, say how to continue.

    Exits with code 1 if the run found no reward.
    """
    try:
        for _ in run.generations():
            pass
    except (KeyboardInterrupt, EurekaError) as error:
        note = f"All finished work is stored. Continue with: eureka-agent resume {run.dir.path}"
        if isinstance(error, ProposerError):
            note += " (which takes another --model, --base-url and more)"
        error.add_note(note)
        raise
    if run.best is None:
        raise SystemExit(1)
