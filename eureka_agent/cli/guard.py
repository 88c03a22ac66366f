"""Around every command: errors as one sentence with an exit code."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence

from rich.text import Text

import eureka_agent
from eureka_agent.errors import EurekaError
from eureka_agent.utils.terminal import Terminal


def guarded(run: Callable[[list[str]], None], args: Sequence[str] | None) -> int:
    """Run a command; turn errors into one sentence and an exit code.

    No user error ends in a traceback.
    """
    # Only the main thread may handle signals.
    main_thread = threading.current_thread() is threading.main_thread()
    # A cluster sends SIGTERM to stop a job: treat it like Ctrl-C.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler) if main_thread else None
    try:
        arguments = list(sys.argv[1:] if args is None else args)
        if arguments == ["--version"]:
            sys.stdout.write(f"eureka-agent {eureka_agent.__version__}\n")
        else:
            run(arguments)
    except EurekaError as error:
        say(Text.assemble(("error: ", "bold red"), _with_notes(error)))
        return error.exit_code
    except KeyboardInterrupt as stop:
        say(Text(f"Stopped. {_with_notes(stop)}".strip()))
        return 130
    except BrokenPipeError:  # the reader of the output has gone (`| head`)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:  # a full disk behind the output, an unreadable folder
        say(Text.assemble(("error: ", "bold red"), str(error)))
        return 1
    except Exception as error:  # noqa: BLE001 - an internal error; it may quote foreign text or a key
        # This imports torch, and `--help` must start without it.
        from eureka_agent.extract.reading import trace_of  # noqa: PLC0415

        say(Text(trace_of(error)))
        say(
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


def _with_notes(error: BaseException) -> str:
    return " ".join([str(error), *getattr(error, "__notes__", ())]).strip()


def say(text: Text) -> None:
    """Print a text to the standard error."""
    Terminal(stderr=True, soft_wrap=True).print(text)
