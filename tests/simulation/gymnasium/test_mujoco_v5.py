"""Which environments run on the batch engine, and what their tasks say."""

from __future__ import annotations

import inspect
import math
from dataclasses import fields
from pathlib import Path
from typing import Any

import gymnasium
import pytest
import safetensors.torch
import torch

from eureka_agent.errors import UsageError
from eureka_agent.prompting.task_code import source_of
from eureka_agent.simulation import check_task
from eureka_agent.simulation.gymnasium.fitness import fitness_rule
from eureka_agent.simulation.gymnasium.mujoco_v5 import ENVIRONMENTS, batch_task
from eureka_agent.simulation.gymnasium.mujoco_v5.task import MujocoV5Task
from eureka_agent.tasks import find_task
from eureka_agent.training.budgets import budgets_of
from tests.support.gymnasium_pair import Pair

RETURN = fitness_rule("env_return")
LEAKS = ("reward", "cost", "weight_", "_weight", "penalty", "bonus")

ONE_JOINT = """<mujoco><worldbody><body name="torso"><joint name="turn" axis="0 1 0"/>
<geom size="0.1"/></body></worldbody>
<actuator><motor joint="turn" ctrllimited="true" ctrlrange="-1 1"/></actuator></mujoco>"""


def made(
    name: str, kwargs: dict[str, Any] | None = None, fitness: str = "env_return"
) -> MujocoV5Task[Any]:
    task = batch_task(name, kwargs or {}, fitness_rule(fitness))
    assert task is not None
    return task


# ------------------------------------------------------------------ what is covered
def test_all_v5_environments_of_gymnasium_s_mujoco_folder_are_covered() -> None:
    known = {
        name
        for name, spec in gymnasium.registry.items()
        if name.endswith("-v5") and "gymnasium.envs.mujoco" in str(spec.entry_point)
    }
    assert set(ENVIRONMENTS) == known


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_arguments_and_defaults_are_gymnasium_s(name: str) -> None:
    env: Any = gymnasium.make(name).unwrapped
    theirs = {
        key: parameter.default
        for key, parameter in inspect.signature(type(env).__init__).parameters.items()
        if key not in ("self", "kwargs", "default_camera_config")
    }
    ours = {field.name: field.default for field in fields(ENVIRONMENTS[name][1])}
    assert ours == {**theirs, "max_episode_steps": None}  # that of gymnasium.make


@pytest.mark.parametrize(
    ("name", "kwargs"),
    [
        ("Hopper-v4", {}),
        ("CartPole-v1", {}),
        ("Hopper-v5", {"render_mode": "rgb_array"}),
        ("Hopper-v5", {"healthy_reward": "much"}),
        ("Hopper-v5", {"healthy_reward": True}),
        ("Hopper-v5", {"healthy_z_range": [0.7]}),
        ("Hopper-v5", {"healthy_z_range": [0.7, "high"]}),
        ("Hopper-v5", {"terminate_when_unhealthy": 1}),
        ("Hopper-v5", {"frame_skip": 0}),
        ("Hopper-v5", {"frame_skip": 2.5}),
        ("Hopper-v5", {"max_episode_steps": -1}),
        ("Hopper-v5", {"xml_file": "no_such_model.xml"}),
        ("Hopper-v5", {"xml_file": "ant.xml"}),
        ("Ant-v5", {"main_body": "tail"}),
        ("Ant-v5", {"main_body": 99}),
        ("Reacher-v5", {"xml_file": "pusher.xml"}),
    ],
)
def test_what_is_not_covered_is_left_to_gymnasium(name: str, kwargs: dict[str, Any]) -> None:
    assert batch_task(name, kwargs, RETURN) is None


def test_model_of_another_build_is_left_to_gymnasium(tmp_path: Path) -> None:
    model = tmp_path / "one_joint.xml"
    model.write_text(ONE_JOINT)
    assert batch_task("InvertedPendulum-v5", {"xml_file": str(model)}, RETURN) is None


def test_model_of_the_same_build_is_simulated_with_its_own_names(tmp_path: Path) -> None:
    text = Path(gymnasium.__file__).with_name("envs") / "mujoco/assets/hopper.xml"
    model = tmp_path / "robot.xml"
    model.write_text(text.read_text().replace("foot_", "toe_").replace("_joint", "_hinge"))
    task = made("Hopper-v5", {"xml_file": str(model)})
    names = [variable.name for variable in task.state_spec.variables]
    assert task.action_names == ("thigh_hinge", "leg_hinge", "toe_hinge")
    assert "foot_contact_forces" not in names
    assert task.make_env(2, seed=0).observation.shape == (2, 11)


# ------------------------------------------------------------------ what the tasks say
@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_task_passes_the_check_and_its_id_makes_it_again(name: str) -> None:
    task = made(name)
    check_task(task)
    again = find_task(f"gym:{name}")
    assert isinstance(again, type(task))
    assert again.id == task.id == f"gym:{name}"
    assert budgets_of(task)["quick"].num_envs >= 16


def test_id_holds_arguments_and_fitness() -> None:
    task = made("Hopper-v5", {"frame_skip": 2}, "info:x_position:last")
    assert task.id == (
        'gym:Hopper-v5 {"fitness": "info:x_position:last", "kwargs": {"frame_skip": 2}}'
    )
    assert find_task(task.id).dt == pytest.approx(0.004)


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_nothing_that_a_model_reads_tells_the_own_reward(name: str) -> None:
    task = made(name)
    texts = [task.description, task.notes, task.fitness_meaning]
    texts += [f"{each.name} {each.meaning}" for each in task.reward_inputs.tensors]
    texts += [source_of(method) for method in task.policy_code.values()]
    assert not [leak for leak in LEAKS if leak in " ".join(texts).lower()]
    assert not task.has_human_source


