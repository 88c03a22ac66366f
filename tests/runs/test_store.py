"""The database of a run: what was written stays complete."""

from __future__ import annotations

import json
import math
import multiprocessing
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from eureka_agent.config import SynthesisConfig
from eureka_agent.errors import RunDirError, StoreError
from eureka_agent.records import (
    Baseline,
    Candidate,
    Completion,
    Curve,
    Evaluation,
    Failure,
    Feedback,
    Message,
    Outcome,
    PromptRecord,
    ReevaluationResult,
    ReevaluationSeed,
    RewardSource,
    TrainingRecord,
)
from eureka_agent.runs.store import Store
from eureka_agent.utils.serialization import from_json, to_json

SAID = Feedback(0, ("g0c1", "g0c0"), {"g0c1": "a\nb \x1b[31m"}, stop=True)
ASKED = PromptRecord(0, 0, 0, (0, 1), (Message("system", "s"), Message("user", "u")), ("g0c1",))
CONFIG = SynthesisConfig.of(
    task="cartpole", budget="quick", runs_dir=Path("somewhere"), temperature="server"
)


def outcome(generation: int = 0, index: int = 0, fitness: float = 0.1 + 0.2) -> Outcome:
    curve = Curve("speed", (0.1, math.nan, 1e300), math.inf, -0.0, -math.inf)
    return Outcome(
        Candidate(
            generation,
            Completion(index, "\ud800 ☃ \x00", "model", 3, None, 0.1),
            RewardSource("x = 1", ("a",)),
        ),
        training=TrainingRecord(10, 0.5, curve, (curve,), curve, curve, {"speed": math.nan}, 2),
        evaluation=Evaluation(fitness, -1.0, 2.0, 8, 3.5, {"turns": 1.5}),
        reflection="words",
    )


FINAL = ReevaluationResult.of(outcome())


@pytest.mark.parametrize(
    "record",
    [
        outcome(),
        Outcome(Candidate(1, Completion(2, "", "m"), None), failure=Failure("check", "no")),
        CONFIG,
        Baseline.of(outcome(), name="human"),
        ReevaluationSeed(7, best=FINAL, human=None, sparse=FINAL),
    ],
)
def test_records_survive_json(record: object) -> None:
    # repr, because NaN does not equal itself
    assert repr(from_json(type(record), to_json(record))) == repr(record)


def test_record_from_before_behaviours_were_stored_is_read() -> None:
    stored = json.loads(to_json(outcome()))
    del stored["behaviour"]
    assert repr(from_json(Outcome, json.dumps(stored))) == repr(outcome())


def test_a_store_returns_what_was_saved(tmp_path: Path) -> None:
    path = tmp_path / "run.db"
    with Store.create(path, CONFIG) as store:
        store.save_prompt(ASKED)
        store.save_prompt(replace(ASKED, attempt=1, samples=(2, 3), parents=()))
        store.save_completion(0, Completion(1, "one", "m"))
        store.save_completion(0, Completion(0, "zero", "m"))
        store.save_outcomes([(outcome(0, 1), b"weights"), (outcome(0, 0), None)], seconds=2.0)
        baseline = Baseline("human", evaluation=Evaluation(1.0, 0.5, 1.5, 4, 2.0))
        store.save_baselines([baseline], seconds=1.5)
        store.save_feedback(SAID)
        store.save_metadata("sandbox", "full")
    with Store.open(path, writable=False) as store:
        assert store.config == CONFIG
        assert (
            store.prompts(0)
            == store.prompts()
            == [ASKED, replace(ASKED, attempt=1, samples=(2, 3), parents=())]
        )
        assert store.prompts(1) == []
        assert [c.text for c in store.completions(0).values()] == ["zero", "one"]
        assert [o.candidate.name for o in store.outcomes()] == ["g0c0", "g0c1"]
        assert store.outcomes(1) == []
        assert store.policy(0, 1) == b"weights"
        assert store.policy(0, 0) is None
        assert store.baselines()[0].name == "human"
        assert store.feedback() == {0: SAID}
        assert store.seconds == 3.5
        assert store.metadata("sandbox") == "full"


def test_replaced_completions_and_passed_checks_are_kept(
    tmp_path: Path,
) -> None:
    path = tmp_path / "run.db"
    with Store.create(path, CONFIG) as store:
        store.save_completion(0, Completion(0, " ", "m", cost_usd=0.5))
        store.save_completion(0, Completion(0, "text", "m", cost_usd=0.25))
        candidate = outcome(0, 0).candidate
        store.save_check(candidate)
        store.save_check(candidate)  # a resumed run checks again
        assert store.metadata("started") is not None
        assert not store.finished
    with Store.open(path) as store:
        assert [c.text for c in store.completions(0).values()] == ["text"]
        assert [c.cost_usd for c in store.replaced()] == [0.5]
        assert store.checks() == {"g0c0": candidate}
        store.save_finished()
        ended = store.metadata("finished")
        store.save_finished()
        assert store.finished
        assert store.metadata("finished") == ended


def test_outcomes_are_written_all_or_none(tmp_path: Path) -> None:
    with Store.create(tmp_path / "run.db", CONFIG) as store:
        store.save_outcomes([(outcome(0, 0), None)])
        with pytest.raises(StoreError, match="Earlier data is intact"):
            store.save_outcomes([(outcome(0, 1), None), (outcome(0, 0), None)])  # the second exists
        assert [o.candidate.index for o in store.outcomes()] == [0]


def _try_to_open(path: Path, answer: multiprocessing.SimpleQueue[str]) -> None:
    try:
        Store.open(path).close()
        answer.put("opened")
    except RunDirError as error:
        answer.put(str(error))


def test_one_process_writes_and_others_can_read(tmp_path: Path) -> None:
    path = tmp_path / "run.db"
    context = multiprocessing.get_context("spawn")
    answer: multiprocessing.SimpleQueue[str] = context.SimpleQueue()
    with Store.create(path, CONFIG):
        with Store.open(path, writable=False) as reader:
            assert reader.config == CONFIG
        process = context.Process(target=_try_to_open, args=(path, answer))
        process.start()
        assert "Another process" in answer.get()
        process.join()
    with Store.open(path) as store:
        assert store.config == CONFIG


def test_a_damaged_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "run.db"
    Store.create(path, CONFIG).close()
    db = sqlite3.connect(path)
    db.execute("UPDATE meta SET value = '{\"task\": 3}' WHERE key = 'config'")
    db.commit()
    db.close()
    with Store.open(path) as store, pytest.raises(StoreError, match="damaged SynthesisConfig"):
        _ = store.config
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(StoreError, match="is damaged or not a database"):
        Store.open(path, writable=False)


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.db"
    with Store.create(path, CONFIG) as store:
        store.save_metadata("schema", "99")
    with pytest.raises(StoreError, match="schema 99"):
        Store.open(path)


def test_an_older_schema_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "run.db"
    with Store.create(path, CONFIG) as store:
        store.save_metadata("schema", "5")
    with pytest.raises(StoreError) as refused:
        Store.open(path)
    assert str(refused.value) == (
        "The run was written by an older version (schema 5); this version reads schema 6."
        " Use the version that wrote it, or start a new run."
    )
