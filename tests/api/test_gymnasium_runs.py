"""Runs on environments of Gymnasium: what is stored, and what a resume runs."""

from __future__ import annotations

from pathlib import Path

import pytest

import eureka_agent as ea
from eureka_agent.errors import UsageError
from eureka_agent.jail import Sandbox
from eureka_agent.runs.directory import RunDir
from eureka_agent.runs.store import Store


def config(folder: Path, **changes: object) -> ea.SynthesisConfig:
    settings: dict[str, object] = {
        "task": "gym:CartPole-v1", "budget": "quick", "generations": 1, "samples": 1, "num_envs": 4,
        "environment_steps": 512, "seeds": 1, "baselines": False, "repairs": 0,
        "runs_dir": str(folder), "run_name": "mine",
    }  # fmt: skip
    return ea.SynthesisConfig.of(**(settings | changes))  # type: ignore[arg-type]


def stored_task_of(folder: Path) -> tuple[object, object, object]:
    with Store.open(RunDir(folder).database, writable=False) as store:
        task = store.config.task
    return task.task, task.fitness, task.env_kwargs


def test_a_run_stores_its_environment_as_one_id_and_resumes_by_it(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    given = config(tmp_path, fitness="episode_length", env_kwargs=("sutton_barto_reward=true",))
    result = ea.synthesize(given, sandbox=sandbox)
    assert result.best is not None
    whole = 'gym:CartPole-v1 {"fitness": "episode_length", "kwargs": {"sutton_barto_reward": true}}'
    assert stored_task_of(tmp_path / "mine") == (whole, None, ())
    again = ea.resume(str(tmp_path / "mine"), sandbox=sandbox)
    assert again.best == result.best


def test_a_resume_runs_no_file_that_only_the_run_names(tmp_path: Path, sandbox: Sandbox) -> None:
    file = tmp_path / "measure.py"
    file.write_text('def upright(state): return state["pole_angle"].cos()', encoding="utf-8")
    result = ea.synthesize(config(tmp_path, fitness=f"{file}:upright"), sandbox=sandbox)
    assert result.best is not None
    run = str(tmp_path / "mine")
    with pytest.raises(UsageError, match="give the same id again with --task"):
        ea.resume(run, sandbox=sandbox)
    with pytest.raises(UsageError, match="gym:CartPole-v1 was given"):
        ea.resume(run, task="gym:CartPole-v1", sandbox=sandbox)
    whole, _, _ = stored_task_of(tmp_path / "mine")
    assert isinstance(whole, str)
    assert ea.resume(run, task=whole, sandbox=sandbox).best == result.best


def test_fitness_and_arguments_are_for_environments_by_id(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="for environments that are given by their id"):
        ea.synthesize(config(tmp_path, task="cartpole", fitness="episode_length"))
    with pytest.raises(UsageError, match="takes NAME=VALUE"):
        ea.synthesize(config(tmp_path, env_kwargs=("sutton_barto_reward",)))
