"""The command line: `synthesize` and `eureka-agent`.

The commands import what they need when they run, so that `--help` and a mistyped option answer at
once.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro
from rich.text import Text

import eureka_agent
from eureka_agent.config import PROTOCOLS, BudgetName, SandboxLevel, SynthesisConfig
from eureka_agent.config.limits import check_seed
from eureka_agent.errors import EurekaError, ProposerError, UsageError
from eureka_agent.runs.changes import Changes
from eureka_agent.text import escape_control
from eureka_agent.utils.terminal import Terminal

if TYPE_CHECKING:
    from eureka_agent.api.run import Run
    from eureka_agent.jail import Sandbox

_FOR_A_TASK = (
    "A reward is checked for a task: for a wish of your own, name the task whose scene it is for."
)
_NO_CHANGES = Changes()

os.environ.setdefault(
    "MUJOCO_GL", "disable"
)  # nothing renders, and importing mujoco may start a process to find GL


def main(args: Sequence[str] | None = None) -> int:
    """Run `eureka-agent`; return the exit code."""
    commands: dict[str, Callable[..., None]] = {
        "synthesize": synthesize,
        "tasks": tasks,
        "check": check,
        "evaluate": evaluate,
        "resume": resume,
        "runs": runs,
        "show": show,
        "diff": diff,
        "export": export,
        "doctor": doctor,
    }
    description = (
        "Language models write reward functions for robot learning; simulation judges them."
    )

    def parse_and_run(arguments: list[str]) -> None:
        tyro.extras.subcommand_cli_from_dict(
            commands, prog="eureka-agent", description=description, args=arguments
        )

    return _guarded(parse_and_run, args)


def synthesize_main(args: Sequence[str] | None = None) -> int:
    """Run `synthesize`, the main command on its own; return the exit code."""
    return _guarded(
        lambda arguments: synthesize(tyro.cli(SynthesisConfig, prog="synthesize", args=arguments)),
        args,
    )


# ---------------------------------------------------------------------- the commands
def synthesize(
    config: Annotated[SynthesisConfig, tyro.conf.OmitArgPrefixes, tyro.conf.arg(name="")],
) -> None:
    """Search a reward function for a task. Defaults run on a laptop, without a key and without a
    GPU."""
    from eureka_agent.api.run import started
    from eureka_agent.report import make_listener, speed_of

    console = Terminal()
    if (
        config.feedback == "none"
        and not config.has_fitness
        and sys.stdin.isatty()
        and console.is_terminal
    ):
        config = replace(config, feedback="cli")  # someone has to judge, and someone is there
    with make_listener(console, speed_of) as listener, started(config, listener=listener) as run:
        _go_on(run)


def resume(
    run: tyro.conf.Positional[str],
    changes: Annotated[Changes, tyro.conf.OmitArgPrefixes, tyro.conf.arg(name="")] = _NO_CHANGES,
    runs_dir: Path = Path("runs"),
    task: str | None = None,
    examples_dir: Path | None = None,
    initial_reward: str | None = None,
    sandbox: SandboxLevel | None = None,
) -> None:
    """Go on with a run that was stopped, with other settings if you like. Nothing is asked or
    trained twice.

    A run's folder may be somebody else's: where it names a server elsewhere, files to read or no
    sandbox, these are used only when they are given again.

    Args:
        run: The run's folder, its name, or the start of its name.
        changes: Settings of the run from now on.
        runs_dir: Folder that holds the runs.
        task: The path of the run's task again, where it is one of your own: a run's folder alone
            never starts code.
        examples_dir: The run's folder of examples, while it has not been read yet.
        start_from: The run's file to start from, while it has not been read yet.
        wall: Which layers of the sandbox must hold, where the run was started with fewer than
            --sandbox full.
    """
    from eureka_agent.api.run import resumed
    from eureka_agent.report import make_listener
    from eureka_agent.runs.directory import RunDir
    from eureka_agent.runs.foreign_run import TrustedSettings

    found = RunDir.find(run, runs_dir)
    again = TrustedSettings(changes.base_url, examples_dir, initial_reward, sandbox)
    with (
        make_listener(Terminal()) as listener,
        resumed(found, task=task, again=again, changes=changes, listener=listener) as going_on,
    ):
        _go_on(going_on)


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
    """List the runs of a folder: task, state, generations done, best fitness, cost, and when each
    was started.

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
    """Show how the code of two candidates differs; of one: what changed from the candidate it was
    built on.

    Args:
        run: The run's folder, its name, or the start of its name.
        first: A candidate, such as g1c3.
        second: The candidate that it is compared with.
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


def export(
    run: tyro.conf.Positional[str],
    out: Path | None = None,
    policies: bool = False,
    example: bool = False,
    runs_dir: Path = Path("runs"),
) -> None:
    """Write a run as one JSON file: config, prompts, answers with costs, candidates with all their
    results.

    Args:
        run: The run's folder, its name, or the start of its name.
        out: Where to write it; without it, to the standard output.
        policies: Whether the trained policies are written, too, as base64.
        example: Write the best reward instead, as a Markdown file for --examples-dir of another
            run.
        runs_dir: Folder that holds the runs.
    """
    from eureka_agent.report import put, whole_line
    from eureka_agent.report.export import best_as_example, export_text, exported
    from eureka_agent.runs.directory import RunDir
    from eureka_agent.runs.store import Store
    from eureka_agent.utils.paths import user_path

    with Store.open(RunDir.find(run, runs_dir).database, writable=False) as store:
        text = (
            best_as_example(store) if example else export_text(exported(store, policies=policies))
        )
    if out is None:
        sys.stdout.write(escape_control(text) if sys.stdout.isatty() else text)
        sys.stdout.flush()
        return
    out = user_path(out)
    try:
        out.write_text(text, "utf-8")
    except OSError as error:
        raise UsageError(
            f"Cannot write to {out} ({error.strerror}): choose another --out."
        ) from error
    put(Terminal(), whole_line(f"The {'example' if example else 'run'} is in {out}."))


def tasks() -> None:
    """List the tasks."""
    from eureka_agent.report import default_run, put, speed_of, tasks_table
    from eureka_agent.tasks.registry import all_tasks, broken_tasks

    found = all_tasks()
    speeds = {task.name: speed_of(default_run(task, "quick")) for task in found}
    known = {name: speed for name, speed in speeds.items() if speed}
    put(Terminal(), tasks_table(found, known, broken_tasks()))


def check(reward: tyro.conf.Positional[Path], task: str, sandbox: SandboxLevel = "full") -> None:
    """Check a reward file against a task: allowed code, known state names, right shapes, finite,
    pure.

    Args:
        reward: The file with the reward, in any form that docs/rewards.md names.
        task: The task's name, an alias or its exact description; or the path of a task of your own.
        wall: Which layers of the sandbox must hold, see `synthesize --help`.
    """
    from eureka_agent.api.evaluate_reward import check_file, check_static
    from eureka_agent.report import put, whole_line
    from eureka_agent.simulation.task_check import checked_task

    found = checked_task(task, advice=_FOR_A_TASK)
    check_static(reward, found)
    with _open_sandbox(sandbox) as opened:
        components = check_file(reward, found, opened)
    names = ", ".join(components) or "none"
    put(
        Terminal(),
        whole_line(f"{reward} is a reward function for {found.name}; components: {names}."),
    )


def evaluate(
    reward: tyro.conf.Positional[Path],
    task: str,
    budget: BudgetName = "normal",
    seed: int = 0,
    policy: Path | None = None,
    sandbox: SandboxLevel = "full",
) -> None:
    """Train a policy with a reward file and report its fitness against the human and the sparse
    reward.

    Args:
        reward: The file with the reward, in any form that docs/rewards.md names.
        task: The task's name, an alias or its exact description; or the path of a task of your own.
        budget: How much training each of the three rewards gets (--quick is short for --budget
            quick).
        seed: Seed of training and evaluation.
        policy: Where to write the trained policy (safetensors).
        wall: Which layers of the sandbox must hold, see `synthesize --help`.
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
    check_seed(seed)
    if policy is not None:
        policy = user_path(policy)
        check_writable(policy, "--policy")
    found = checked_task(task, advice=_FOR_A_TASK)
    check_static(reward, found)
    with _open_sandbox(sandbox) as opened, make_listener(console) as listener:

        def started() -> None:
            put(console, *comparison_length(found, budget))

        comparison = compare(
            reward,
            found,
            budgets_of(found)[budget],
            opened,
            seed=seed,
            emit=listener,
            started=started,
        )
    put(console, comparison_table(comparison, found))
    if policy is not None:
        comparison.policy.save(policy)
        put(console, whole_line(f"The policy is in {policy}."))


