"""A replay shows what happened in an evaluation: poses, contacts, goals, and what was paid."""

from __future__ import annotations

import mujoco
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from eureka_agent.checks import check_source
from eureka_agent.jail import Sandbox
from eureka_agent.simulation.batched_env import BatchedEnv, Step, SupportsPoses
from eureka_agent.simulation.mujoco_task import MujocoTask
from eureka_agent.simulation.rollouts import random_actions, run_episodes
from eureka_agent.tasks.registry import find_task
from eureka_agent.tasks.task import State
from eureka_agent.training.evaluation import Evaluated, EvaluatedPolicy, evaluate_with_behaviour
from eureka_agent.utils.pack import Pack, unpack
from tests.support.mujoco_tasks import mujoco_task

EPISODES = 8
REWARD = """
def compute_reward(torso_velocity, action):
    speed = torso_velocity[:, 0]
    effort = -action.square().sum(dim=1)
    return speed + effort, {"speed": speed, "effort": effort}
"""


def evaluated(
    task: MujocoTask, sandbox: Sandbox | None = None, *, has_fitness: bool = True
) -> Evaluated:
    reward = None
    if sandbox is not None:
        source = check_source(REWARD, task.reward_inputs)
        reward = sandbox.open(source, task.reward_inputs, max_rows=64)
    policy = EvaluatedPolicy(random_actions(task, seed=0), reward)
    (found,) = evaluate_with_behaviour(
        task, [policy], episodes=EPISODES, seed=0, max_rows=64, has_fitness=has_fitness, threads=1
    )
    return found


def replay_of(found: Evaluated) -> Pack:
    assert found.replay is not None
    return unpack(found.replay)


def poses_of(pack: Pack, episode: int) -> NDArray[np.float64]:
    """Return `(frames, bodies, 7)` as a viewer computes them."""
    head = pack.header["episodes"][episode]
    changes = pack.array(head["poses"]).reshape(head["frames"], pack.header["bodies"], 7)
    whole = np.cumsum(changes, axis=0, dtype=np.int16).astype(np.float64)
    whole[..., :3] = whole[..., :3] * head["scale"] + head["off"]
    whole[..., 3:] /= 32_767
    return whole


def positions_of_episodes(task: MujocoTask) -> list[NDArray[np.float64]]:
    """Return `(steps, nq)` of each episode: what the recorder should have seen."""
    frames: list[Tensor] = []
    envs: list[SupportsPoses] = []

    def started(env: BatchedEnv) -> None:
        assert isinstance(env, SupportsPoses)
        envs.append(env)
        frames.append(env.configuration)

    def watch(before: State, step: Step) -> None:
        frames.append(envs[0].configuration)

    policies = [random_actions(task, seed=0)]
    numbers = run_episodes(
        task, policies, episodes=EPISODES, seed=0, threads=1, started=started, watch=watch
    )[0]
    whole = torch.stack(frames).double().numpy()
    return [whole[: int(n), k] for k, n in enumerate(numbers["length"])]


def test_a_replay_holds_the_poses_of_the_episodes_that_it_names() -> None:
    task = mujoco_task("hopper_forward")
    pack = replay_of(evaluated(task))
    episodes = positions_of_episodes(task)
    lengths = [len(each) for each in episodes]
    data = mujoco.MjData(task.model)
    for index, head in enumerate(pack.header["episodes"]):
        positions = episodes[lengths.index(head["length"])]
        seen = poses_of(pack, index)
        for frame in (0, head["frames"] - 1):
            data.qpos[:] = positions[frame * head["stride"]]
            mujoco.mj_kinematics(task.model, data)
            assert np.allclose(seen[frame, :, :3], data.xpos, atol=1e-3)
            dots = (seen[frame, :, 3:] * data.xquat).sum(axis=1)
            assert np.allclose(np.abs(dots), 1.0, atol=1e-3)


def test_the_median_comes_first_and_no_episode_is_better_than_the_best() -> None:
    found = evaluated(mujoco_task("hopper_forward"))
    heads = replay_of(found).header["episodes"]
    fitness = {head["kind"]: head["fitness"] for head in heads}
    assert [head["kind"] for head in heads] == ["median", "best", "worst"]
    assert fitness["worst"] < fitness["median"] < fitness["best"]
    assert fitness["worst"] < found.evaluation.fitness < fitness["best"]
    assert {head["end"] for head in heads} <= {end.cause for end in found.behaviour.ends}


