"""What a run's database holds of its judge: feedback, a measure, answers of models."""

from __future__ import annotations

from eureka_agent.records import Feedback, JudgeAnswer, RewardSource
from eureka_agent.runs.database import RunDatabase
from eureka_agent.utils.serialization import from_json, to_json


class JudgeDatabase(RunDatabase):
    """The records of a judge; `Store` adds those of the search. See there for the errors."""

    def feedback(self) -> dict[int, Feedback]:
        """Return the feedback by generation, oldest first."""
        rows = self._rows("SELECT generation, record FROM feedback ORDER BY generation")
        return {int(generation): from_json(Feedback, record) for generation, record in rows}

    def save_feedback(self, feedback: Feedback) -> None:
        """Write the feedback on a generation, so that nobody is asked again. Raises StoreError."""
        with self._transaction("write feedback"):
            row = (feedback.generation, to_json(feedback))
            self._db.execute("INSERT INTO feedback VALUES (?, ?)", row)

    def judge_answers(self, generation: int | None = None) -> list[JudgeAnswer]:
        """Return what models answered to a judge about a generation, or all, in order."""
        where, args = ("", ()) if generation is None else (" WHERE generation = ?", (generation,))
        rows = self._rows(f"SELECT record FROM judge_answers{where} ORDER BY rowid", *args)
        return [from_json(JudgeAnswer, record) for (record,) in rows]

    def save_judge_answer(self, answer: JudgeAnswer) -> None:
        """Write a model's answer to a judge. Raises StoreError."""
        with self._transaction("write an answer to the judge"):
            row = (answer.generation, to_json(answer))
            self._db.execute("INSERT INTO judge_answers VALUES (?, ?)", row)

    @property
    def measure(self) -> RewardSource | None:
        """The measure of success that the code judge scores by; None before it was accepted."""
        stored = self.metadata("measure")
        return from_json(RewardSource, stored) if stored else None

    def save_measure(self, measure: RewardSource) -> None:
        """Write the accepted measure, which the run keeps. Raises StoreError."""
        self.save_metadata("measure", to_json(measure))