def doctor() -> None:
    """Check this installation: versions, the simulator, and every layer of the sandbox, by trying
    to break it."""
    from eureka_agent.cli.doctor import examine
    from eureka_agent.report import doctor_table, put

    findings = examine()
    put(Terminal(), doctor_table(findings))
    broken = [finding for finding in findings if not finding.ok]
    if broken:
        raise SystemExit(1)


# ---------------------------------------------------------------------- around them
def _guarded(run: Callable[[list[str]], None], args: Sequence[str] | None) -> int:
    """Turn errors into one sentence and an exit code; nothing that a user does ends in a
    traceback."""
    main_thread = (
        threading.current_thread() is threading.main_thread()
    )  # the only one that may handle signals
    # SIGTERM is a cluster's way to say Ctrl-C.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler) if main_thread else None
    try:
        arguments = list(sys.argv[1:] if args is None else args)
        if arguments == ["--version"]:
            sys.stdout.write(f"eureka-agent {eureka_agent.__version__}\n")
        else:
            run(_long(arguments))
    except EurekaError as error:
        _say(Text.assemble(("error: ", "bold red"), _words(error)))
        return error.exit_code
    except KeyboardInterrupt as stop:
        _say(Text(f"Stopped. {_words(stop)}".strip()))
        return 130
    except BrokenPipeError:  # the reader of our output has gone (`| head`)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:  # a full disk behind our output, a folder that may not be read
        _say(Text.assemble(("error: ", "bold red"), str(error)))
        return 1
    except Exception as error:  # noqa: BLE001 - a fault of ours; what it quotes may be foreign, or hold a key
        from eureka_agent.extract.reading import trace_of

        _say(Text(trace_of(error)))
        _say(
            Text.assemble(
                ("error: ", "bold red"),
                "This is a fault of eureka_agent; please report the lines above.",
            )
        )
        return 1
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 0 if stop.code is None else 2
    finally:
        if main_thread:
            signal.signal(signal.SIGTERM, before)
    return 0


