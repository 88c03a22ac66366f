"""Reward distance: the paper's invariances, worked examples, and what must not be invariant."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

import eureka_agent as ea
from eureka_agent.errors import RewardRuntimeError, UsageError
from eureka_agent.rewards.distance import canonical, distance_of, nearest
from tests.support.in_process import InProcess, human_reward, upright
from tests.support.toy_task import ToyTask

DISCOUNT = 0.9


def tabular(
    steps: list[tuple[int, int]], states: int, discount: float, ends: tuple[int, ...] = ()
) -> ea.Transitions:
    """Return transitions (from, to) of numbered states as one-hot vectors; `ends`: steps that end."""
    before, after = torch.tensor(steps).T
    one_hot = torch.eye(states)
    terminated = torch.tensor([row in ends for row in range(len(steps))])
    return ea.Transitions(
        {"prev_cell": one_hot[before], "cell": one_hot[after]}, terminated, ("cell",), discount
    )


def walk(rows: int = 600, *, ends: bool = True) -> ea.Transitions:
    """Return transitions of a point in the plane that is pushed at random, and of a height."""
    draw = torch.Generator().manual_seed(0)
    before = torch.randn(rows, 2, generator=draw)
    push = torch.rand(rows, 2, generator=draw) * 2.0 - 1.0
    after = before + 0.3 * push
    state = {
        "prev_at": before,
        "at": after,
        "prev_height": before.norm(dim=1),
        "height": after.norm(dim=1),
    }
    terminated = (after.norm(dim=1) > 2.0) & torch.tensor(ends)
    return ea.Transitions({**state, "action": push}, terminated, ("at", "height"), DISCOUNT)


def some_rewards(count: int, rows: int) -> Tensor:
    return torch.randn(count, rows, generator=torch.Generator().manual_seed(1))


# ---------------------------------------------------------------------- worked examples
def test_two_states_by_hand() -> None:
    """States 0 and 1, stay or go, discount 1/2; A pays for staying in 1, B for staying in 0.

    Transitions 0-0, 0-1, 1-1, 1-0. A potential (p, q) adds (-p/2, q/2 - p, -q/2, p/2 - q), so the
    columns of F are (-1/2, -1, 0, 1/2) and (0, 1/2, -1/2, -1); F'F = ((1.5, -1), (-1, 1.5)), with
    the inverse ((1.2, 0.8), (0.8, 1.2)). A = (0, 0, 1, 0): F'A = (0, -1/2), w = (-0.4, -0.6), F w =
    (0.2, 0.1, 0.3, 0.4), c(A) = (-0.2, -0.1, 0.7, -0.4). By symmetry c(B) = (0.7, -0.4, -0.2,
    -0.1). Both have the norm sqrt(0.7), and c(A) c(B) = -0.2. So the correlation is -2/7 and d =
    sqrt((1 + 2/7) / 2) = sqrt(9/14).
    """
    transitions = tabular([(0, 0), (0, 1), (1, 1), (1, 0)], 2, 0.5)
    a, b = torch.tensor([0.0, 0.0, 1.0, 0.0]), torch.tensor([1.0, 0.0, 0.0, 0.0])
    expected = torch.tensor([-0.2, -0.1, 0.7, -0.4], dtype=torch.float64) / math.sqrt(0.7)
    assert torch.allclose(canonical(a, transitions), expected, atol=1e-12)
    assert ea.reward_distance(a, b, transitions) == pytest.approx(math.sqrt(9 / 14), abs=1e-12)


def test_a_bonus_for_being_alive_by_hand() -> None:
    """One state, stay or end, discount 1/2: if episodes end, a constant is not shaping.

    A potential p adds (-p/2, -p). The constant (1, 1) leaves (1, 1) - 1.2 (1/2, 1) = (0.4, -0.2). A
    reward for staying, (1, 0), leaves (1, 0) - 0.4 (1/2, 1) = (0.8, -0.4): the same preference. The
    constant -1 has the opposite one.
    """
    transitions = tabular([(0, 0), (0, 0)], 1, 0.5, ends=(1,))
    alive, staying = torch.tensor([1.0, 1.0]), torch.tensor([1.0, 0.0])
    assert torch.allclose(
        canonical(alive, transitions), torch.tensor([2.0, -1.0]).double() / math.sqrt(5), atol=1e-12
    )
    assert ea.reward_distance(alive, staying, transitions) == pytest.approx(0.0, abs=1e-7)
    assert ea.reward_distance(alive, -alive, transitions) == pytest.approx(1.0)


def test_any_table_is_canonicalised_by_its_least_norm() -> None:
    """The canonical reward is the smallest of all that differ by shaping."""
    draw = torch.Generator().manual_seed(2)
    steps = [(s, int(t)) for s in range(6) for t in torch.randint(6, (4,), generator=draw)]
    transitions = tabular(steps, 6, DISCOUNT, ends=(3, 11))
    reward = torch.randn(len(steps), generator=draw, dtype=torch.float64)
    before, after = transitions.state["prev_cell"].double(), transitions.state["cell"].double()
    shaping = DISCOUNT * after * ~transitions.terminated[:, None] - before
    potentials = torch.linalg.lstsq(shaping, reward[:, None]).solution
    least = reward - (shaping @ potentials)[:, 0]
    assert torch.allclose(canonical(reward, transitions), least / least.norm(), atol=1e-9)


# -------------------- what is invariant, and what is not
def shaped(
    transitions: ea.Transitions, potential_before: Tensor, potential_after: Tensor
) -> Tensor:
    return transitions.discount * potential_after * ~transitions.terminated - potential_before


def test_positive_factors_and_shaping_change_nothing() -> None:
    transitions = walk()
    at, was = transitions.state["at"], transitions.state["prev_at"]
    height, low = transitions.state["height"], transitions.state["prev_height"]
    reward = torch.exp(-at[:, 0].square()) - transitions.state["action"].square().sum(dim=1)
    potentials = {
        "linear": (3.0 * was[:, 0] - was[:, 1], 3.0 * at[:, 0] - at[:, 1]),
        "a product": (was[:, 0] * was[:, 1], at[:, 0] * at[:, 1]),
        "a named variable": (-5.0 * low, -5.0 * height),
        "a square": ((was[:, 0] - 2.0).square(), (at[:, 0] - 2.0).square()),
        "a constant": (torch.full_like(low, 7.0), torch.full_like(low, 7.0)),
    }
    for name, (before, after) in potentials.items():
        disguised = 0.25 * reward + shaped(transitions, before, after)
        assert ea.reward_distance(reward, disguised, transitions) < 1e-5, name
        # Without the discount, states of high potential are paid at every step.
        without_discount = reward + after - before
        if name != "a constant":
            assert ea.reward_distance(reward, without_discount, transitions) > 0.01, name


def test_a_constant_is_shaping_if_no_episode_terminates() -> None:
    endless, ending = walk(ends=False), walk()
    reward = torch.exp(-endless.state["at"][:, 0].square())
    assert ea.reward_distance(reward, reward + 10.0, endless) < 1e-5
    assert ea.reward_distance(reward, reward + 10.0, ending) > 0.1


def test_a_potential_beyond_the_quadratics_is_removed_in_part() -> None:
    """The documented limit: exp(-x) is not quadratic, so its residual counts as a difference."""
    transitions = walk()
    reward = transitions.state["action"][:, 0]
    before, after = (torch.exp(-transitions.state[name][:, 0]) for name in ("prev_at", "at"))
    distance = ea.reward_distance(reward, reward + shaped(transitions, before, after), transitions)
    assert 0.01 < distance < 0.5


def test_it_is_a_pseudometric_from_0_to_1() -> None:
    transitions = walk()
    values = some_rewards(12, len(transitions))
    rewards = [canonical(reward, transitions) for reward in values]
    d = torch.tensor([distance_of(a, b) for a in rewards for b in rewards]).view(12, 12)
    assert torch.equal(d, d.T)
    assert d.diagonal().max() == 0.0
    # d(a, b) + d(b, c) >= d(a, c)
    assert (d[:, :, None] + d[None, :, :] >= d[:, None, :] - 1e-12).all()
    others = d[~torch.eye(12, dtype=torch.bool)]
    assert 0.6 < others.min() <= others.max() < 0.8  # unrelated: about sqrt(1/2)
    assert distance_of(rewards[0], canonical(-values[0], transitions)) == pytest.approx(1.0)


def test_a_reward_of_only_shaping_equals_zero_reward() -> None:
    transitions = walk()
    only_shaping = shaped(
        transitions, transitions.state["prev_at"][:, 0], transitions.state["at"][:, 0]
    )
    nothing, something = torch.zeros(len(transitions)), some_rewards(1, len(transitions))[0]
    assert ea.reward_distance(only_shaping, nothing, transitions) == 0.0
    assert ea.reward_distance(only_shaping, something, transitions) == pytest.approx(0.5)


# -------------------- transitions of tasks, and reward runners
def test_transitions_of_a_task_with_and_without_policies() -> None:
    task = ea.find_task("cartpole")
    transitions = ea.sample_transitions(task, num_envs=8, steps=40)
    assert len(transitions) == 320
    assert transitions.potentials_of == ("dof_pos", "dof_vel", "episode_time")
    assert transitions.state.keys() == task.reward_inputs.shapes.keys()
    assert 0 < transitions.terminated.sum() < 320
    again = ea.sample_transitions(task, num_envs=8, steps=40)
    assert all(torch.equal(again.state[name], values) for name, values in transitions.state.items())
    # The pushed half gets a policy that pushes left; noise of 0.3 keeps its actions well below
    # those of the others.
    with_policy = ea.sample_transitions(
        task,
        policies=[lambda observation: torch.full((len(observation), 1), -1.0)],
        num_envs=8,
        steps=1,
    )
    assert with_policy.state["action"][4:].max() < 0.0
    with pytest.raises(UsageError, match="2 ways to act need at least 2 environments"):
        ea.sample_transitions(task, policies=[torch.zeros_like], num_envs=1)


def test_shaped_and_scaled_human_reward_has_distance_0() -> None:
    """On real physics, with shaping by a quadratic of the cart's position."""
    task = ea.find_task("cartpole")
    transitions = ea.sample_transitions(task, num_envs=32, steps=32)
    human, other = human_reward(task), InProcess(upright, "dof_pos")
    human.submit(transitions.state)
    values = human.collect().reward
    cart = (
        transitions.state["prev_dof_pos"][:, 0].square(),
        transitions.state["dof_pos"][:, 0].square(),
    )
    assert ea.reward_distance(human, 4.0 * values + shaped(transitions, *cart), transitions) < 1e-4
    assert 0.05 < ea.reward_distance(human, other, transitions) < 0.7