def test_components_are_shown_in_step_with_the_motion(sandbox: Sandbox) -> None:
    task = mujoco_task("hopper_forward")
    found = evaluated(task, sandbox)
    pack = replay_of(found)
    for head in pack.header["episodes"]:
        series = {each["name"]: pack.array(each["values"]) for each in head["series"]}
        assert list(series) == ["reward", "speed", "effort", "fitness"]
        assert {len(values) for values in series.values()} == {head["frames"]}
        assert np.allclose(series["reward"], series["speed"] + series["effort"], atol=1e-4)
        # The steps since the last frame are missing.
        shown = float(series["fitness"][1:].sum()) * head["stride"]
        assert shown == pytest.approx(head["fitness"], abs=head["stride"] * 3.0 / 1000)


def test_without_a_fitness_a_replay_names_none() -> None:
    pack = replay_of(evaluated(mujoco_task("hopper_forward"), has_fitness=False))
    assert pack.header["unit"] is None
    kinds = [head["kind"] for head in pack.header["episodes"]]
    assert kinds == ["typical", "longest", "shortest"]
    for head in pack.header["episodes"]:
        assert head["fitness"] is None
        assert "fitness" not in {each["name"] for each in head["series"]}


def test_contacts_and_goals_are_recorded_for_every_frame() -> None:
    pack = replay_of(evaluated(mujoco_task("pen_spinning")))
    head = pack.header["episodes"][0]
    counts = pack.array(head["contacts"]["counts"])
    points = pack.array(head["contacts"]["points"]).reshape(-1, 3)
    assert len(counts) == head["frames"]
    assert counts.sum() == len(points) > 0
    goals = {goal["name"]: pack.array(goal["points"]).reshape(-1, 3) for goal in head["goals"]}
    assert {len(places) for places in goals.values()} == {head["frames"]}
    pen = poses_of(pack, 0)[0, -1, :3]
    assert np.linalg.norm(goals["goal_pos"][0] - pen) < 0.1


def test_equal_episodes_are_shown_once() -> None:
    """A cartpole that is not moved falls in a few steps; some episodes are equally long."""
    task = mujoco_task("cartpole")

    def still(observation: Tensor) -> Tensor:
        return torch.zeros(len(observation), 1)

    (found,) = evaluate_with_behaviour(
        task, [EvaluatedPolicy(still, None)], episodes=1, seed=0, max_rows=64, threads=1
    )
    assert [head["kind"] for head in replay_of(found).header["episodes"]] == ["median"]


def test_a_simulator_without_poses_leaves_no_replay(monkeypatch: pytest.MonkeyPatch) -> None:
    from eureka_agent.simulation.mujoco_environment import MujocoEnvironment

    monkeypatch.delattr(MujocoEnvironment, "poses")
    assert evaluated(mujoco_task("cartpole")).replay is None


@pytest.mark.parametrize("name", ["cartpole", "hopper_forward", "ant_forward", "ball_balance"])
def test_the_scene_of_a_bundled_task_has_all_bodies_and_finite_shapes(name: str) -> None:
    task = mujoco_task(name)
    scene = task.scene()
    pack = unpack(scene)
    assert len(pack.header["bodies"]) == task.model.nbody
    assert {shape["body"] for shape in pack.header["geoms"]} <= set(range(task.model.nbody))
    assert pack.header["geoms"]
    assert len(scene) < 20_000


def test_the_meshes_of_a_scene_are_those_of_the_model() -> None:
    model = mujoco_task("pen_spinning").model
    scene = unpack(mujoco_task("pen_spinning").scene())
    shape = next(each for each in scene.header["geoms"] if each["type"] == "mesh")
    mesh = scene.header["meshes"][shape["mesh"]]
    vertices = scene.array(mesh["vert"]).reshape(-1, 3) * mesh["scale"] + mesh["off"]
    faces = scene.array(mesh["face"])
    assert faces.max() < len(vertices)
    sizes = [
        np.ptp(model.mesh_vert[first : first + count], axis=0)
        for first, count in zip(model.mesh_vertadr, model.mesh_vertnum, strict=True)
    ]
    assert any(np.allclose(np.ptp(vertices, axis=0), size, atol=1e-4) for size in sizes)


@pytest.mark.parametrize(
    ("name", "followed"),
    [("hopper_forward", True), ("ant_forward", True), ("cartpole", False), ("pen_spinning", False)],
)
def test_the_camera_follows_a_robot_that_travels(name: str, followed: bool) -> None:
    camera = unpack(mujoco_task(name).scene()).header["camera"]
    assert (camera["track"] >= 0) == followed


def test_goals_are_the_positions_that_the_spec_calls_targets() -> None:
    task = find_task("pen_spinning")
    state: State = {"goal_pos": torch.zeros(2, 3), "object_pos": torch.ones(2, 3)}
    assert list(task.goals(state)) == ["goal_pos"]
