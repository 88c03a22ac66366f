"""The files of a run that people read, written from the database, which is authoritative."""

from __future__ import annotations

import re

from eureka_agent.extract.reading import checked_again
from eureka_agent.records import Completion, Message, Outcome, PromptRecord, candidate_name
from eureka_agent.runs.directory import RunDir, saving
from eureka_agent.runs.store import Store
from eureka_agent.search.events import (
    CompletionReceived,
    Event,
    GenerationFinished,
    GenerationStarted,
    InitialRewardEvaluated,
    InternalErrorRaised,
    RepairRequested,
    RunStarted,
)
from eureka_agent.tasks.task import StateSpec
from eureka_agent.utils.files import write_file

_ROLE = re.compile(r"^(?=# (?:system|user|assistant)\s*$)", re.MULTILINE)


class FileWriter:
    """A listener that writes prompts, completions, the measure, the best reward, its policy."""

    def __init__(self, run_dir: RunDir, store: Store, spec: StateSpec) -> None:
        """`spec`: what the task's rewards may read; the best reward is checked against it again."""
        self._dir = run_dir
        self._store = store
        self._spec = spec

    def __call__(self, event: Event) -> None:
        """Write the event's files. Raises StoreError."""
        with saving(self._dir.path):
            self._write(event)

    def _write(self, event: Event) -> None:
        match event:
            case GenerationStarted(generation, attempt):
                for record in self._store.prompts(generation):
                    if record.attempt == attempt:
                        self._write_prompt(record)
            case RepairRequested(outcome):
                for record in self._store.prompts(outcome.candidate.generation):
                    if record.repair and outcome.candidate.index in record.samples:
                        self._write_prompt(record)
            case CompletionReceived(generation, completion):
                path = self._dir.completion(candidate_name(generation, completion.index))
                write_file(path, _answer(completion))
            case RunStarted():
                self._write_measure()
            case InternalErrorRaised(name, trace):
                write_file(self._dir.fault(name), trace)
            case InitialRewardEvaluated(outcome):
                self._write_best(outcome)
            case GenerationFinished(generation) if generation.best is not None:
                self._write_best(generation.best)
            case _:
                pass

    def _write_prompt(self, record: PromptRecord) -> None:
        path = self._dir.prompt(record.generation, record.attempt, record.prompt_index)
        if record.repair:
            path = self._dir.repair(
                candidate_name(record.generation, record.samples[0]), record.repair
            )
        write_file(path, "\n\n".join(map(_part, record.messages)) + "\n")

    def _write_measure(self) -> None:
        measure = self._store.measure
        if measure is not None:
            write_file(self._dir.measure, checked_again(measure, self._spec).code)

    def _write_best(self, best: Outcome) -> None:
        candidate = best.candidate
        policy = self._store.policy(candidate.generation, candidate.index)
        if candidate.reward is not None:
            write_file(self._dir.best_reward, checked_again(candidate.reward, self._spec).code)
        if policy is not None:
            write_file(self._dir.policy, policy)


def _answer(completion: Completion) -> str:
    """Return the text of a completion's file."""
    return f"(No answer: {completion.error})\n" if completion.error else completion.text


def _part(message: Message) -> str:
    """Return one message of a prompt; a line that looks like a message's title is escaped."""
    content = _ROLE.sub(r"\\", message.content)
    return f"# {message.role}\n\n{content}"
