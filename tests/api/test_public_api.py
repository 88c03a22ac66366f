"""The Python API without training: propose, refine, call and save a reward."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import eureka_agent as ea
from eureka_agent.errors import (
    CandidateError,
    ConfigError,
    RewardFileError,
    UnknownTaskError,
    UsageError,
)
from eureka_agent.proposers.scripted import ScriptedProposer
from tests.support.rewards import NO_CODE, UNKNOWN_NAME, upright


def test_everything_public_can_be_imported() -> None:
    for name in set(ea.__all__) - {"__version__"}:
        assert getattr(ea, name).__doc__
    with pytest.raises(AttributeError, match="eureka_agent attribute nonsense"):
        _ = ea.nonsense


def test_generate_and_refine_with_a_models_answers() -> None:
    proposer = ScriptedProposer([[upright(0.1), NO_CODE, upright(0.2)], [upright(0.3)]])
    generator = ea.RewardGenerator("cartpole", proposer=proposer)
    rewards = generator.generate(3)
    assert len(rewards) == 2
    assert [outcome.candidate.name for outcome in generator.failures] == ["g0c1"]
    (better,) = generator.refine("the cart runs away", rewards[0])
    assert "0.3" in better.source
    messages = proposer.prompts[1].messages
    asked = "\n".join(message.content for message in messages)
    assert "the cart runs away" in asked
    assert rewards[0].source.strip() in asked


def test_the_prompt_has_the_users_own_words() -> None:
    def asked(task: str, instruction: str | None = None) -> str:
        proposer = ScriptedProposer([[upright(0.1)]])
        ea.RewardGenerator(task, proposer=proposer, instruction=instruction).generate(1)
        return proposer.prompts[0].messages[-1].content

    assert "own words for it: Inverted Pendulum" in asked("Inverted Pendulum")
    assert "own words for it" not in asked("Cart_Pole".replace("_", ""))
    assert "let the pole fall" in asked("cartpole", "let the pole fall")
    with pytest.raises(
        UnknownTaskError,
        match=r"RewardGenerator\('cartpole', instruction=\"let the cart pole fall\"\)",
    ):
        ea.RewardGenerator("let the cart pole fall")


def test_generate_with_the_grammar_needs_nothing() -> None:
    generator = ea.RewardGenerator("hopper_forward", seed=3)
    first, second = generator.generate(2)
    assert first.source != second.source
    (refined,) = generator.refine("hop higher")
    assert refined.source not in (first.source, second.source)


def test_a_failed_generation_of_rewards_has_a_reason() -> None:
    generator = ea.RewardGenerator("cartpole", proposer=ScriptedProposer([[UNKNOWN_NAME]]))
    with pytest.raises(CandidateError, match="pole_angel"):
        generator.generate(1)
    with pytest.raises(UsageError, match="n must be at least 1"):
        generator.generate(0)
    with pytest.raises(UsageError, match="no reward to refine"):
        generator.refine("better")
    with pytest.raises(UsageError, match="needs feedback"):
        generator.refine("  ")


def test_a_reward_function_is_called_saved_and_loaded(tmp_path: Path) -> None:
    task = ea.find_task("cartpole")
    generator = ea.RewardGenerator(task, proposer=ScriptedProposer([[upright(0.5)]]))
    (reward,) = generator.generate(1)
    with reward:
        value, components = reward(
            dof_pos=torch.zeros(3, 2), dof_vel=torch.tensor([[0.0, 0.0], [2.0, 0.0], [-4.0, 0.0]])
        )
        # upright: cos 0 = 1; calm: -0.5 |v| = 0, -1, -2
        assert value.tolist() == [1.0, 0.0, -1.0]
        assert reward.components == ("upright", "calm")
        assert components["calm"].tolist() == [0.0, -1.0, -2.0]
        many, _ = reward(dof_pos=torch.zeros(5000, 2), dof_vel=torch.zeros(5000, 2))
        assert many.shape == (5000,)
        with pytest.raises(UsageError, match="missing: dof_vel"):
            reward(dof_pos=torch.zeros(3, 2))
        arrays, _ = reward(dof_pos=np.zeros((3, 2)), dof_vel=np.zeros((3, 2)))
        assert arrays.tolist() == [1.0, 1.0, 1.0]
    path = tmp_path / "reward.py"
    reward.save(path)
    assert ea.RewardFunction.load(path, task).source == reward.source
    with pytest.raises(RewardFileError, match="is not a valid reward function for hopper_forward"):
        ea.RewardFunction.load(path, ea.find_task("hopper_forward"))


@pytest.mark.parametrize(
    ("positional", "state", "says"),
    [
        (
            (torch.zeros(3, 2),),
            {},
            r"takes its state by name: reward\(dof_pos=\.\.\., dof_vel=\.\.\.\)",
        ),
        (
            (),
            {"dof_pos": torch.zeros(3, 2), "dof_vell": torch.zeros(3, 2)},
            "Did you mean 'dof_vel'",
        ),
        (
            (),
            {"dof_pos": torch.zeros(3, 2), "dof_vel": torch.zeros(4, 2)},
            r"dof_vel must have the shape \(rows, 2\)",
        ),
        (
            (),
            {"dof_pos": torch.zeros(3), "dof_vel": torch.zeros(3, 2)},
            r"dof_pos must have the shape.*got \(3,\)",
        ),
        ((), {"dof_pos": torch.zeros(0, 2), "dof_vel": torch.zeros(0, 2)}, "at least one"),
        ((), {"dof_pos": torch.tensor(1.0), "dof_vel": torch.zeros(3, 2)}, r"got \(\)"),
        (
            (),
            {"dof_pos": [[0.0, 0.0]], "dof_vel": torch.zeros(1, 2)},
            "dof_pos must be a tensor or a NumPy array",
        ),
    ],
)
def test_a_wrong_call_of_a_reward_gives_one_sentence(
    positional: tuple[object, ...], state: dict[str, Any], says: str
) -> None:
    (reward,) = ea.RewardGenerator(
        "cartpole", proposer=ScriptedProposer([[upright(0.5)]])
    ).generate(1)
    with pytest.raises(UsageError, match=says):
        reward(*positional, **state)


def test_arguments_that_do_not_exist_or_fit_are_refused(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError,
        match=r"RewardGenerator has no argument 'model'.* It has task, proposer, instruction",
    ):
        ea.RewardGenerator("cartpole", model="gpt-5")  # type: ignore[call-arg]
    with pytest.raises(
        ConfigError, match="sandbox must be 'full', 'reduced' or 'static-checks', got 'none'"
    ):
        ea.RewardGenerator("cartpole", sandbox="none")  # type: ignore[arg-type]
    with pytest.raises(UnknownTaskError):
        ea.RewardGenerator("xxx")
    config = ea.SynthesisConfig.of(task="cartpole", runs_dir=tmp_path / "runs")
    with pytest.raises(ConfigError, match=r"no argument 'listner'\. Did you mean 'listener'"):
        ea.synthesize(config, listner=print)  # type: ignore[call-arg]
    with pytest.raises(ConfigError, match="config must be SynthesisConfig, got 'cartpole'"):
        ea.synthesize("cartpole")  # type: ignore[arg-type]
    assert not (tmp_path / "runs").exists()


def test_the_version_is_that_of_the_package() -> None:
    assert ea.__version__ == importlib.metadata.version("eureka-agent")
    done = subprocess.run(
        [sys.executable, "-m", "eureka_agent", "--version"], capture_output=True, text=True
    )
    assert done.stdout == f"eureka-agent {ea.__version__}\n"
