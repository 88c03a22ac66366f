"""The files of a run that people read. The database is the truth; these are written from it."""

from __future__ import annotations

from eureka_agent.events import Event, GenerationFinished, GenerationStarted, Proposed, SentBack, StartMeasured
from eureka_agent.records import Asked, Outcome, candidate_name
from eureka_agent.run_dir import RunDir, saving
from eureka_agent.store import Store


class FileWriter:
    """Writes prompts, completions, the best reward and its policy as they come; an events listener."""

    def __init__(self, run_dir: RunDir, store: Store) -> None:
        self._dir, self._store = run_dir, store

    def __call__(self, event: Event) -> None:
        """Write what the event is about. Raises StoreError."""
        with saving(self._dir.path):
            self._write(event)

    def _write(self, event: Event) -> None:
        match event:
            case GenerationStarted(generation, attempt):
                for asked in self._store.asked(generation):
                    if asked.attempt == attempt:
                        self._write_prompt(asked)
            case SentBack(outcome):
                for asked in self._store.asked(outcome.candidate.generation):
                    if asked.repair and outcome.candidate.index in asked.samples:
                        self._write_prompt(asked)
            case Proposed(generation, completion):
                path = self._dir.completion(candidate_name(generation, completion.index))
                path.write_text(completion.text, "utf-8", errors="replace")
            case StartMeasured(outcome):
                self._write_best(outcome)
            case GenerationFinished(generation) if generation.best is not None:
                self._write_best(generation.best)
            case _:
                pass

    def _write_prompt(self, asked: Asked) -> None:
        path = self._dir.prompt(asked.generation, asked.attempt, asked.plan)
        if asked.repair:
            path = self._dir.repair(candidate_name(asked.generation, asked.samples[0]), asked.repair)
        text = "\n\n".join(f"# {message.role}\n\n{message.content}" for message in asked.messages)
        path.write_text(text + "\n", "utf-8", errors="replace")

    def _write_best(self, best: Outcome) -> None:
        candidate = best.candidate
        policy = self._store.policy(candidate.generation, candidate.index)
        if candidate.reward is not None:
            self._dir.best_reward.write_text(candidate.reward.code, "utf-8")
        if policy is not None:
            self._dir.policy.write_bytes(policy)
