"""Training jobs: the same policies here and in a fresh process, whatever passes between the two."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from eureka_agent.config import Race, TrainingBudget
from eureka_agent.errors import ExecutorError, UnknownTaskError, UsageError
from eureka_agent.executors import LocalExecutor, PythonExecutor
from eureka_agent.executors.files import read_job, read_results, write_job
from eureka_agent.jail import Sandbox
from eureka_agent.records import RewardSource, Rung
from eureka_agent.training.job import JobReward, TrainedReward, TrainingJob, run_job
from eureka_agent.training.results import Progress
from tests.support.own_task import write_task

UPRIGHT = "import torch\ndef compute_reward(dof_pos):\n    x = torch.cos(dof_pos[:, 1])\n    return x, {'x': x}\n"
BREAKS = (
    "import torch\ndef compute_reward(dof_pos):\n    x = dof_pos[:, 7]\n    return x, {'x': x}\n"
)
REFUSED = "import os\ndef compute_reward(dof_pos):\n    return dof_pos[:, 0], {}\n"
JOB = TrainingJob(
    "cartpole",
    (
        JobReward("upright", RewardSource(UPRIGHT, ("dof_pos",))),
        JobReward("sparse reward", None),
    ),
    TrainingBudget(num_envs=8, environment_steps=8 * 16 * 6, evaluation_episodes=4),
    seed=3,
    threads=1,
)


def comparable(rewards: list[TrainedReward]) -> list[tuple[str, bytes | None]]:
    """Return results without what a clock put into them, as text since NaN equals nothing."""
    still = [
        replace(each, training=replace(each.training, seconds=0.0)) if each.training else each
        for each in rewards
    ]
    return [(repr(replace(each, policy=None)), each.policy) for each in still]


@pytest.fixture(scope="module")
def here(sandbox: Sandbox) -> list[TrainedReward]:
    """The results of the job in this process."""
    return run_job(JOB, sandbox=sandbox)


def test_job_in_this_process_gives_a_policy_and_an_evaluation_for_each_reward(
    here: list[TrainedReward],
) -> None:
    assert [each.name for each in here] == ["upright", "sparse reward"]
    assert all(each.policy and each.training and each.evaluation for each in here)
    assert here[0].policy != here[1].policy


def test_worker_in_a_fresh_process_gives_the_same_policies_bit_for_bit(
    here: list[TrainedReward], tmp_path: Path
) -> None:
    path = write_job(tmp_path, JOB)
    command = [sys.executable, "-m", "eureka_agent.executors.worker", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert comparable(read_results(tmp_path)) == comparable(here)


def test_worker_imports_the_simulator_and_little_else(tmp_path: Path) -> None:
    write_task(tmp_path / "pusher")
    job = replace(
        JOB, task=str(tmp_path / "pusher"), rewards=JOB.rewards[1:], budget=TrainingBudget(4, 64)
    )
    command = [sys.executable, "-X", "importtime", "-m", "eureka_agent.executors.worker"]
    command.append(str(write_job(tmp_path, job)))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}
    assert {"torch", "numpy", "safetensors", "mujoco"} <= imported
    assert not imported & {"openai", "litellm", "pydantic", "rich", "tyro", "jinja2", "filelock"}
    assert not imported & {"scipy", "tenacity", "genai_prices"}


def test_worker_of_a_task_without_mujoco_imports_no_mujoco(tmp_path: Path) -> None:
    """The task is the point mass of the tests: in pure torch, in a file of its own."""
    (tmp_path / "task.py").write_text(
        "from tests.simulation.test_batched_env import PointMass\nTASK = PointMass()\n"
    )
    job = replace(JOB, task=str(tmp_path), rewards=JOB.rewards[1:], budget=TrainingBudget(4, 64))
    command = [sys.executable, "-X", "importtime", "-m", "eureka_agent.executors.worker"]
    command.append(str(write_job(tmp_path, job)))
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=os.environ | {"PYTHONPATH": root}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "mujoco" not in done.stderr


def test_python_executor_passes_progress_on_and_gives_the_same(here: list[TrainedReward]) -> None:
    progress: list[Progress] = []
    result = PythonExecutor().submit(JOB, progress.append).result()
    assert comparable(result) == comparable(here)
    assert [each.environment_steps for each in progress] == [8 * 16 * n for n in range(1, 7)]
    assert [set(each) for each in progress[0].components] == [{"x"}, {"sparse"}]


def test_local_executor_runs_a_job_once(sandbox: Sandbox, here: list[TrainedReward]) -> None:
    progress: list[Progress] = []
    running = LocalExecutor(sandbox=sandbox).submit(JOB, progress.append)
    assert progress == []
    assert comparable(running.result()) == comparable(here)
    assert running.result() is running.result()
    assert len(progress) == 6


def test_reward_that_fails_costs_itself_alone(sandbox: Sandbox, here: list[TrainedReward]) -> None:
    rewards = (
        JobReward("breaks", RewardSource(BREAKS, ("dof_pos",))),
        JobReward("refused", RewardSource(REFUSED, ("dof_pos",))),
        *JOB.rewards,
    )
    breaks, refused, *others = run_job(replace(JOB, rewards=rewards), sandbox=sandbox)
    assert breaks.failure is not None
    assert "IndexError" in breaks.failure.message
    assert refused.failure is not None
    assert "'import os' is not allowed" in refused.failure.message
    assert breaks.policy is refused.policy is None
    assert [each.policy for each in others] == [each.policy for each in here]


def test_job_survives_json(tmp_path: Path) -> None:
    job = replace(JOB, race=Race(), champion=(Rung(8, 1.0, 0.5, 1.5),), checkpoint="x.safetensors")
    assert read_job(write_job(tmp_path, job)) == job


def test_error_in_the_worker_has_its_own_class_here() -> None:
    with pytest.raises(UnknownTaskError, match="No task is called 'catpole'"):
        PythonExecutor().submit(replace(JOB, task="catpole")).result()


def test_file_that_is_not_a_job_is_refused(tmp_path: Path) -> None:
    path = write_job(tmp_path, JOB)
    path.write_text(path.read_text().replace('"seed": 3', '"seed": "three"'))
    command = [sys.executable, "-m", "eureka_agent.executors.worker", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "TrainingJob.seed must be int" in done.stdout


def test_worker_that_dies_is_an_executor_error_with_its_last_lines(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho 'no simulator here' >&2\nexit 9\n")
    python.chmod(0o755)
    with pytest.raises(ExecutorError, match=r"ended with code 9\. no simulator here"):
        PythonExecutor(python).submit(JOB).result()


def test_cancelled_job_leaves_no_process_and_no_files() -> None:
    running = PythonExecutor().submit(JOB)
    folder = Path(running._folder.name)
    assert folder.is_dir()
    running.cancel()
    assert running._process.returncode is not None
    assert not folder.exists()


def test_interpreter_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UsageError, match="There is no interpreter /nowhere/python"):
        PythonExecutor("/nowhere/python")
