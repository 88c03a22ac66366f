"""Starts are drawn for many worlds at once, and are what each world would draw alone."""

from __future__ import annotations

import numpy as np
import torch

from eureka_agent.simulation.initial_states import InitialStates
from eureka_agent.simulation.mujoco_task import MujocoTask
from eureka_agent.simulation.physics import InitialState, Random
from eureka_agent.simulation.random_streams import EnvironmentRandom
from tests.simulation.test_mujoco_environment import Slider
from tests.support.mujoco_tasks import mujoco_task

SEED, WORLDS = 3, 6
STREAM = np.arange(WORLDS) % 4


def starts(task: MujocoTask) -> InitialStates:
    return InitialStates(task, SEED, STREAM, np.zeros(WORLDS, dtype=np.int64))


def alone(task: MujocoTask, world: int, episode: int) -> InitialState:
    return task.initial_state(EnvironmentRandom(SEED, STREAM[[world]], np.array([episode])))


def test_a_world_starts_as_if_it_had_drawn_alone_whoever_resets_with_it() -> None:
    for name in ("pen_spinning", "hopper_forward"):  # the first has controls at the start
        task = mujoco_task(name)
        drawn, begun = starts(task), [0] * WORLDS
        for worlds in ([0, 1, 2, 3, 4, 5], [2], [2, 5], [0], [2, 3], [0, 1, 2, 3, 4, 5], [4]):
            got = drawn.take(np.array(worlds))
            for row, world in enumerate(worlds):
                expected = alone(task, world, begun[world])
                begun[world] += 1
                assert torch.equal(got.qpos[row], expected.qpos[0])
                assert torch.equal(got.qvel[row], expected.qvel[0])
                assert (got.ctrl is None) == (expected.ctrl is None)
                if got.ctrl is not None and expected.ctrl is not None:
                    assert torch.equal(got.ctrl[row], expected.ctrl[0])
                assert got.episode_state.keys() == expected.episode_state.keys()
                for key, value in got.episode_state.items():
                    assert torch.equal(value[row], expected.episode_state[key][0])
        assert drawn.episode.tolist() == begun


def test_those_that_are_kept_go_on_with_their_episodes() -> None:
    drawn = starts(Slider())
    drawn.take(np.arange(WORLDS))
    drawn.take(np.array([5]))
    kept = drawn.keep(np.array([1, 5]))
    got = kept.take(np.array([0, 1]))
    assert torch.equal(got.qpos[0], alone(Slider(), 1, 1).qpos[0])
    assert torch.equal(got.qpos[1], alone(Slider(), 5, 2).qpos[0])


def test_worlds_that_begin_anew_draw_like_new_ones() -> None:
    drawn = starts(Slider())
    drawn.take(np.arange(WORLDS))
    restarted = drawn.restarted(np.array([1, 5]), np.array([3, 9]))
    got = restarted.take(np.array([0, 1, 5]))
    assert torch.equal(got.qpos[0], alone(Slider(), 0, 1).qpos[0])
    assert torch.equal(got.qpos[1], alone(Slider(), 3, 0).qpos[0])
    assert torch.equal(
        got.qpos[2],
        Slider().initial_state(EnvironmentRandom(SEED, np.array([9]), np.array([0]))).qpos[0],
    )
    assert drawn.episode.tolist() == [1] * WORLDS  # what it was made from stays as it was


class CountingSlider(Slider):
    draws = 0

    def initial_state(self, random: Random) -> InitialState:
        self.draws += 1
        return super().initial_state(random)


def test_one_draw_serves_many_resets() -> None:
    task = CountingSlider()
    drawn = starts(task)
    drawn.take(np.arange(WORLDS))
    for world in range(WORLDS):
        drawn.take(np.array([world]))
    assert (
        task.draws == 2
    )  # the first episodes, and the second ones, for all when the first of them was asked for
    drawn.take(np.array([0]))
    assert task.draws == 3
