"""MuJoCo environments that reset themselves, on real physics."""

from __future__ import annotations

import math

import mujoco
import pytest
import torch
from torch import Tensor

from eureka_agent.errors import SimulationError
from eureka_agent.simulation import CpuEngine, MujocoEnvironment
from eureka_agent.simulation.mujoco_task import MujocoTask
from eureka_agent.simulation.physics import EpisodeState, InitialState, Physics, Random
from eureka_agent.tasks.task import State, StateSpec, StateVariable
from tests.support.mujoco_tasks import mujoco_task

SLIDER = """
<mujoco>
  <option timestep="0.01" gravity="0 0 0"/>
  <worldbody><body><joint name="x" type="slide" axis="1 0 0"/><geom size="0.1" mass="1"/></body></worldbody>
  <actuator><motor joint="x" ctrllimited="true" ctrlrange="-2 2"/></actuator>
  <sensor><jointpos name="where" joint="x"/></sensor>
</mujoco>
"""


class Slider(MujocoTask):
    """A mass of 1 kg on a rail; the episode ends at 1 m, or after 20 steps."""

    name, description, aliases = "slider", "push the mass", ()
    frame_skip, max_episode_steps = 10, 20
    fitness_unit, fitness_solved, action_names = "m", 1.0, ("push",)
    state_spec = StateSpec(
        (
            StateVariable("x", (), "m", "world", "position"),
            StateVariable("n", (), "-", "-", "steps"),
        )
    )

    def build(self) -> mujoco.MjSpec:
        return mujoco.MjSpec.from_string(SLIDER)

    def initial_state(self, random: Random) -> InitialState:
        return InitialState(
            random.uniform(0.0, 0.5, 1),
            torch.zeros(random.n, 1),
            episode_state={"n": torch.zeros(random.n)},
        )

    def update_episode_state(self, physics: Physics, episode_state: EpisodeState) -> EpisodeState:
        return {"n": episode_state["n"] + 1}

    def state(self, physics: Physics, episode_state: EpisodeState) -> dict[str, Tensor]:
        return {"x": physics.sensor("where")[:, 0], "n": episode_state["n"]}

    def observation(self, state: State, episode_state: EpisodeState) -> Tensor:
        return torch.stack([state["x"], state["n"]], dim=1)

    def terminated(self, state: State, episode_state: EpisodeState) -> Tensor:
        return state["x"] > 1.0

    def fitness(self, state: State, episode_state: EpisodeState) -> Tensor:
        return state["x"]

    def measures(self, state: State, episode_state: EpisodeState) -> dict[str, Tensor]:
        return {"pushes": (episode_state["action"][:, 0] > 0).float()}


def test_newton_is_right_and_sensors_do_not_lag() -> None:
    env = MujocoEnvironment(Slider(), 3, seed=0)
    start = env.state["x"].clone()
    step = env.step(torch.tensor([[1.0], [0.0], [-1.0]]))
    # 2 N on 1 kg for 0.1 s, semi-implicit Euler with h = 0.01: x = a h^2 (1 + 2 + … + 10) = 2 *
    # 1e-4 * 55 = 0.011 m
    assert torch.allclose(step.state["x"] - start, torch.tensor([0.011, 0.0, -0.011]), atol=1e-6)
    assert step.state["episode_time"].tolist() == pytest.approx([0.1, 0.1, 0.1])
    assert step.state["n"].tolist() == [1.0, 1.0, 1.0]


def test_time_out_reports_the_sums_of_the_episode() -> None:
    env = MujocoEnvironment(Slider(), 2, seed=1)
    total = torch.zeros(2)
    for t in range(20):  # 0.2 N for 2 s: 0.4 m, so within the first 0.5 m
        step = env.step(torch.tensor([[0.1], [-0.1]]))
        total = total + step.fitness
        assert step.truncated.all() == (t == 19)
        assert not step.terminated.any()
    assert step.finished.env_ids.tolist() == [0, 1]
    assert torch.allclose(step.finished.fitness, total)
    assert step.finished.length.tolist() == [20.0, 20.0]
    assert step.finished.measures["pushes"].tolist() == [20.0, 0.0]
    # the state is where the episode ended; the observation is where the next one starts
    assert step.state["n"].tolist() == [20.0, 20.0]
    assert step.observation[:, 1].tolist() == [0.0, 0.0]
    assert step.final_observation[:, 1].tolist() == [20.0, 20.0]
    assert env.state["n"].tolist() == [0.0, 0.0]


