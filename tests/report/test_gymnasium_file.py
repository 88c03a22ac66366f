"""A run's best reward as one file for Gymnasium that does not need eureka_agent."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

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
import numpy as np

class Forbid(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "eureka_agent":
            raise ImportError(f"{name} is forbidden")

sys.meta_path.insert(0, Forbid())
sys.path.insert(0, sys.argv[1])
import reward

def episode(env):
    env.reset(seed=7)
    random = np.random.default_rng(0)
    for _ in range(12):
        action = random.uniform(-1, 1, 3).astype(np.float32)
        _, paid, _, _, info = env.step(action)
        yield [paid, info["own_reward"], info["reward_components"]]

env = reward.make_env()
assert type(env).__name__ == "RewardWrapper"
print(json.dumps([*episode(env)]))
assert reward.make_env(healthy_reward=0.0).reset()[0].shape == (11,)
"""


def _hopper_run(folder: Path, code: str = _REWARD, instruction: str | None = None) -> RunDir:
    """Write the folder of a run on the hopper with one trained reward."""
    folder.mkdir(parents=True)
    run, task = RunDir(folder), find_task("hopper_forward")
    where = {"env": "hopper_forward", "task": instruction} if instruction else {"task": task.name}
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


def test_the_file_pays_without_eureka_agent_what_the_reward_pays(tmp_path: Path) -> None:
    run, file = _hopper_run(tmp_path / "run"), tmp_path / "reward.py"
    assert main(["export", str(run.path), "--format", "gymnasium", "--out", str(file)]) == 0
    done = subprocess.run(
        [sys.executable, "-I", "-c", _PROGRAM, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    namespace: dict[str, object] = {}
    program = _PROGRAM.partition("def episode")[2].partition("env = reward")[0]
    exec(f"import numpy as np\ndef episode{program}", namespace)
    task = find_task("hopper_forward")
    with RewardFunction(task, check_source(_REWARD, task.reward_inputs)) as reward:
        env = reward.as_wrapper(gymnasium.make("Hopper-v5"))
        ours = [*namespace["episode"](env)]  # type: ignore[operator]
    theirs = json.loads(done.stdout)
    assert len(theirs) == 12
    for (paid, own, parts), (their_paid, their_own, their_parts) in zip(ours, theirs, strict=True):
        assert their_paid == pytest.approx(paid, abs=1e-6)
        assert their_own == own
        assert their_parts == pytest.approx(parts, abs=1e-6)
        assert {*their_parts} == {"upright", "contact", "start"}


def test_the_file_says_what_it_is_and_how_good(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = _hopper_run(tmp_path / "run")
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
    run = _hopper_run(tmp_path / 'run"""', instruction=words)
    assert main(["export", str(run.path), "--format", "gymnasium"]) == 0
    text = capsys.readouterr().out
    compile(text, "reward.py", "exec")
    assert '"""' not in text.removeprefix('"""').partition("\n\nHow to use it")[0]
    assert "\x1b" not in text


def test_the_format_torch_is_the_reward_as_it_was_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = _hopper_run(tmp_path / "run")
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
    run = _hopper_run(tmp_path / "run", code)
    assert main(["export", str(run.path), "--format", "gymnasium"]) == 2
    assert "The reward defines make_env" in capsys.readouterr().err
