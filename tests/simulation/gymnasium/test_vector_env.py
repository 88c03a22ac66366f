"""Environments of Gymnasium as one batch: in this process and in worker processes."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import gymnasium
import pytest
import torch

from eureka_agent.errors import SimulationError, TaskError
from eureka_agent.simulation import BatchedEnv, SupportsKeep, random_actions
from eureka_agent.simulation.batched_env import Step
from eureka_agent.simulation.gymnasium import GymnasiumEnv, GymnasiumTask, fitness_rule
from eureka_agent.simulation.gymnasium.task import gymnasium_task
from eureka_agent.simulation.gymnasium.worker_pool import WorkerPool

RETURN = fitness_rule("env_return")
WORKERS = pytest.mark.parametrize("workers", [0, 2])


@pytest.fixture(scope="module")
def cart() -> GymnasiumTask:
    return GymnasiumTask("CartPole-v1", {}, RETURN)


def made(
    task: GymnasiumTask, num_envs: int, *, workers: int = 0, streams: int | None = None
) -> GymnasiumEnv:
    return GymnasiumEnv(task, num_envs, seed=3, streams=streams, workers=workers)


def steps(env: GymnasiumEnv, count: int) -> Iterator[Step]:
    act = random_actions(env.task, seed=1)
    for _ in range(count):
        yield env.step(act(env.critic_observation))


def assert_same(a: Step, b: Step) -> None:
    assert a.observation.equal(b.observation)
    assert a.final_observation.equal(b.final_observation)
    assert a.terminated.equal(b.terminated)
    assert a.truncated.equal(b.truncated)
    assert a.fitness.equal(b.fitness)
    assert a.finished.length.equal(b.finished.length)


# ------------------------------------------------------------------ the contract
@WORKERS
def test_it_keeps_the_contract_of_a_batch(cart: GymnasiumTask, workers: int) -> None:
    env = made(cart, 5, workers=workers)
    assert isinstance(env, BatchedEnv)
    assert isinstance(env, SupportsKeep)
    assert env.critic_observation.shape == (5, 4)
    for step in steps(env, 60):
        assert step.own_reward is not None
        assert step.own_reward.tolist() == [1.0] * 5
        done = step.terminated | step.truncated
        assert step.finished.env_ids.equal(done.nonzero()[:, 0])
        assert step.finished.fitness.equal(step.finished.length)
        assert step.observation[~done].equal(step.final_observation[~done])
        assert step.state["pole_angle"].equal(step.final_observation[:, 2])
        assert env.state["pole_angle"].equal(step.observation[:, 2])
        assert env.state["episode_time"][done].tolist() == [0.0] * int(done.sum())
        assert step.state["action"].sum(dim=1).tolist() == [1.0] * 5


def test_workers_step_as_this_process_does(cart: GymnasiumTask) -> None:
    here, there = made(cart, 5), made(cart, 5, workers=2)
    for a, b in zip(steps(here, 60), steps(there, 60), strict=True):
        assert_same(a, b)


def test_episodes_are_those_of_the_environment_itself(cart: GymnasiumTask) -> None:
    env = made(cart, 1)
    seed = int(made(cart, 1)._arrays.seed[0])  # that of the second episode
    act, own = random_actions(cart, seed=1), gymnasium.make("CartPole-v1")
    step = env.step(act(env.critic_observation))
    while not step.terminated.any():
        step = env.step(act(env.critic_observation))
    start, _ = own.reset(seed=seed)
    assert step.observation[0].tolist() == start.tolist()
    for _ in range(5):
        action = act(env.critic_observation)
        step = env.step(action)
        observed, *_ = own.step(int(action[0].argmax()))
        assert step.final_observation[0].tolist() == observed.tolist()


def test_environments_of_the_same_stream_have_the_same_episodes(cart: GymnasiumTask) -> None:
    env = made(cart, 6, streams=3, workers=2)
    assert env.critic_observation[:3].equal(env.critic_observation[3:])
    assert not env.critic_observation[0].equal(env.critic_observation[1])
    action = torch.tensor([[1.0, 0.0]]).repeat(6, 1)
    for _ in range(30):
        step = env.step(action)
        assert step.observation[:3].equal(step.observation[3:])


def test_the_same_seed_gives_the_same_episodes_and_another_seed_others(cart: GymnasiumTask) -> None:
    first = made(cart, 2).critic_observation
    assert made(cart, 2).critic_observation.equal(first)
    assert not GymnasiumEnv(cart, 2, seed=4).critic_observation.equal(first)


@WORKERS
def test_dropped_environments_are_not_stepped_and_the_others_go_on(
    cart: GymnasiumTask, workers: int
) -> None:
    whole, part = made(cart, 6), made(cart, 6, workers=workers)
    actions = [random_actions(cart, seed=k)(whole.critic_observation) for k in range(30)]
    for action in actions[:5]:
        whole.step(action)
        part.step(action)
    ids = torch.tensor([4, 1, 3])
    part.keep(ids)
    assert part.num_envs == 3
    dropped = part._arrays.now[0].copy()
    for action in actions[5:]:
        a, b = whole.step(action), part.step(action[ids])
        assert a.observation[ids].equal(b.observation)
        assert a.fitness[ids].equal(b.fitness)
    assert (part._arrays.now[0] == dropped).all()


def test_the_time_limit_truncates() -> None:
    pendulum = gymnasium_task("Pendulum-v1", {"kwargs": {"max_episode_steps": 4}})
    assert isinstance(pendulum, GymnasiumTask)
    ends = [
        (s.truncated.all().item(), s.terminated.any().item()) for s in steps(made(pendulum, 2), 8)
    ]
    assert ends == [(False, False)] * 3 + [(True, False)] + [(False, False)] * 3 + [(True, False)]


# ------------------------------------------------------------------ fitness
@pytest.mark.parametrize("fitness", ["episode_length", "info:steps:last", "info:steps:max"])
def test_an_episode_s_fitness_follows_its_rule(package: str, fitness: str) -> None:
    point = gymnasium_task(f"{package}:someones/Point-v0", {"fitness": fitness})
    assert isinstance(point, GymnasiumTask)
    ended = [step.finished for step in steps(made(point, 3), 90)]
    lengths = torch.cat([each.length for each in ended])
    assert len(lengths) >= 6
    assert torch.cat([each.fitness for each in ended]).equal(lengths)


# ------------------------------------------------------------------ an instruction's own end
def test_without_ends_a_mujoco_environment_is_stepped_on_to_its_time_limit() -> None:
    hopper = GymnasiumTask("Hopper-v5", {"max_episode_steps": 60}, RETURN).without_end()
    ends = [
        (s.terminated.any().item(), s.truncated.any().item()) for s in steps(made(hopper, 1), 60)
    ]
    assert ends == [(False, False)] * 59 + [(False, True)]


def test_without_ends_other_environments_are_truncated_where_they_end(cart: GymnasiumTask) -> None:
    ended = list(steps(made(cart.without_end(), 4), 60))
    assert not any(step.terminated.any() for step in ended)
    lengths = torch.cat([step.finished.length for step in ended])
    assert len(lengths) > 0
    assert lengths.max() < 500


# ------------------------------------------------------------------ faults
def faulty(package: str, fault: str) -> GymnasiumTask:
    """Return a faulty task that worker processes can make, too."""
    task = gymnasium_task(f"{package}:Endless-v0", {"kwargs": {"fault": fault}})
    assert isinstance(task, GymnasiumTask)
    return task


@WORKERS
def test_an_error_of_the_environment_is_a_task_error_with_its_place(
    package: str, workers: int
) -> None:
    env = made(faulty(package, "error"), 2, workers=workers)
    with pytest.raises(TaskError, match=r"RuntimeError: the motor is broken \(.*__init__.py:\d+\)"):
        list(steps(env, 60))


@WORKERS
def test_numbers_that_are_not_finite_make_a_row_bad_and_end_its_episode(
    package: str, workers: int
) -> None:
    env = made(faulty(package, "nan"), 2, workers=workers)
    bad = [step for step in steps(env, 40) if step.bad.any()]
    assert len(bad) >= 1
    for step in bad:
        assert step.terminated[step.bad].all()
        assert step.fitness[step.bad].tolist() == [0.0] * int(step.bad.sum())
        assert step.final_observation.isfinite().all()
        assert step.observation.isfinite().all()


def test_a_worker_that_ends_itself_is_a_simulation_error(package: str) -> None:
    env = made(faulty(package, "exit"), 2, workers=2)
    with pytest.raises(SimulationError, match="ended with exit code 3"):
        list(steps(env, 60))


# ------------------------------------------------------------------ processes
def pids(env: GymnasiumEnv) -> list[int]:
    assert isinstance(env._runner, WorkerPool)
    return list(env._runner.pids)


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20.0
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").split()[2] != "Z"


def test_a_killed_worker_is_a_simulation_error_and_the_others_end(cart: GymnasiumTask) -> None:
    env = made(cart, 4, workers=2)
    first, second = pids(env)
    os.kill(first, signal.SIGKILL)
    with pytest.raises(SimulationError, match="was killed"):
        list(steps(env, 3))
    assert not runs(second)


@pytest.mark.parametrize("how", ["close", "collect"])
def test_no_process_is_left(cart: GymnasiumTask, how: str) -> None:
    env = made(cart, 4, workers=2)
    workers = pids(env)
    assert all(map(runs, workers))
    if how == "close":
        env.close()
    del env
    gc.collect()
    assert not any(map(runs, workers))


@pytest.mark.slow
def test_workers_end_with_a_parent_that_is_killed() -> None:
    code = (
        "import time; from eureka_agent.simulation.gymnasium import *;"
        " task = gymnasium_task('CartPole-v1', {});"
        " env = GymnasiumEnv(task, 2, seed=0, workers=2);"
        " print(*env._runner.pids, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    workers = [int(pid) for pid in parent.stdout.readline().split()]
    assert len(workers) == 2
    parent.kill()
    parent.wait()
    parent.stdout.close()
    wait_until(lambda: not any(map(runs, workers)))
