"""`validate_task`: each check finds the mistake that it is for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from eureka_agent.authoring import Finding, validate_task
from eureka_agent.authoring.validation.episodes import check_episodes
from eureka_agent.authoring.validation.resets import check_resets
from eureka_agent.authoring.validation.state import check_state
from eureka_agent.authoring.validation.training import check_training
from eureka_agent.tasks.loading import load_file
from eureka_agent.tasks.registry import load_task, task_names
from tests.support.own_task import write_task
from tests.support.point_mass import SteppedPoint

DRAWN = "random.uniform(-1.0, 1.0, 1)"
SENSED = 'torch.stack((state["block_x"], state["block_speed"], state["mark_x"]), dim=1)'
SPEED = "physics.qvel[:, 0],\n"
FITNESS = '((state["block_x"] - state["mark_x"]).abs() < 0.2).float()'
END = 'return state["block_x"].abs() > 1.9'


def found(findings: Iterator[Finding], check: str) -> Finding:
    return next(finding for finding in findings if finding.check == check)


def test_task_without_a_mistake_passes_every_check(tmp_path: Path) -> None:
    task = load_file(write_task(tmp_path / "pusher"))
    findings = [*check_state(task), *check_resets(task), *check_episodes(task)]
    assert {finding.verdict for finding in findings} == {"ok"}, findings


@pytest.mark.parametrize(
    ("old", "new", "check", "says"),
    [
        ('"m/s", "world"', '"-", "world"', "units", "block_speed (m/s or rad/s)"),
        ('"where the block is"', '" "', "meanings", "block_x have no meaning"),
    ],
)
def test_state_that_says_too_little_is_a_warning(
    tmp_path: Path, old: str, new: str, check: str, says: str
) -> None:
    task = load_file(write_task(tmp_path / "pusher", old, new))
    finding = found(check_state(task), check)
    assert finding.verdict == "warning"
    assert says in finding.detail


@pytest.mark.parametrize(
    ("old", "new", "check", "verdict", "says"),
    [
        (DRAWN, "torch.rand(random.n, 1)", "same seed", "failed", "differ in block_x"),
        (
            f"InitialState({DRAWN}, random.normal(0.1, 1)",
            "InitialState(torch.zeros(random.n, 1), torch.zeros(random.n, 1)",
            "other seed",
            "ok",  # the mark still differs
            "start differently",
        ),
        (
            SPEED,
            "self.__dict__.setdefault('speeds', []).append(physics.qvel[:, 0])"
            " or torch.stack([each.mean() for each in self.speeds]).mean()"
            ".expand(physics.num_envs).clone(),\n",
            "reset",
            "failed",
            "after a reset",
        ),
        (
            SPEED,
            "physics.qvel[:, 0].mean().expand(physics.num_envs).clone(),\n",
            "restart of some",
            "failed",
            "compute each row from its own row alone",
        ),
    ],
)
def test_episode_that_depends_on_more_than_its_seed_is_found(
    tmp_path: Path, old: str, new: str, check: str, verdict: str, says: str
) -> None:
    task = load_file(write_task(tmp_path / "pusher", old, new))
    finding = found(check_resets(task), check)
    assert finding.verdict == verdict, finding
    assert says in finding.detail


def test_task_that_always_starts_alike_is_a_warning(tmp_path: Path) -> None:
    folder = write_task(tmp_path / "pusher", "random.uniform(-1.0, 1.0)", "torch.ones(random.n)")
    code = (folder / "task.py").read_text(encoding="utf-8")
    code = code.replace(DRAWN, "torch.zeros(random.n, 1)")
    code = code.replace("random.normal(0.1, 1)", "torch.zeros(random.n, 1)")
    (folder / "task.py").write_text(code, encoding="utf-8")
    finding = found(check_resets(load_file(folder)), "other seed")
    assert finding.verdict == "warning"
    assert "start in the same state" in finding.detail


@pytest.mark.parametrize(
    ("old", "new", "check", "verdict", "says"),
    [
        (FITNESS, 'state["block_speed"].abs() / 100.0', "fitness", "ok", "no action 0."),
        (
            FITNESS,
            'state["block_x"] * 0.0',
            "fitness",
            "warning",
            "it is 0.00 steps at the mark in every episode",
        ),
        (
            FITNESS,
            'torch.where(state["episode_time"] > 0.1, torch.nan, 1.0)',
            "fitness",
            "failed",
            "is not always a finite number",
        ),
        (
            FITNESS,
            'state["block_x"].abs() + 40.0',
            "fitness",
            "warning",
            "Raise fitness_solved",
        ),
        (END, 'return state["episode_time"] > 0.01', "episode length", "failed", "within 1 of 50"),
        (
            SENSED,
            'torch.stack((state["block_x"], state["block_x"] * 0.0), dim=1)',
            "observation",
            "warning",
            "of 2 entries these never change: 1",
        ),
        (
            SENSED,
            'torch.stack((state["block_x"] * 1e6, state["mark_x"]), dim=1)',
            "observation",
            "warning",
            "become huge",
        ),
        (
            SENSED,
            'state["block_x"][:, None] * 0.0',
            "observation",
            "failed",
            "no entry ever changes",
        ),
        (
            "    def fitness(",
            "    def end_causes(self, state):\n"
            '        return {"far": state["block_x"] > 0.0}\n\n    def fitness(',
            "end causes",
            "warning",
            "do not say the same",
        ),
    ],
)
def test_episode_check_finds_its_mistake(
    tmp_path: Path, old: str, new: str, check: str, verdict: str, says: str
) -> None:
    task = load_file(write_task(tmp_path / "pusher", old, new))
    finding = found(check_episodes(task), check)
    assert finding.verdict == verdict, finding
    assert says in finding.detail


def test_broken_code_is_the_only_finding(tmp_path: Path) -> None:
    task = load_file(write_task(tmp_path / "pusher", END, 'return state["block"] > 0'))
    (finding,) = validate_task(task)
    assert (finding.check, finding.verdict) == ("code", "failed")
    assert "task.py:" in finding.detail
    assert "KeyError" in finding.detail


def test_wrong_budgets_are_found(tmp_path: Path) -> None:
    task = load_file(write_task(tmp_path / "pusher", "num_envs=8, ", "num_envs=0, "))
    finding = next(check_training(task, "full"))
    assert (finding.check, finding.verdict) == ("budgets", "failed")


@pytest.mark.slow
def test_zero_sparse_and_human_reward_are_trained(tmp_path: Path) -> None:
    task = load_file(write_task(tmp_path / "pusher"))
    findings = list(check_training(task, "full"))
    assert [finding.check for finding in findings[1:]] == [
        "zero reward",
        "sparse reward",
        "human reward",
    ]
    assert {finding.verdict for finding in findings} == {"ok"}


def test_task_of_another_simulator_is_checked() -> None:
    findings = [*check_resets(SteppedPoint()), *check_episodes(SteppedPoint())]
    assert "failed" not in {finding.verdict for finding in findings}, findings


@pytest.mark.slow
@pytest.mark.parametrize("name", task_names())
def test_no_check_of_a_bundled_task_fails(name: str) -> None:
    findings = list(validate_task(load_task(name)))
    assert [finding for finding in findings if finding.verdict == "failed"] == []
    assert findings[-1].check in ("sparse reward", "human reward")
