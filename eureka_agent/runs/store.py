"""A run's database: one SQLite file, committed after every step.

What cost money (completions) or time (trainings) is written as soon as it exists, so a run can be
killed at any time and resumed. Records are JSON, checked when they are read; policies are
safetensors bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from eureka_agent.config import SynthesisConfig
from eureka_agent.errors import StoreError
from eureka_agent.records import (
    Baseline,
    Candidate,
    Completion,
    Example,
    Outcome,
    PromptRecord,
    ReevaluationSeed,
    SettingChange,
    candidate_name,
)
from eureka_agent.runs.changes import differences
from eureka_agent.runs.database import now
from eureka_agent.runs.judge_records import JudgeDatabase
from eureka_agent.runs.replays import ReplayDatabase
from eureka_agent.runs.stored_task import StoredTask
from eureka_agent.utils.serialization import from_json, to_json

_NONE: Mapping[str, bytes | None] = {}


class Store(JudgeDatabase, ReplayDatabase):
    """The database of one run; a context manager. Open it with `create` or `open`.

    Every property and method that reads raises StoreError if the database cannot be read or holds a
    damaged record. Every `save_*` method writes all or nothing, and raises StoreError if it cannot.
    """

    # ------------------------------------------------------------------ the run
    @property
    def config(self) -> SynthesisConfig:
        """The config that the run was started with, including later changes."""
        return from_json(SynthesisConfig, self.metadata("config") or "")

    @property
    def task(self) -> StoredTask:
        """What the run stores of its task. Reading it runs no code of a task outside `envs/`."""
        stored = self.metadata("task")
        if stored is None:
            raise StoreError(
                f"The run {self.path.parent} was stopped before its task was written: resume it, or"
                " remove it and start a new run."
            )
        return from_json(StoredTask, stored)

    def save_task(self, task: StoredTask) -> None:
        """Write what is stored of the task. Raises StoreError."""
        self.save_metadata("task", to_json(task))

    @property
    def changes(self) -> tuple[SettingChange, ...]:
        """The settings that resumes changed, oldest first."""
        stored = self.metadata("changes")
        return from_json(tuple[SettingChange, ...], stored) if stored else ()

    def save_config(self, config: SynthesisConfig) -> tuple[SettingChange, ...]:
        """Write a changed config and its differences; a finished run may then continue.

        Args:
            config: The new config.

        Returns:
            The settings that differ from the stored config.

        Raises:
            StoreError: The database cannot be written.
        """
        changes = differences(self.config, config, now())
        if changes:
            with self._transaction("write changed settings"):
                self._save_metadata("config", to_json(config))
                self._save_metadata(
                    "changes", to_json((*self.changes, *changes), tuple[SettingChange, ...])
                )
                self._db.execute("DELETE FROM meta WHERE key IN ('finished', 'stopped', 'habits')")
        return changes

    @property
    def finished(self) -> bool:
        """Whether the search is complete."""
        return self.metadata("finished") is not None

    def save_finished(self) -> None:
        """Write the time at which the search was complete, once. Raises StoreError."""
        if self.metadata("finished") is None:
            self.save_metadata("finished", now())

    @property
    def stopped(self) -> str | None:
        """Which limit ended the search early, in one sentence; None if none did so far."""
        return self.metadata("stopped")

    def save_stopped(self, limit: str | None) -> None:
        """Write which limit ended the search; None removes an earlier one. Raises StoreError."""
        if limit is None:
            self.remove_metadata("stopped")
        else:
            self.save_metadata("stopped", limit)

    @property
    def versions(self) -> dict[str, str]:
        """Versions of Python and packages at the last start, by name; empty before the first."""
        stored = self.metadata("versions")
        return from_json(dict[str, str], stored) if stored else {}

    def save_versions(self, versions: dict[str, str]) -> None:
        """Write the versions that the run works with. Raises StoreError."""
        self.save_metadata("versions", to_json(versions, dict[str, str]))

    @property
    def examples(self) -> tuple[Example, ...]:
        """The examples that the prompts show; empty until they are chosen."""
        stored = self.metadata("examples")
        return from_json(tuple[Example, ...], stored) if stored else ()

    def save_examples(self, examples: tuple[Example, ...]) -> None:
        """Write the examples, so that a resumed run shows the same ones. Raises StoreError."""
        self.save_metadata("examples", to_json(examples, tuple[Example, ...]))

    # ------------------------------------------------------------------ the records
    def prompts(self, generation: int | None = None) -> list[PromptRecord]:
        """Return the prompts of a generation, or of all, in order."""
        where, args = ("", ()) if generation is None else (" WHERE generation = ?", (generation,))
        rows = self._rows(
            f"SELECT record FROM prompts{where} ORDER BY generation, attempt, plan", *args
        )
        return [from_json(PromptRecord, record) for (record,) in rows]

    def save_prompt(self, prompt: PromptRecord) -> None:
        """Write a prompt, before it is sent. Raises StoreError."""
        with self._transaction("write a prompt"):
            row = (prompt.generation, prompt.attempt, prompt.prompt_index, to_json(prompt))
            self._db.execute("INSERT INTO prompts VALUES (?, ?, ?, ?)", row)

    def completions(self, generation: int) -> dict[int, Completion]:
        """Return a generation's completions by sample index."""
        rows = self._rows(
            "SELECT sample, record FROM completions WHERE generation = ? ORDER BY sample",
            generation,
        )
        return {int(sample): from_json(Completion, record) for sample, record in rows}

    def answers(self) -> dict[str, Completion]:
        """Return the completion of every candidate by its name, in order."""
        rows = self._rows(
            "SELECT generation, sample, record FROM completions ORDER BY generation, sample"
        )
        return {
            candidate_name(int(g), int(sample)): from_json(Completion, record)
            for g, sample, record in rows
        }

    def save_completion(self, generation: int, completion: Completion) -> None:
        """Write a completion; an earlier one of the same sample moves to `replaced`.

        Args:
            generation: The generation's index.
            completion: The completion, with its sample index.

        Raises:
            StoreError: The database cannot be written.
        """
        with self._transaction("write a completion"):
            row = (generation, completion.index, to_json(completion))
            before = "SELECT * FROM completions WHERE generation = ? AND sample = ?"
            self._db.execute(f"INSERT INTO replaced {before}", row[:2])
            self._db.execute("INSERT OR REPLACE INTO completions VALUES (?, ?, ?)", row)

    def replaced(self, generation: int | None = None) -> list[Completion]:
        """Return the completions, of one generation or all, that others have replaced.

        They failed and were sent back, or all completions of their generation were empty.
        """
        where, args = ("", ()) if generation is None else (" WHERE generation = ?", (generation,))
        rows = self._rows(f"SELECT record FROM replaced{where} ORDER BY rowid", *args)
        return [from_json(Completion, record) for (record,) in rows]

    def checks(self) -> dict[str, Candidate]:
        """Return the candidates that passed the checks by name, trained or not."""
        rows = self._rows("SELECT record FROM checks ORDER BY generation, sample")
        candidates = [from_json(Candidate, record) for (record,) in rows]
        return {candidate.name: candidate for candidate in candidates}

    def save_check(self, candidate: Candidate) -> None:
        """Write a candidate that passed the checks; a failure is an outcome. Raises StoreError."""
        with self._transaction("write a check"):
            row = (candidate.generation, candidate.index, to_json(candidate))
            self._db.execute("INSERT OR REPLACE INTO checks VALUES (?, ?, ?)", row)

    def outcomes(self, generation: int | None = None) -> list[Outcome]:
        """Return the outcomes of a generation, or of all, in order."""
        where, args = ("", ()) if generation is None else (" WHERE generation = ?", (generation,))
        rows = self._rows(f"SELECT record FROM outcomes{where} ORDER BY generation, sample", *args)
        return [from_json(Outcome, record) for (record,) in rows]

    def outcomes_until(self, generation: int) -> list[Outcome]:
        """Return the outcomes up to a generation: a resumed run may hold later ones already."""
        return [each for each in self.outcomes() if each.candidate.generation <= generation]

    def save_outcomes(
        self,
        outcomes: Sequence[tuple[Outcome, bytes | None]],
        *,
        replays: Mapping[str, bytes | None] = _NONE,
        seconds: float = 0.0,
    ) -> None:
        """Write outcomes with their policies and replays, all or none.

        Args:
            outcomes: Each outcome with its policy as bytes, or None.
            replays: The candidates' replays by name.
            seconds: Time spent on training and evaluation.

        Raises:
            StoreError: The database cannot be written.
        """
        with self._transaction("write outcomes"):
            for outcome, policy in outcomes:
                row = (
                    outcome.candidate.generation,
                    outcome.candidate.index,
                    to_json(outcome),
                    policy,
                )
                self._db.execute("INSERT INTO outcomes VALUES (?, ?, ?, ?)", row)
            self._save_replays(replays)
            self._add_seconds(seconds)

    def save_seed(
        self,
        outcomes: Sequence[tuple[Outcome, bytes | None]],
        baselines: Sequence[Baseline],
        *,
        replays: Mapping[str, bytes | None] = _NONE,
        seconds: float = 0.0,
    ) -> None:
        """Replace outcomes and baselines that were trained with a further seed, all or none.

        Args:
            outcomes: Each outcome with its new policy, or None to keep the policy that it has.
            baselines: The baselines.
            replays: New replays by name; the others are kept.
            seconds: Time spent on training and evaluation.

        Raises:
            StoreError: The database cannot be written.
        """
        with self._transaction("write trainings with another seed"):
            for outcome, policy in outcomes:
                key = (outcome.candidate.generation, outcome.candidate.index)
                self._db.execute(
                    "UPDATE outcomes SET record = ?, policy = coalesce(?, policy)"
                    " WHERE generation = ? AND sample = ?",
                    (to_json(outcome), policy, *key),
                )
            for baseline in baselines:
                row = (to_json(baseline), baseline.name)
                self._db.execute("UPDATE baselines SET record = ? WHERE name = ?", row)
            self._save_replays(replays)
            self._add_seconds(seconds)

    def policy(self, generation: int, sample: int) -> bytes | None:
        """Return a candidate's policy.

        Args:
            generation: The candidate's generation.
            sample: Its sample index.

        Returns:
            The bytes of a safetensors file, or None if the candidate has no policy.

        Raises:
            StoreError: The stored value is not bytes, or cannot be read.
        """
        rows = self._rows(
            "SELECT policy FROM outcomes WHERE generation = ? AND sample = ?", generation, sample
        )
        if not rows or rows[0][0] is None:
            return None
        if not isinstance(rows[0][0], bytes):
            raise StoreError(f"The run holds a damaged policy of g{generation}c{sample}.")
        return rows[0][0]

    def baselines(self) -> list[Baseline]:
        """Return the measured baselines."""
        return [
            from_json(Baseline, record)
            for (record,) in self._rows("SELECT record FROM baselines ORDER BY rowid")
        ]

    def save_baselines(
        self,
        baselines: Sequence[Baseline],
        *,
        replays: Mapping[str, bytes | None] = _NONE,
        seconds: float = 0.0,
    ) -> None:
        """Write the baselines, all or none.

        Args:
            baselines: The results.
            replays: Their replays by name.
            seconds: Time spent on training and evaluation.

        Raises:
            StoreError: The database cannot be written.
        """
        with self._transaction("write the baselines"):
            for baseline in baselines:
                self._db.execute(
                    "INSERT INTO baselines VALUES (?, ?)", (baseline.name, to_json(baseline))
                )
            self._save_replays(replays)
            self._add_seconds(seconds)

    def finals(self) -> list[ReevaluationSeed]:
        """Return the final trainings of the best reward and the references, one record per seed."""
        return [
            from_json(ReevaluationSeed, record)
            for (record,) in self._rows("SELECT record FROM finals ORDER BY rowid")
        ]

    def save_reevaluations(
        self, finals: Sequence[ReevaluationSeed], *, seconds: float = 0.0
    ) -> None:
        """Write the results of final seeds, all or none.

        Args:
            finals: The results, one record per seed.
            seconds: Time spent on training and evaluation.

        Raises:
            StoreError: The database cannot be written.
        """
        with self._transaction("write final trainings"):
            for final in finals:
                self._db.execute("INSERT INTO finals VALUES (?, ?)", (final.seed, to_json(final)))
            self._add_seconds(seconds)

    @property
    def seconds(self) -> float:
        """Time spent on training and evaluation so far."""
        return from_json(float, self.metadata("seconds") or "0.0")

    # ------------------------------------------------------------------ SQL
    def _add_seconds(self, seconds: float) -> None:
        self._save_metadata("seconds", repr(self.seconds + seconds))
