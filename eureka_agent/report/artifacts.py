"""The files of a run that people read. The database is the truth; these are written from it."""

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
)
from eureka_agent.tasks.task import StateSpec
from eureka_agent.utils.files import write_file

_ROLE = re.compile(r"^(?=# (?:system|user|assistant)\s*$)", re.MULTILINE)


class FileWriter:
    """Writes prompts, completions, the best reward and its policy as they come; an events
    listener."""

    def __init__(self, run_dir: RunDir, store: Store, spec: StateSpec) -> None:
        """`spec`: what the task's rewards may read; what is written is checked against it once
        more."""
        self._dir, self._store, self._spec = run_dir, store, spec

    def __call__(self, event: Event) -> None:
        """Write what the event is about. Raises StoreError."""
        with saving(self._dir.path):
            self._write(event)

    def _write(self, event: Event) -> None:
        match event:
            case GenerationStarted(generation, attempt):
                for asked in self._store.prompts(generation):
                    if asked.attempt == attempt:
                        self._write_prompt(asked)
            case RepairRequested(outcome):
                for asked in self._store.prompts(outcome.candidate.generation):
                    if asked.repair and outcome.candidate.index in asked.samples:
                        self._write_prompt(asked)
            case CompletionReceived(generation, completion):
                path = self._dir.completion(candidate_name(generation, completion.index))
                write_file(path, _answer(completion))
            case InternalErrorRaised(name, trace):
                write_file(self._dir.fault(name), trace)
            case InitialRewardEvaluated(outcome):
                self._write_best(outcome)
            case GenerationFinished(generation) if generation.best is not None:
                self._write_best(generation.best)
            case _:
                pass

    def _write_prompt(self, asked: PromptRecord) -> None:
        path = self._dir.prompt(asked.generation, asked.attempt, asked.prompt_index)
        if asked.repair:
            path = self._dir.repair(
                candidate_name(asked.generation, asked.samples[0]), asked.repair
            )
        write_file(path, "\n\n".join(map(_part, asked.messages)) + "\n")

    def _write_best(self, best: Outcome) -> None:
        candidate = best.candidate
        policy = self._store.policy(candidate.generation, candidate.index)
        if candidate.reward is not None:
            write_file(self._dir.best_reward, checked_again(candidate.reward, self._spec).code)
        if policy is not None:
            write_file(self._dir.policy, policy)


def _answer(completion: Completion) -> str:
    """Return what an answer's file says."""
    return f"(No answer: {completion.error})\n" if completion.error else completion.text


def _part(message: Message) -> str:
    """Return one message of a prompt; a line of its text that looks like the title of a message is
    escaped."""
    content = _ROLE.sub(r"\\", message.content)
    return f"# {message.role}\n\n{content}"