def test_a_reward_function_in_the_sandbox_can_be_compared() -> None:
    task = ea.find_task("cartpole")
    transitions = ea.sample_transitions(task, num_envs=16, steps=16)
    generator = ea.RewardGenerator(task, seed=3)
    (reward,) = generator.generate(1)
    with reward:
        values = reward(**transitions.state)[0]
        assert ea.reward_distance(reward, values, transitions) == 0.0


def test_invalid_values_and_transitions_are_refused() -> None:
    transitions = walk(20)
    fine = torch.zeros(20)
    with pytest.raises(UsageError, match=r"expected \(20,\), got \(5,\)"):
        ea.reward_distance(fine, torch.zeros(5), transitions)
    with pytest.raises(UsageError, match="NaN or infinity"):
        ea.reward_distance(torch.full((20,), math.nan), fine, transitions)
    with pytest.raises(RewardRuntimeError):
        ea.reward_distance(InProcess(lambda height: height / 0.0, "height"), fine, transitions)
    with pytest.raises(UsageError, match="'prev_at' with 3 rows"):
        ea.Transitions({"at": torch.zeros(3, 2)}, torch.zeros(3, dtype=torch.bool), ("at",)).shaping  # noqa: B018
    with pytest.raises(UsageError, match="0 transitions"):
        ea.Transitions({}, torch.zeros(0, dtype=torch.bool), ("at",))
    with pytest.raises(UsageError, match="discount must lie between 0 and 1"):
        ea.Transitions(transitions.state, transitions.terminated, ("at",), 1.5)


def test_constant_variables_give_no_potentials_and_no_nan() -> None:
    """The toy task's orientation, mark and two coordinates are constant."""
    transitions = ea.sample_transitions(ToyTask(), num_envs=16, steps=64)
    assert torch.isfinite(transitions.shaping).all()
    speed = transitions.state["mass_speed"]
    assert ea.reward_distance(-speed, -2.0 * speed, transitions) == pytest.approx(0.0, abs=1e-7)
    assert ea.reward_distance(-speed, speed, transitions) == pytest.approx(1.0)


def test_the_nearest_earlier_reward() -> None:
    """Unit vectors at 0, 60 and 180 degrees are sin(angle / 2) apart."""
    angles = {"g0c0": 180.0, "g0c1": 60.0}
    earlier = {
        n: torch.tensor([math.cos(math.radians(a)), math.sin(math.radians(a))])
        for n, a in angles.items()
    }
    candidate = torch.tensor([1.0, 0.0])
    assert nearest(candidate, {}) is None
    found = nearest(candidate, earlier)
    assert found is not None
    assert found[0] == "g0c1"
    assert found[1] == pytest.approx(0.5)
