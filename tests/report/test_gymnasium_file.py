"""A run's best reward as one file for Gymnasium that does not need eureka_agent."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import gymnasium
import pytest

from eureka_agent.api.reward_function import RewardFunction
from eureka_agent.checks import check_source
from eureka_agent.cli.main import main
from eureka_agent.config import SynthesisConfig
from eureka_agent.records import Candidate, Completion, Feedback, Outcome
from eureka_agent.runs.directory import RunDir
from eureka_agent.runs.store import Store
from eureka_agent.runs.stored_task import stored_task
from eureka_agent.tasks.registry import find_task
from eureka_agent.training.budgets import training_budget
from tests.support import run_events as runs
from tests.support.stored_run import stored_run

_REWARD = '''\
"""Hop."""
from __future__ import annotations

import math
from typing import Any

import torch

SCALE = 2.0


def _bell(x: Any) -> torch.Tensor:
    return torch.exp(-SCALE * x.square()) * math.pi


def compute_reward(torso_velocity, prev_torso_position, torso_pitch, foot_contact_force, action, episode_time, dt):
    torso_velocity[:, 0] += dt
    parts = {"upright": _bell(torso_pitch), "contact": 0.01 * foot_contact_force, "start": 0.5}
    speed = torso_velocity[:, 0] - prev_torso_position[:, 2] + episode_time
    return speed + parts["upright"] + parts["contact"] - action.square().sum(dim=-1), parts
'''
_PROGRAM = """
import importlib.abc, json, sys

