"""Runs one training job in this process: `python -m eureka_agent.executors.worker JOB.json`.

Results go into the folder of the job's file, progress to standard output, one JSON object a line.
The exit code is 0, or that of the error. It imports torch, numpy, safetensors and the job's
simulator, scipy in a race; no language model's client and nothing that shows anything.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from eureka_agent.errors import EurekaError, UsageError
from eureka_agent.executors.files import Message, message_line, read_job, write_results
from eureka_agent.training.job import run_job
from eureka_agent.training.results import Progress


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the job whose path is the only argument; return the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if len(given) != 1:
            raise UsageError(
                "Give the path of one job: python -m eureka_agent.executors.worker JOB.json"
            )
        _run(Path(given[0]))
    except EurekaError as error:
        _emit(Message(error=type(error).__name__, message=str(error)))
        return error.exit_code
    return 0


def _run(path: Path) -> None:
    try:
        job = read_job(path)
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} is not a training job: {error}.") from error
    write_results(path.parent, run_job(job, _emit_progress))


def _emit_progress(progress: Progress) -> None:
    _emit(Message(progress=progress))


def _emit(message: Message) -> None:
    sys.stdout.write(message_line(message) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
