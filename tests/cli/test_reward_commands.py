"""The commands check and evaluate: reward files that are missing, invalid or fine."""

from __future__ import annotations

from pathlib import Path

import pytest

from eureka_agent.cli.main import main
from tests.support.cli import HUMAN, fails
from tests.support.rewards import NAN, SYNTAX_ERROR, UNKNOWN_NAME, WRONG_SHAPE

TINY = ["--generations", "1", "--samples", "2", "--num-envs", "8", "--environment-steps", "512"]


def code(answer: str) -> str:
    return answer.split("```python\n")[1].split("```")[0]


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (code(UNKNOWN_NAME), "pole_angel"),
        (code(WRONG_SHAPE), "shape"),
        (code(NAN), "NaN"),
        (SYNTAX_ERROR.split("```python\n")[1].split("```")[0], "never closed"),
        ("", "compute_reward"),
        (
            "import os\ndef compute_reward(dof_pos):\n    return dof_pos[:, 0] * os.nice(0), {}\n",
            "os",
        ),
    ],
)
def test_a_file_that_is_not_a_reward(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, source: str, says: str
) -> None:
    path = tmp_path / "reward.py"
    path.write_text(source)
    assert says in fails(capsys, "check", str(path), "--task", "cartpole")


def test_a_reward_file_that_is_missing(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert "Cannot read the reward file" in fails(
        capsys, "check", str(tmp_path / "no.py"), "--task", "cartpole"
    )
    assert "Cannot read the reward file" in fails(
        capsys, "evaluate", str(tmp_path / "no.py"), "--task", "cartpole"
    )


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        ("", "is a folder: give --policy the path of a file"),
        ("no/such/folder/policy.safetensors", "choose another --policy"),
        ("~no-such-user/policy", "The home folder"),
    ],
)
def test_an_unwritable_policy_path_is_refused_before_the_training(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, policy: str, says: str
) -> None:
    path = policy if policy.startswith("~") else str(tmp_path / policy)
    assert says in fails(capsys, "evaluate", str(HUMAN), "--task", "cartpole", "--policy", path)
    assert not list(tmp_path.iterdir())


def test_evaluate_refuses_a_seed_out_of_range(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert "--seed must lie" in fails(
        capsys, "evaluate", str(HUMAN), "--task", "cartpole", "--seed", str(2**70)
    )


def test_evaluate_refuses_a_number_of_seeds_out_of_range(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for seeds in ("0", "1001"):
        assert "--seeds must be at" in fails(
            capsys, "evaluate", str(HUMAN), "--task", "cartpole", "--seeds", seeds
        )


@pytest.mark.slow
def test_evaluate_prints_its_length_and_the_meaning_of_its_intervals(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    args = [
        str(HUMAN),
        "--task",
        "cartpole",
        "--budget",
        "quick",
        "--seed",
        "3",
        "--policy",
        "~/policy.safetensors",
    ]
    assert main(["evaluate", *args]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(
        line.startswith("Training three rewards (240 k environment steps) takes ") for line in lines
    )
    assert any(
        line.startswith(
            "One training each, with seed 3: the 95 % intervals are over the 64 episodes"
        )
        for line in lines
    )
    assert lines[-1] == f"The policy is in {tmp_path / 'policy.safetensors'}."
    assert (tmp_path / "policy.safetensors").stat().st_size > 1000


@pytest.mark.parametrize("command", ["check", "evaluate"])
def test_a_reward_file_is_refused_before_the_sandbox_opens(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
) -> None:
    path = tmp_path / "reward.py"
    path.write_text(code(UNKNOWN_NAME))
    monkeypatch.setattr(
        "eureka_agent.cli.main._open_sandbox", lambda level: pytest.fail("the sandbox was opened")
    )
    assert "pole_angel" in fails(capsys, command, str(path), "--task", "cartpole")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"\xff\xfe\x00", "it is not UTF-8 text"),
        (b"#" * 4_000_001, "is too large"),
        (b"A sentence.", "The file holds no Python function: write one function compute_reward."),
        (b" \n", "The file is empty: write one function compute_reward."),
    ],
)
def test_an_invalid_reward_file_gives_one_sentence(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, data: bytes, says: str
) -> None:
    path = tmp_path / "reward.py"
    path.write_bytes(data)
    assert says in fails(capsys, "check", str(path), "--task", "cartpole")
