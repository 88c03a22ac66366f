"""Values that a config refuses and accepts."""

from __future__ import annotations

import copy
import inspect
import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eureka_agent import SynthesisConfig
from eureka_agent.config.limits import MAX_SEED
from eureka_agent.errors import ConfigError, UsageError
from eureka_agent.utils.serialization import from_json, to_json


def made(**changes: Any) -> SynthesisConfig:
    return SynthesisConfig.of(**{"task": "cartpole", **changes})


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("budget", "fast", "budget must be 'quick', 'normal' or 'paper', got 'fast'."),
        (
            "trainer",
            "ppo",
            "--trainer must be population, sb3[:ALGORITHM] or rsl_rl, got 'ppo'.",
        ),
        (
            "strategy",
            "best",
            "--strategy must be greedy, random, islands[:N] or restarts[:N], got 'best'.",
        ),
        ("sandbox", "none", "sandbox must be 'full', 'reduced' or 'static-checks', got 'none'."),
        ("device", "cuda:0", "device must be 'cpu' or 'cuda', got 'cuda:0'. Did you mean 'cuda'?"),
        ("feedback", "me", "feedback must be 'none', 'cli', 'web' or 'synthetic', got 'me'."),
        ("model_choice", "best", "model_choice must be 'weights' or 'bandit', got 'best'."),
        ("samples", 2.5, "samples must be a whole number, got 2.5."),
        ("samples", True, "samples must be a whole number, got True."),
        ("num_envs", "64", "num_envs must be a whole number or None, got '64'."),
        ("temperature", "hot", "temperature must be a number or 'server', got 'hot'."),
        ("baselines", "no", "baselines must be True or False, got 'no'."),
        ("task", None, "task takes a name, a path or a Task object, got None."),
        ("model", 5, "model must be a list or tuple, each entry text, got 5."),
        ("race", 3, "race must be Race, got 3."),
        ("runs_dir", 3, "runs_dir must be a path, got 3."),
        (
            "task",
            Path,
            "task takes a name, a path or a Task object, got the class Path: give an object of it.",
        ),
    ],
)
def test_a_value_of_a_wrong_type_is_refused_with_the_allowed_ones(
    field: str, value: object, says: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        made(**{field: value})
    assert str(refused.value) == says


def test_an_unknown_field_is_refused_with_the_one_that_was_meant() -> None:
    with pytest.raises(
        ConfigError,
        match=r"SynthesisConfig has no setting 'generatoins'\. Did you mean 'generations'",
    ):
        made(generatoins=3)


@pytest.mark.parametrize("seed", [-1, MAX_SEED + 1, 10**30])
def test_a_seed_that_no_generator_takes_is_refused(seed: int) -> None:
    with pytest.raises(UsageError, match=r"--seed must lie between 0 and 2,147,483,647"):
        made(seed=seed)


def test_paths_may_be_text_and_begin_with_the_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    assert made(runs_dir="~/x").run.runs_dir == Path("/home/someone/x")
    assert made(examples=1, examples_dir="mine").models.examples_dir == Path("mine")
    with pytest.raises(
        UsageError, match="The home folder in '~nobody-like-this/x' cannot be found"
    ):
        made(runs_dir="~nobody-like-this/x")


def test_lists_weights_and_numpy_numbers_are_accepted() -> None:
    assert made(model=["a=2", "b"]).models.weights == {"a": 2.0, "b": 1.0}
    assert made(model={"a": 2.0, "b": 1}).models.weights == {"a": 2.0, "b": 1.0}
    config = made(seed=np.int64(3), temperature=np.float32(0.5), max_cost_usd=1)
    assert (type(config.search.seed), type(config.models.temperature)) == (int, float)


def test_a_config_survives_json_pickle_and_copy() -> None:
    config = made(runs_dir="runs", model=["a"])
    assert from_json(SynthesisConfig, to_json(config)) == config
    assert pickle.loads(pickle.dumps(config)) == config
    assert copy.deepcopy(config) == config
    groups = ["task", "search", "models", "training", "screening", "run", "page"]
    assert list(inspect.signature(SynthesisConfig).parameters) == groups


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"judge": "code", "feedback": "cli"}, "--judge code and --feedback cli both rank"),
        ({"yes": True}, "--yes needs --judge code"),
        ({"measure": "m.py", "judge": "vision", "model": "m"}, "--measure needs --judge code"),
        ({"judge": "vision"}, "--judge vision needs a model that reads images"),
        ({"judge_model": "m"}, "--judge-model needs --judge vision"),
        ({"judge": "me"}, "judge must be 'none', 'code' or 'vision', got 'me'."),
    ],
)
def test_judges_that_cannot_work_are_refused(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=re.escape(says)):
        made(**settings)


def test_judge_looks_with_its_own_model_or_the_first_of_the_run() -> None:
    assert made(judge="vision", model=["a=2", "b"]).models.vision_model == "a"
    assert made(judge="vision", model="a", judge_model="eyes").models.vision_model == "eyes"
    alone = made(judge="vision", judge_model="eyes", base_url="http://localhost:1/v1")
    assert alone.models.asks_models