def test_only_the_environment_that_ended_is_reset() -> None:
    env = MujocoEnvironment(Slider(), 2, seed=2)
    for _ in range(20):
        step = env.step(torch.tensor([[1.0], [0.0]]))  # 2 N: 1 m in 1 s at the latest
        if step.terminated[0]:
            break
    assert step.state["x"][0] > 1.0
    assert not step.truncated.any()
    assert step.finished.env_ids.tolist() == [0]
    assert step.observation[0, 1] == 0.0
    assert env.state["x"][0] < 0.5
    assert torch.equal(env.state["x"][1], step.state["x"][1])
    assert step.observation[1, 1] == step.final_observation[1, 1] > 0


def test_earlier_steps_keep_their_tensors() -> None:
    env = MujocoEnvironment(Slider(), 2, seed=3)
    first = env.step(torch.ones(2, 1))
    kept = {name: value.clone() for name, value in first.state.items()}
    for _ in range(9):
        env.step(torch.ones(2, 1))
    for name, value in kept.items():
        assert torch.equal(first.state[name], value)


def test_environment_does_not_depend_on_the_number_of_environments() -> None:
    def trajectory(num_envs: int, threads: int) -> Tensor:
        env = MujocoEnvironment(
            Slider(), num_envs, seed=5, engine=CpuEngine(Slider().model, num_envs, threads=threads)
        )
        return torch.stack([env.step(torch.ones(num_envs, 1)).observation[:2] for _ in range(20)])

    assert torch.equal(trajectory(2, 1), trajectory(7, 2))


@pytest.mark.parametrize("name", ["ant_forward", "hopper_forward"])
def test_states_depend_on_the_actions_alone(name: str) -> None:
    """Threads and other environments change no number, not even after episodes have ended."""
    task = mujoco_task(name)
    generator = torch.Generator().manual_seed(0)
    actions = torch.rand(60, 40, task.action_size, generator=generator) * 2.0 - 1.0

    def states(num_envs: int, threads: int) -> list[Tensor]:
        env = MujocoEnvironment(
            task, num_envs, seed=0, engine=CpuEngine(task.model, num_envs, threads=threads)
        )
        env._length = (
            torch.full((num_envs,), task.max_episode_steps - 20.0) - torch.arange(num_envs) % 5
        )
        seen: list[Tensor] = []
        for action in actions[:, :num_envs]:
            step = env.step(action)
            seen += (
                value[:5]
                for value in (
                    step.observation,
                    step.fitness,
                    *step.state.values(),
                    *env.state.values(),
                )
            )
        return seen

    for one, other in zip(states(5, 1), states(40, 3), strict=True):
        assert torch.equal(one, other)


def test_streams_give_each_slice_the_same_initial_states() -> None:
    env = MujocoEnvironment(Slider(), 6, seed=5, streams=3)
    assert torch.equal(env.state["x"][:3], env.state["x"][3:])


def test_kept_environments_continue_unchanged() -> None:
    whole, part = MujocoEnvironment(Slider(), 5, seed=4), MujocoEnvironment(Slider(), 5, seed=4)
    ids = torch.tensor([0, 3])
    for env in (whole, part):
        for _ in range(15):
            env.step(torch.full((5, 1), 0.7))
    part.keep(ids)
    assert torch.equal(part.observation, whole.observation[ids])
    for _ in range(30):
        expected, got = whole.step(torch.full((5, 1), 0.7)), part.step(torch.full((2, 1), 0.7))
        assert torch.equal(got.observation, expected.observation[ids])
        assert torch.equal(got.fitness, expected.fitness[ids])
        assert torch.equal(got.terminated, expected.terminated[ids])


def test_environment_is_copied_and_the_copy_restarts() -> None:
    env = MujocoEnvironment(Slider(), 3, seed=4)
    for _ in range(7):
        env.step(torch.full((3, 1), 0.7))
    before = env.state["x"].clone()
    env.keep(torch.tensor([2, 2, 0]))
    assert torch.equal(env.state["x"], before[[2, 2, 0]])
    env.restart(torch.tensor([1]), torch.tensor([8]))
    fresh = MujocoEnvironment(Slider(), 9, seed=4)
    assert torch.equal(env.state["x"], torch.stack((before[2], fresh.state["x"][8], before[0])))
    step, alone = env.step(torch.full((3, 1), -0.4)), fresh.step(torch.full((9, 1), -0.4))
    assert torch.equal(step.state["x"][1], alone.state["x"][8])
    assert (step.state["episode_time"] / Slider().dt).round().tolist() == [8.0, 1.0, 8.0]


