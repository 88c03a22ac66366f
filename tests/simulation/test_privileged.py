"""Privileged state, which only the value function sees, in MuJoCo environments."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from eureka_agent.errors import SimulationError
from eureka_agent.simulation import MujocoEnvironment
from eureka_agent.simulation.physics import EpisodeState
from eureka_agent.tasks.task import State
from tests.support.hidden_side import STEPS, AsymmetricHiddenSide, HiddenSide


def test_privileged_state_follows_the_observation_for_the_critic_only() -> None:
    env, blind = (
        MujocoEnvironment(AsymmetricHiddenSide(), 6, seed=0),
        MujocoEnvironment(HiddenSide(), 6, seed=0),
    )
    assert (env.observation_size, env.privileged_size) == (2, 2)
    for _ in range(STEPS + 3):  # over the end of an episode
        action = torch.full((6, 1), 0.3)
        step, without = env.step(action), blind.step(action)
        assert torch.equal(step.observation, without.observation)
        assert torch.equal(step.final_observation, without.final_observation)
        assert torch.equal(step.final_critic_observation[:, :2], step.final_observation)
        assert torch.equal(step.final_critic_observation[:, 2], step.state["side"])
        assert torch.equal(env.critic_observation[:, 2], env.state["side"])
        assert torch.equal(env.critic_observation[:, :2], env.observation)
    assert set(env.state["side"].tolist()) == {-1.0, 1.0}


def test_time_out_has_the_privileged_state_of_the_episode_that_ended() -> None:
    env = MujocoEnvironment(AsymmetricHiddenSide(), 4, seed=0)
    for n in range(1, STEPS + 1):
        step = env.step(torch.zeros(4, 1))
        assert step.final_critic_observation[:, 3].tolist() == [float(n)] * 4
    assert step.truncated.all()
    assert env.critic_observation[:, 3].tolist() == [0.0] * 4


def test_critic_has_the_observation_itself_without_privileged_state() -> None:
    env = MujocoEnvironment(HiddenSide(), 4, seed=0)
    step = env.step(torch.zeros(4, 1))
    assert env.privileged_size == 0
    for critics, policys in (
        (env.critic_observation, env.observation),
        (step.final_critic_observation, step.final_observation),
    ):
        assert critics.data_ptr() == policys.data_ptr()  # no copy
        assert critics.shape == policys.shape


def test_kept_and_restored_environments_continue_unchanged() -> None:
    whole, part, other = (MujocoEnvironment(AsymmetricHiddenSide(), n, seed=3) for n in (5, 5, 2))
    for env in (whole, part):
        for _ in range(3):
            env.step(torch.full((5, 1), 0.5))
    ids = torch.tensor([1, 4])
    part.keep(ids)
    other.restore(part.snapshot())
    for env in (part, other):
        assert torch.equal(env.critic_observation, whole.critic_observation[ids])
    for _ in range(STEPS):
        expected = whole.step(torch.full((5, 1), 0.5)).final_critic_observation[ids]
        for env in (part, other):
            assert torch.equal(env.step(torch.full((2, 1), 0.5)).final_critic_observation, expected)


class Gives(HiddenSide):
    """Privileged state of any form."""

    def __init__(self, form: Callable[[Tensor], Tensor | None]) -> None:
        self._form = form

    def privileged(self, state: State, episode_state: EpisodeState) -> Tensor | None:
        return self._form(episode_state["steps"])


@pytest.mark.parametrize(
    ("form", "message"),
    [
        (
            lambda n: n,
            r"float32 of shape \(4, n\), one row per environment; it is float32 of shape \(4,\)",
        ),
        (lambda n: n[:3, None], r"it is float32 of shape \(3, 1\)"),
        (lambda n: n[:, None].double(), r"it is float64 of shape \(4, 1\)"),
        (lambda n: n[:, None] / 0.0, "'hidden_side' starts with .* not finite"),
    ],
)
def test_privileged_state_of_the_wrong_form_is_refused(
    form: Callable[[Tensor], Tensor], message: str
) -> None:
    with pytest.raises(SimulationError, match=message):
        MujocoEnvironment(Gives(form), 4, seed=0)


def test_size_of_privileged_state_cannot_change() -> None:
    env = MujocoEnvironment(Gives(lambda n: n[:, None] if n.max() < 2.0 else None), 4, seed=0)
    env.step(torch.zeros(4, 1))
    with pytest.raises(
        SimulationError, match=r"its critic 2 numbers per environment .* but gave it 3 before"
    ):
        env.step(torch.zeros(4, 1))


def test_privileged_state_that_is_not_finite_makes_the_row_bad() -> None:
    env = MujocoEnvironment(Gives(lambda n: torch.where(n > 1.5, math.nan, n)[:, None]), 4, seed=0)
    assert not env.step(torch.zeros(4, 1)).bad.any()
    step = env.step(torch.zeros(4, 1))
    assert step.bad.all()
    assert step.terminated.all()
    assert step.final_critic_observation[:, 2].tolist() == [0.0] * 4