class Forbid(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "eureka_agent":
            raise ImportError(f"{name} is forbidden")

sys.meta_path.insert(0, Forbid())
sys.path.insert(0, sys.argv[1])
import reward

env = reward.make_env()
assert type(env).__name__ == "RewardWrapper"
env.reset(seed=7)
env.action_space.seed(0)
paid = []
for _ in range(int(sys.argv[2])):
    _, total, _, _, info = env.step(env.action_space.sample())
    paid.append([total, info["own_reward"], info["reward_components"]])
print(json.dumps(paid))
assert reward.make_env(max_episode_steps=3).spec.max_episode_steps == 3
"""


def _run(
    folder: Path,
    code: str = _REWARD,
    *,
    scene: str = "hopper_forward",
    instruction: str | None = None,
) -> RunDir:
    """Write the folder of a run with one trained reward."""
    folder.mkdir(parents=True)
    run, task = RunDir(folder), find_task(scene)
    where = {"env": scene, "task": instruction} if instruction else {"task": scene}
    config = SynthesisConfig.of(
        **where, budget="quick", generations=1, samples=1, seeds=1, runs_dir=folder.parent
    )
    answer = Completion(0, f"```python\n{code}```", "model", 100, 50, 0.25)
    made = runs.outcome(0, answer, runs.evaluation(1.5))
    reward = check_source(code, task.reward_inputs)
    outcome = Outcome(
        Candidate(0, answer, reward, "hash"), training=made.training, evaluation=made.evaluation
    )
    with Store.create(run.database, config) as store:
        store.save_task(stored_task(task, training_budget(config, task)))
        store.save_baselines(runs.baselines(), seconds=1.5)
        store.save_completion(0, answer)
        store.save_outcomes([(outcome, None)])
        store.save_feedback(Feedback(0, ("g0c0",)))
        store.save_finished()
    return run


def _without_eureka_agent(folder: Path, steps: int) -> list[Any]:
    """Run the exported file in a process that cannot import eureka_agent; return what it pays."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", _PROGRAM, str(folder), str(steps)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    paid: list[Any] = json.loads(done.stdout)
    return paid


def _here(code: str, scene: str, environment: str, steps: int) -> list[Any]:
    """Return what the reward pays in the same episode through `RewardFunction.as_wrapper`."""
    task = find_task(scene)
    with RewardFunction(task, check_source(code, task.reward_inputs)) as reward:
        env = reward.as_wrapper(gymnasium.make(environment))
        env.reset(seed=7)
        env.action_space.seed(0)
        paid = []
        for _ in range(steps):
            _, total, _, _, info = env.step(env.action_space.sample())
            paid.append([total, info["own_reward"], info["reward_components"]])
        return paid


_V5 = """\
import torch


def compute_reward(torso_velocity, foot_positions, x_velocity, prev_torso_pitch, action, dt):
    parts = {"forward": torso_velocity[:, 0], "foot": foot_positions[:, 0, 2], "mean": x_velocity}
    return sum(parts.values()) - dt * prev_torso_pitch.abs() - action.square().sum(dim=-1), parts
"""
_POLE = """\
def compute_reward(pole_angle, prev_cart_velocity, action, episode_time):
    return -pole_angle.abs() + 0.1 * prev_cart_velocity, {"right": action[:, 1] * episode_time}
"""


@pytest.mark.parametrize(
    ("scene", "environment", "code"),
    [
        ("hopper_forward", "Hopper-v5", _REWARD),
        ("gym:Hopper-v5", "Hopper-v5", _V5),
        ("gym:CartPole-v1", "CartPole-v1", _POLE),
    ],
)
def test_the_file_pays_without_eureka_agent_what_the_reward_pays(
    tmp_path: Path, scene: str, environment: str, code: str
) -> None:
    run, file = _run(tmp_path / "run", code, scene=scene), tmp_path / "reward.py"
    assert main(["export", str(run.path), "--format", "gymnasium", "--out", str(file)]) == 0
    ours = _here(code, scene, environment, 8)
    theirs = _without_eureka_agent(tmp_path, 8)
    assert len(theirs) == 8
    for (paid, own, parts), (their_paid, their_own, their_parts) in zip(ours, theirs, strict=True):
        assert their_paid == pytest.approx(paid, abs=1e-6)
        assert their_own == own
        assert their_parts == pytest.approx(parts, abs=1e-6)
        assert parts


def test_the_file_says_what_it_is_and_how_good(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = _run(tmp_path / "run")
    assert main(["export", str(run.path), "--format", "gymnasium"]) == 0
    text = capsys.readouterr().out
    assert text.startswith('"""Reward g0c0 of the run run.\n\nTask: hopper_forward.\n')
    assert "Fitness in m/s: 1.50 (1.00 to 2.00), the mean over 64 episodes" in text
    assert _REWARD.split("\n\n\n", 1)[1].strip() in text
    assert text.count("from __future__") == 1
    assert "eureka_agent" not in text.replace("`eureka-agent", "")


def test_words_of_a_run_from_elsewhere_cannot_end_the_docstring(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = 'hop \\""" \x1b[2J\nimport os; os.abort() """'
    run = _run(tmp_path / 'run"""', instruction=words)
    assert main(["export", str(run.path), "--format", "gymnasium"]) == 0
    text = capsys.readouterr().out
    compile(text, "reward.py", "exec")
    assert '"""' not in text.removeprefix('"""').partition("\n\nHow to use it")[0]
    assert "\x1b" not in text


def test_the_format_torch_is_the_reward_as_it_was_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = _run(tmp_path / "run")
    assert main(["export", str(run.path), "--format", "torch"]) == 0
    assert capsys.readouterr().out == _REWARD


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--format", "gymnasium"), "The task cartpole has no environment of Gymnasium"),
        (("--format", "torch", "--policies"), "--policies and --example go with --format json"),
        (("--format", "gymnasium", "--task", "hopper_forward"), "The run's task is 'cartpole'"),
    ],
)
def test_what_cannot_be_exported_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], message: str
) -> None:
    run = stored_run(tmp_path / "run")
    assert main(["export", str(run.path), *options]) == 2
    assert message in " ".join(capsys.readouterr().err.split())


def test_a_reward_that_takes_the_file_s_own_names_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = _REWARD.replace("_bell", "make_env")
    run = _run(tmp_path / "run", code)
    assert main(["export", str(run.path), "--format", "gymnasium"]) == 2
    assert "The reward defines make_env" in capsys.readouterr().err