def test_diverged_physics_ends_the_episode_and_is_reported() -> None:
    class Explosive(Slider):
        def control(self, action: Tensor, episode_state: EpisodeState) -> Tensor:
            return torch.where(action > 0.9, torch.full_like(action, math.nan), action)

    env = MujocoEnvironment(Explosive(), 3, seed=0)
    step = env.step(torch.tensor([[0.0], [1.0], [0.0]]))
    assert step.bad.tolist() == [False, True, False]
    assert step.terminated.tolist() == [False, True, False]
    assert step.finished.env_ids.tolist() == [1]
    assert step.fitness[1] == 0.0
    assert all(torch.isfinite(value).all() for value in (*step.state.values(), step.observation))
    assert not env.step(torch.zeros(3, 1)).bad.any()


def test_environment_that_diverges_again_is_reported_again() -> None:
    """At speeds above 1e10 MuJoCo resets the environment and its warning counts."""
    env = MujocoEnvironment(Slider(), 3, seed=0)
    for _ in range(3):
        env._engine._fields["qvel"][1] = 1e12  # type: ignore[attr-defined]
        assert env.step(torch.zeros(3, 1)).bad.tolist() == [False, True, False]
        assert not env.step(torch.zeros(3, 1)).bad.any()


def test_without_an_end_only_the_time_limit_ends_an_episode() -> None:
    pushed = torch.ones(2, 1)
    lengths = []
    for task in (Slider(), Slider().without_end()):
        environment = MujocoEnvironment(task, 2, seed=1)
        steps = [environment.step(pushed) for _ in range(20)]
        lengths.append(max(length for step in steps for length in step.finished.length.tolist()))
        assert any(bool(step.terminated.any()) for step in steps) == task.ends_early
    assert lengths[0] < lengths[1] == 20.0


# -------------------- names that only published rewards read
class Weighed(Slider):
    """A slider with an unlisted variable; counts how often it is computed."""

    observation_size = 2
    state_spec = StateSpec(
        Slider.state_spec.variables,
        unlisted=(StateVariable("twice", (1,), "m", "world", "twice the position"),),
    )

    def __init__(self) -> None:
        self.asked = 0

    def unlisted_state(
        self, name: str, physics: Physics, episode_state: EpisodeState, state: State
    ) -> Tensor:
        self.asked += 1
        return 2.0 * state["x"][:, None]


def test_unlisted_names_are_computed_only_for_rewards_that_read_them() -> None:
    nobody, before, everybody = Weighed(), Weighed(), Weighed()
    without = MujocoEnvironment(nobody, 2, seed=0, reads=("x", "prev_x")).step(torch.zeros(2, 1))
    assert set(without.state) == {"x", "n", "action", "episode_time"}
    assert nobody.asked == 0
    environment = MujocoEnvironment(before, 2, seed=0, reads=("prev_twice",))
    earlier = environment.state["twice"]
    assert torch.equal(earlier, 2.0 * environment.state["x"][:, None])
    environment.step(torch.ones(2, 1))
    assert not torch.equal(environment.state["twice"], earlier)
    assert "obs_buf" not in environment.state
    assert before.asked == 2  # the reset and one step
    step = MujocoEnvironment(everybody, 2, seed=0).step(torch.zeros(2, 1))
    assert torch.equal(step.state["obs_buf"], step.final_observation)
    assert torch.equal(step.state["twice"][:, 0], 2.0 * step.state["x"])


def test_unlisted_names_follow_resets_and_snapshots() -> None:
    environment = MujocoEnvironment(Weighed(), 3, seed=0)
    for _ in range(20):  # to the time limit
        step = environment.step(torch.zeros(3, 1))
    assert step.truncated.all()
    assert torch.equal(environment.state["obs_buf"], environment.observation)  # of the new episodes
    assert not torch.equal(step.state["obs_buf"], environment.state["obs_buf"])
    other = MujocoEnvironment(Weighed(), 3, seed=0)
    other.restore(environment.snapshot())
    assert torch.equal(other.state["twice"], environment.state["twice"])


def test_wrong_observation_size_is_refused() -> None:
    class Wrong(Slider):
        observation_size = 3

    with pytest.raises(
        SimulationError, match=r"says observation_size = 3, but its observation has 2 entries"
    ):
        MujocoEnvironment(Wrong(), 1, seed=0)


def test_unlisted_name_without_a_method_is_an_error() -> None:
    class Empty(Slider):
        state_spec = Weighed.state_spec

    with pytest.raises(
        NotImplementedError, match=r"Empty lists 'twice' as unlisted but has no unlisted_state\(\)"
    ):
        MujocoEnvironment(Empty(), 1, seed=0)
