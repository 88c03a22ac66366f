"""The Python API without training: proposing, refining, calling a reward, saving it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import eureka_agent as ea
from eureka_agent.errors import CandidateError, RewardFileError, UsageError
from eureka_agent.proposers.scripted import ScriptedProposer
from tests.support.rewards import NO_CODE, UNKNOWN_NAME, upright


def test_everything_public_can_be_imported() -> None:
    for name in set(ea.__all__) - {"__version__"}:
        assert getattr(ea, name).__doc__
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
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


def test_generate_with_the_grammar_needs_nothing() -> None:
    generator = ea.RewardGenerator("hopper_forward", seed=3)
    first, second = generator.generate(2)
    assert first.source != second.source
    (refined,) = generator.refine("hop higher")
    assert refined.source not in (first.source, second.source)


def test_what_cannot_be_generated_is_said() -> None:
    generator = ea.RewardGenerator("cartpole", proposer=ScriptedProposer([[UNKNOWN_NAME]]))
    with pytest.raises(CandidateError, match="pole_angel"):
        generator.generate(1)
    with pytest.raises(UsageError, match="n must be at least 1"):
        generator.generate(0)
    with pytest.raises(UsageError, match="no reward to refine"):
        generator.refine("better")
    with pytest.raises(UsageError, match="needs words"):
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
    path = tmp_path / "reward.py"
    reward.save(path)
    assert ea.RewardFunction.load(path, task).source == reward.source
    with pytest.raises(RewardFileError, match="is no reward function for hopper_forward"):
        ea.RewardFunction.load(path, ea.find_task("hopper_forward"))