@contextmanager
def _open_sandbox(level: SandboxLevel) -> Iterator[Sandbox]:
    """Open the wall, and say so when a layer is missing."""
    from eureka_agent.jail import Sandbox

    with Sandbox(required=level) as sandbox:
        if sandbox.layers.missing:
            _say(Text(sandbox.describe()))
        yield sandbox


def _words(error: BaseException) -> str:
    return " ".join([str(error), *getattr(error, "__notes__", ())]).strip()


def _say(text: Text) -> None:
    Terminal(stderr=True, soft_wrap=True).print(text)


def _long(arguments: list[str]) -> list[str]:
    """Spell `--quick` and `--protocol` out."""
    words = [
        part
        for word in arguments
        for part in (("--budget", "quick") if word == "--quick" else (word,))
    ]
    for place, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name == "--protocol" and (equals or place + 1 < len(words)):
            value = value if equals else words[place + 1]
            if value not in PROTOCOLS:
                raise UsageError(
                    f"There is no protocol {value!r}: choose one of {', '.join(PROTOCOLS)}."
                )
            return words[:place] + PROTOCOLS[value].split() + words[place + 1 + (not equals) :]
    return words


def _go_on(run: Run) -> None:
    """Work until the end; whatever stops it, say how to go on. A run that found no reward ends with
    code 1."""
    try:
        for _ in run.generations():
            pass
    except (KeyboardInterrupt, EurekaError) as error:
        note = f"What is done is stored. Go on with: eureka-agent resume {run.dir.path}"
        if isinstance(error, ProposerError):
            note += " (another --model, --base-url and more can be given there)"
        error.add_note(note)
        raise
    if run.best is None:
        raise SystemExit(1)
