"""Initial states are drawn for many environments at once; each equals one that is drawn alone."""

from __future__ import annotations

import numpy as np
import torch

from eureka_agent.simulation.initial_states import InitialStates
from eureka_agent.simulation.mujoco_task import MujocoTask
from eureka_agent.simulation.physics import InitialState, Random
from eureka_agent.simulation.random_streams import EnvironmentRandom
from tests.simulation.test_mujoco_environment import Slider
from tests.support.mujoco_tasks import mujoco_task

SEED, NUM_ENVS = 3, 6
STREAM = np.arange(NUM_ENVS) % 4


def initial_states(task: MujocoTask) -> InitialStates:
    return InitialStates(task, SEED, STREAM, np.zeros(NUM_ENVS, dtype=np.int64))


def alone(task: MujocoTask, env: int, episode: int) -> InitialState:
    return task.initial_state(EnvironmentRandom(SEED, STREAM[[env]], np.array([episode])))


def test_initial_state_does_not_depend_on_which_environments_reset_together() -> None:
    for name in ("pen_spinning", "hopper_forward"):  # the first has controls at the start
        task = mujoco_task(name)
        drawn, begun = initial_states(task), [0] * NUM_ENVS
        for envs in ([0, 1, 2, 3, 4, 5], [2], [2, 5], [0], [2, 3], [0, 1, 2, 3, 4, 5], [4]):
            got = drawn.take(np.array(envs))
            for row, env in enumerate(envs):
                expected = alone(task, env, begun[env])
                begun[env] += 1
                assert torch.equal(got.qpos[row], expected.qpos[0])
                assert torch.equal(got.qvel[row], expected.qvel[0])
                assert (got.ctrl is None) == (expected.ctrl is None)
                if got.ctrl is not None and expected.ctrl is not None:
                    assert torch.equal(got.ctrl[row], expected.ctrl[0])
                assert got.episode_state.keys() == expected.episode_state.keys()
                for key, value in got.episode_state.items():
                    assert torch.equal(value[row], expected.episode_state[key][0])
        assert drawn.episode.tolist() == begun


def test_kept_environments_continue_with_their_next_episode() -> None:
    drawn = initial_states(Slider())
    drawn.take(np.arange(NUM_ENVS))
    drawn.take(np.array([5]))
    kept = drawn.keep(np.array([1, 5]))
    got = kept.take(np.array([0, 1]))
    assert torch.equal(got.qpos[0], alone(Slider(), 1, 1).qpos[0])
    assert torch.equal(got.qpos[1], alone(Slider(), 5, 2).qpos[0])


def test_restarted_environments_draw_like_new_ones() -> None:
    drawn = initial_states(Slider())
    drawn.take(np.arange(NUM_ENVS))
    restarted = drawn.restarted(np.array([1, 5]), np.array([3, 9]))
    got = restarted.take(np.array([0, 1, 5]))
    assert torch.equal(got.qpos[0], alone(Slider(), 0, 1).qpos[0])
    assert torch.equal(got.qpos[1], alone(Slider(), 3, 0).qpos[0])
    assert torch.equal(
        got.qpos[2],
        Slider().initial_state(EnvironmentRandom(SEED, np.array([9]), np.array([0]))).qpos[0],
    )
    assert drawn.episode.tolist() == [1] * NUM_ENVS  # the original is unchanged


class CountingSlider(Slider):
    draws = 0

    def initial_state(self, random: Random) -> InitialState:
        self.draws += 1
        return super().initial_state(random)


def test_one_draw_serves_many_resets() -> None:
    task = CountingSlider()
    drawn = initial_states(task)
    drawn.take(np.arange(NUM_ENVS))
    for env in range(NUM_ENVS):
        drawn.take(np.array([env]))
    # One draw for all first episodes, and one for all second ones when the first is needed.
    assert task.draws == 2
    drawn.take(np.array([0]))
    assert task.draws == 3
