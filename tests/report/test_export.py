"""A run as one JSON file, complete and readable by any JSON reader."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path

import pytest

from eureka_agent.cli.main import main
from eureka_agent.errors import StoreError
from eureka_agent.report.export import FORMAT, export_text, exported, read_export
from eureka_agent.runs.store import Store
from tests.support.stored_run import FIRST, POLICY, stored_run


@pytest.mark.parametrize("policies", [True, False])
@pytest.mark.parametrize("finished", [True, False])
def test_an_export_reads_back_to_equal_records(
    tmp_path: Path, policies: bool, finished: bool
) -> None:
    run, file = stored_run(tmp_path / "run", finished=finished), tmp_path / "run.json"
    assert (
        main(["export", str(run.path), "--out", str(file), *(["--policies"] if policies else [])])
        == 0
    )
    with Store.open(run.database, writable=False) as store:
        written = exported(store, policies=policies)
        read = read_export(file)
        assert repr(read) == repr(written)  # repr, because NaN is not equal to itself
        assert repr(read.candidates) == repr(tuple(store.outcomes()))
        assert read.config == store.config
        assert read.prompts == tuple(store.prompts())
        assert read.baselines == tuple(store.baselines())
        assert read.checked == store.checks()
        assert read.completions["g1c0"] == store.completions(1)[0]
        assert read.feedback == store.feedback()
    assert [*read.policies] == (
        ["g0c0", *(["g1c0", "g1c1"] if finished else [])] if policies else []
    )
    assert all(base64.b64decode(data) == POLICY for data in read.policies.values())
    assert ("finished" in read.facts) == finished
    assert read.facts["seconds"] == "3.5"


def test_an_export_is_standard_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = stored_run(tmp_path / "run")
    assert main(["export", str(run.path)]) == 0

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    data = json.loads(capsys.readouterr().out, parse_constant=refuse)  # NaN is not JSON
    assert data["format"] == FORMAT
    assert data["config"]["task"]["task"] == "cartpole"
    assert data["candidates"][3]["evaluation"]["fitness"] == "NaN"
    assert data["candidates"][0]["candidate"]["reward"]["code"] == FIRST
    assert data["completions"]["g0c1"]["cost_usd"] == 0.25
    assert data["candidates"][1]["failure"]["stage"] == "check"


def test_other_files_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    for text in (
        "",
        "[]",
        "{}",
        '{"format": "eureka-agent run 99"}',
        '{"format": "eureka-agent run 2"}',
        "\0",
    ):
        file.write_text(text)
        with pytest.raises(StoreError):
            read_export(file)
    with pytest.raises(StoreError, match="not an exported run"):
        read_export(tmp_path / "none.json")
    run = stored_run(tmp_path / "run")
    with Store.open(run.database, writable=False) as store:
        other = replace(exported(store), format="eureka-agent run 99")
    file.write_text(export_text(other))
    with pytest.raises(
        StoreError, match="has the format 'eureka-agent run 99', this version reads"
    ):
        read_export(file)


def test_an_export_that_cannot_be_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = stored_run(tmp_path / "run")
    assert main(["export", str(run.path), "--out", str(tmp_path / "no" / "x.json")]) == 2
    assert "choose another --out" in capsys.readouterr().err
