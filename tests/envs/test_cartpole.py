import math

import mujoco
import pytest
import torch
from torch import Tensor

from eureka_agent.simulation import MujocoEnvironment
from eureka_agent.simulation.rollouts import evaluate, random_actions
from eureka_agent.tasks.registry import find_task
from tests.support.mujoco_tasks import mujoco_task
from tests.support.task_contract import check_contract, reward_of

TASK = mujoco_task("cartpole")


def state(
    position: float, angle: float, velocity: float = 0.0, rate: float = 0.0
) -> dict[str, Tensor]:
    return {
        "dof_pos": torch.tensor([[position, angle]]),
        "dof_vel": torch.tensor([[velocity, rate]]),
    }


def above(value: float) -> float:
    """Return the next float32."""
    return float(torch.nextafter(torch.tensor(value), torch.tensor(math.inf)))


def test_contract() -> None:
    check_contract(TASK)


def test_is_found_by_an_alias_in_words() -> None:
    assert find_task("balance the pole on the cart") is TASK


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_ends_beyond_three_metres_and_ninety_degrees(sign: float) -> None:
    for inside in (state(sign * 3.0, 0.0), state(0.0, sign * math.pi / 2)):
        assert not TASK.terminated(inside, {}).any()
    for outside in (state(sign * above(3.0), 0.0), state(0.0, sign * above(math.pi / 2))):
        assert TASK.terminated(outside, {}).all()


def test_full_action_pushes_with_400_newtons() -> None:
    model, data = TASK.model, mujoco.MjData(TASK.model)
    data.ctrl[:] = TASK.control(torch.ones(1, 1), {})[0].numpy()
    mujoco.mj_forward(model, data)
    # A cart M with a pole m, its middle at l: a = F / (M + m - (m l)^2 / (I + m l^2)); here M = m =
    # 1 kg, l = 0.47 m and I = (1.0^2 + 0.04^2) / 12 kg m^2.
    inertia = (1.0**2 + 0.04**2) / 12
    acceleration = 400.0 / (2.0 - 0.47**2 / (inertia + 0.47**2))
    assert data.qacc[0] == pytest.approx(acceleration)
    assert data.qacc[1] < 0  # the pole stays behind


def test_start_states_are_in_their_ranges() -> None:
    start = MujocoEnvironment(TASK, 1000, seed=1).state
    for name, limit in (("dof_pos", 0.1), ("dof_vel", 0.25)):
        assert start[name].abs().max() <= limit
        assert start[name].abs().max() > 0.95 * limit


def test_fitness_is_the_length_of_the_episode() -> None:
    environment = MujocoEnvironment(TASK, 1, seed=0)
    steps = 0
    while True:
        steps += 1
        step = environment.step(torch.zeros(1, 1))
        if step.terminated[0]:
            break
    assert steps < 200  # no environment balances by chance
    assert step.finished.fitness.tolist() == [float(steps)]
    assert step.state["dof_pos"].abs()[0, 1] > math.pi / 2


def test_random_actions_fail_early_and_a_linear_controller_solves_it() -> None:
    def push_under_the_pole(observation: Tensor) -> Tensor:
        x, velocity, angle, rate = observation.unbind(dim=1)
        return (0.05 * x + 0.1 * velocity + 1.0 * angle + 0.2 * rate)[:, None].clamp(-1.0, 1.0)

    policies = [random_actions(TASK, seed=0), push_under_the_pole]
    random, controlled = evaluate(TASK, policies, episodes=16, seed=0, threads=1)
    assert random.fitness < 40.0
    assert controlled.fitness == TASK.fitness_solved == 500.0


def test_human_reward() -> None:
    reward, components = reward_of(TASK, state(1.0, 0.5, velocity=2.0, rate=-4.0))
    # 1 - 0.5^2 - 0.01 * 2 - 0.005 * 4 = 0.71
    assert reward.item() == pytest.approx(0.71)
    assert components["upright"].item() == pytest.approx(0.75)
    for failed in (state(3.1, 0.0, velocity=1.0), state(0.0, 1.6)):
        assert reward_of(TASK, failed)[0].item() == -2.0
