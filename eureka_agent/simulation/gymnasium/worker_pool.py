"""Worker processes that step the environments of one batch together."""

from __future__ import annotations

import json
import mmap
import os
import signal
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe
from typing import TypeAlias

from eureka_agent.errors import SimulationError, TaskError
from eureka_agent.simulation.gymnasium.arrays import Arrays
from eureka_agent.simulation.gymnasium.foreign import foreign_command
from eureka_agent.simulation.gymnasium.recipe import Recipe
from eureka_agent.simulation.gymnasium.worker import DONE, RESET, STEP, Work
from eureka_agent.utils.forks import begin_work

_BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]);"
    " from eureka_agent.simulation.gymnasium.worker import main;"
    " main(int(sys.argv[2]), int(sys.argv[3]))"
)
"""A worker finds modules where this process does. The user's own program is not run again in it,
unlike with multiprocessing."""
_WORKER = "eureka_agent.simulation.gymnasium.worker"
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
_END_S = 2.0
"""How long a worker may take to end by itself."""
_Process: TypeAlias = "subprocess.Popen[bytes]"


@dataclass(frozen=True)
class _Worker:
    process: _Process
    channel: Connection[Work, bytes]


class WorkerPool:
    """Processes that own the environments of a batch; worker `w` of `W` has the rows `w::W`.

    So every candidate's slice is spread over all workers, also after others were dropped.
    """

    def __init__(self, recipe: Recipe, num_envs: int, action_size: int, workers: int) -> None:
        """Start the processes and make the environments.

        Raises:
            TaskError: An environment fails.
            SimulationError: A process ends.
        """
        begin_work()
        layout = Arrays.layout(num_envs, action_size, recipe.size)
        memory = _anonymous_file(Arrays.bytes_of(layout))
        self._workers: list[_Worker] = []
        self._close = weakref.finalize(self, _end, self._workers)
        try:
            self._buffer = mmap.mmap(memory, Arrays.bytes_of(layout))
            self.arrays = Arrays.over(self._buffer, layout)
            self.arrays.active[:] = True
            for worker in range(workers):
                self._workers.append(_started(memory, recipe.python))
                rows = range(worker, num_envs, workers)
                self._send(self._workers[-1], Work(recipe, rows, layout))
            self._wait()
        except BaseException:
            self.close()
            raise
        finally:
            os.close(memory)

    def step(self) -> None:
        """See `Slots.step`. Raises as the constructor does."""
        self._do(STEP)

    def reset(self) -> None:
        """See `Slots.reset`. Raises as the constructor does."""
        self._do(RESET)

    def close(self) -> None:
        """End all processes; a second call does nothing."""
        self._close()

    @property
    def pids(self) -> Sequence[int]:
        """The ids of the processes."""
        return [worker.process.pid for worker in self._workers]

    def _do(self, message: bytes) -> None:
        try:
            for worker in self._workers:
                self._send(worker, message)
            self._wait()
        except BaseException:  # after Ctrl-C the next step would read this one's answers
            self.close()
            raise

    def _send(self, worker: _Worker, message: bytes | Work) -> None:
        try:
            if isinstance(message, bytes):
                worker.channel.send_bytes(message)
            else:
                worker.channel.send(message)
        except OSError as error:
            raise self._died(worker) from error

    def _wait(self) -> None:
        for worker in self._workers:
            try:
                answer = worker.channel.recv_bytes()
            except (EOFError, OSError) as error:
                raise self._died(worker) from error
            if answer != DONE:
                raise TaskError(answer.decode(errors="replace"))

    def _died(self, worker: _Worker) -> SimulationError:
        try:
            code = worker.process.wait(_END_S)
        except subprocess.TimeoutExpired:
            return SimulationError("A process that steps environments does not answer.")
        if code >= 0:
            return SimulationError(
                f"A process that steps environments ended with exit code {code}: the environment's"
                " code, or a library that it uses, ended it."
            )
        return SimulationError(
            f"A process that steps environments was killed ({signal.Signals(-code).name}), most"
            " likely because the machine ran out of memory: lower --num-envs or --samples."
        )


def _started(memory: int, python: str | None) -> _Worker:
    ours, theirs = Pipe()
    with theirs:
        descriptors = (theirs.fileno(), memory)
        command = [sys.executable, "-c", _BOOT, json.dumps(sys.path), *map(str, descriptors)]
        if python is not None:
            command = foreign_command(python, _WORKER, *descriptors)
        process = subprocess.Popen(
            command,
            env={**os.environ, **_ONE_THREAD},
            pass_fds=descriptors,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is this process's concern
        )
    return _Worker(process, ours)


def _end(workers: list[_Worker]) -> None:
    """Close all channels, by which the workers end, and reap them."""
    for worker in workers:
        worker.channel.close()
    for worker in workers:
        try:
            worker.process.wait(_END_S)
        except subprocess.TimeoutExpired:
            worker.process.kill()
            worker.process.wait()


def _anonymous_file(size: int) -> int:
    """Return the descriptor of memory that other processes can map."""
    if hasattr(os, "memfd_create"):
        memory = os.memfd_create("environments")
    else:  # macOS
        with tempfile.TemporaryFile() as file:
            memory = os.dup(file.fileno())
    os.ftruncate(memory, size)
    return memory