def test_own_reward_is_the_human_one_unless_it_is_the_fitness() -> None:
    of_return, of_distance = (
        made("Hopper-v5"),
        find_task('gym:Hopper-v5 {"fitness": "info:x_position"}'),
    )
    assert not of_return.has_human_reward
    assert of_distance.has_own_reward
    step = of_return.make_env(2, seed=0).step(torch.zeros(2, 3))
    assert step.own_reward is not None
    assert torch.equal(step.own_reward, step.sparse_reward)
    with pytest.raises(UsageError, match="no human reward apart from it"):
        _ = of_return.human_reward


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_every_variable_has_its_shape_and_every_entry_a_name(name: str) -> None:
    task = made(name)
    state = task.make_env(3, seed=0).state
    for variable in task.reward_inputs.tensors:
        assert state[variable.name].shape == (3, *variable.shape)
        assert not variable.elements or len(variable.elements) == variable.shape[-1]


def test_solved_return_is_known_for_default_arguments_alone() -> None:
    assert made("Hopper-v5").fitness_solved == 3800.0
    assert math.isnan(made("Hopper-v5", {"healthy_reward": 0.0}).fitness_solved)


@pytest.mark.parametrize(
    "name",
    [
        "Ant-v5",
        "Hopper-v5",
        "Walker2d-v5",
        "Humanoid-v5",
        "InvertedPendulum-v5",
        "InvertedDoublePendulum-v5",
    ],
)
def test_causes_hold_exactly_where_episodes_terminate(name: str) -> None:
    task = made(name)
    env = task.make_env(16, seed=0)
    ended = 0
    for step in range(60):
        action = torch.sin(torch.arange(16.0 * task.action_size) * (step % 7 + 1))
        result = env.step(action.reshape(16, task.action_size))
        causes = torch.stack(tuple(task.end_causes(result.state).values())).any(dim=0)
        assert torch.equal(causes, result.terminated)
        ended += int(causes.sum())
    assert ended > 0


def test_episodes_without_end_go_on_after_a_fall() -> None:
    task = made("InvertedPendulum-v5").without_end()
    env = task.make_env(2, seed=0)
    for _ in range(40):
        result = env.step(torch.ones(2, 1))
        assert not result.terminated.any()
    assert (result.state["pole_angle"].abs() > 0.2).all()


def test_time_limit_is_the_environment_s_own() -> None:
    env = made("Reacher-v5").make_env(1, seed=0)
    ends = [bool(env.step(torch.zeros(1, 2)).truncated) for _ in range(50)]
    assert ends == [False] * 49 + [True]


def test_time_limit_can_be_an_argument() -> None:
    env = made("Reacher-v5", {"max_episode_steps": 3}).make_env(1, seed=0)
    ends = [bool(env.step(torch.zeros(1, 2)).truncated) for _ in range(4)]
    assert ends == [False, False, True, False]


# ------------------------------------------------------------------ fitness
@pytest.mark.parametrize(
    ("fitness", "of_infos"),
    [
        ("info:x_position:last", lambda infos: infos[-1]["x_position"]),
        ("info:z_distance_from_origin:max", lambda i: max(e["z_distance_from_origin"] for e in i)),
        ("info:reward_ctrl:sum", lambda infos: sum(info["reward_ctrl"] for info in infos)),
        ("episode_length", len),
    ],
)
def test_fitness_by_info_is_that_of_gymnasium_s_episode(fitness: str, of_infos: Any) -> None:
    pair = Pair("Hopper-v5", {}, num_envs=1, fitness=fitness)
    infos = []
    for _ in range(1000):
        ours, (theirs,) = pair.step()
        infos.append(theirs.info)
        if len(ours.finished.env_ids):
            break
    assert ours.finished.fitness[0] == pytest.approx(of_infos(infos), rel=1e-4, abs=1e-5)


def test_fitness_by_a_function_reads_the_state(tmp_path: Path) -> None:
    file = tmp_path / "measure.py"
    file.write_text("def height(state):\n    return state['torso_position'][:, 2]\n")
    env = made("Hopper-v5", fitness=f"{file}:height").make_env(2, seed=0)
    result = env.step(torch.zeros(2, 3))
    assert torch.equal(result.fitness, result.state["torso_position"][:, 2])


# ------------------------------------------------------------------ checkpoints
@pytest.mark.parametrize("name", ["Ant-v5", "InvertedPendulum-v5", "Reacher-v5"])
def test_restored_environments_go_on_as_the_saved_ones(name: str) -> None:
    task = made(name, fitness="info:reward_survive:max" if name != "Reacher-v5" else "env_return")
    env, other = (task.make_env(4, seed=0, threads=1) for _ in range(2))
    actions = torch.sin(torch.arange(40.0 * task.action_size)).reshape(10, 4, task.action_size)
    for action in actions[:5]:
        env.step(action)
    copies = {key: value.clone() for key, value in env.snapshot().items()}
    saved = safetensors.torch.save(copies)
    other.restore(safetensors.torch.load(saved))
    for action in actions[5:]:
        ours, theirs = env.step(action), other.step(action)
        assert ours.own_reward is not None
        assert theirs.own_reward is not None
        assert torch.equal(ours.own_reward, theirs.own_reward)
        assert torch.equal(ours.fitness, theirs.fitness)
        assert torch.equal(ours.observation, theirs.observation)
