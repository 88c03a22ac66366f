"""Mistakes in a task of your own: one sentence with file, line and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from eureka_agent.errors import TaskError
from eureka_agent.simulation.task_check import checked_task
from eureka_agent.training.budgets import budgets_of
from tests.support.own_task import HUMAN_REWARD, MODEL, line_of, write_task

SPEED = 'StateVariable("block_speed", (), "m/s", "world", "how fast it moves", kind="speed")'
SPEED_STATE = '            "block_speed": physics.qvel[:, 0],\n'
OBSERVATION = 'torch.stack((state["block_x"], state["block_speed"], state["mark_x"]), dim=1)'
START = 'InitialState(random.uniform(-1.0, 1.0, 1), random.normal(0.1, 1), episode_state={"mark": mark})'
LOAD = 'load_xml(Path(__file__).with_name("rail.xml"))'
ENDED = 'state["block_x"].abs() > 1.9'
FITNESS = "def fitness(self, state, episode_state)"
FAR = "StateVariable('far', (), 'm', '-', 'far off')"


def method(name: str, parameters: str, result: str) -> str:
    """Write another method before the fitness."""
    return f"def {name}(self, {parameters}): return {result}\n    {FITNESS}"


MISTAKES = [
    # the text, what replaces it, the line that is named (of the unchanged text), the message
    ("TASK = Pusher()\n", "", 1, "defines no TASK: end it with TASK = YourTask()"),
    ("TASK = Pusher()", "TASK = Pusher", "TASK = Pusher", "TASK is the class Pusher: write TASK = Pusher()"),
    ("TASK = Pusher()", "TASK = 3", "TASK = Pusher", "its TASK is of type int"),
    ("import torch\n", "import torhc\n", "import torch", "ModuleNotFoundError: No module named 'torhc'"),
    ("def build(self):", "def build(self:", "def build", "SyntaxError"),
    ("def fitness(", "def fitnes(", "TASK = Pusher()", "abstract method '?fitness"),
    ("class Pusher(MujocoTask)", "class Pusher(Tusk)", "class Pusher", "NameError: name 'Tusk'"),
    # attributes
    ('    name = "pusher"\n', "", "class Pusher", "Pusher has no name: set it to"),
    ("    frame_skip = 2\n", "", "class Pusher", "frame_skip must be a whole number .* but it is None"),
    ("frame_skip = 2", "frame_skip = 0", "frame_skip", "frame_skip must be a whole number .* but it is 0"),
    ("max_episode_steps = 50", "max_episode_steps = 5e1", "max_episode_steps", "whole number .* it is 50.0"),
    ("fitness_solved = 30", "fitness_solved = '30'", "fitness_solved", "fitness_solved must be a number"),
    ('action_names = ("push",)', 'action_names = ("push")', "action_names", "a tuple of different texts, .* is 'push'"),
    ('action_names = ("push",)', 'action_names = ("push", "pull")', "action_names", "2 entries and the model 1 act"),
    ('    name = "pusher"\n', '    name = "pusher"\n    aliases = "block"\n', "description", "aliases must be a tuple"),
    ("frame_skip = 2", "observation_size = 4; frame_skip = 2", "frame_skip", "is 4, but .* has 3 entries: make them"),
    # the budgets
    ('"paper": TrainingBudget(num_envs=16, environment_steps=8192),', "", "BUDGETS = {", r"BUDGETS\['paper'\] must be"),
    ("num_envs=8, environment_steps=512", "num_envs=0, environment_steps=512", "BUDGETS = {", "num_envs of BUDGETS"),
    ("environment_steps=512", "environment_steps=5e5", "BUDGETS = {", "environment_steps of BUDGETS.*500000.0"),
    ("num_envs=8, environment_steps=512", "1, 512, horizon=2", "BUDGETS = {", "4 minibatches for num_envs x horizon"),
    ("environment_steps=512", "environment_steps=512, hidden=64", "BUDGETS = {", "hidden of BUDGETS"),
    # the state's spec
    (SPEED, f"*[{SPEED}] * 2", "state_spec", "'block_speed' needs a Python name that is used once"),
    (SPEED, SPEED.replace("block_speed", "action"), "state_spec", "'action' needs a Python name"),
    (SPEED, SPEED.replace("()", "3"), "state_spec", "has the shape 3: write a tuple"),
    (SPEED, SPEED.replace('"speed"', '"sped"'), "state_spec", "has the kind 'sped': take one of position"),
    (SPEED, SPEED.replace('"speed"', '"position"'), "state_spec", r"has the shape \(\), but a position has 3"),
    ('goal_for="block_x"', 'goal_for="blok"', "state_spec", "is the goal for 'blok', which must be another"),
    ("variables=(", f"unlisted=({FAR},), variables=(", "class Pusher", "lists 'far' as unlisted but has no unlisted_state"),
    # what the methods return
    (LOAD, "None", "def build", r"build\(\) returns nothing: return a mujoco.MjSpec"),
    ("rail.xml", "no_rail.xml", LOAD, r"build\(\) failed: Cannot read the model .*no_rail.xml"),
    (START, START.replace("InitialState", "tuple", 1), "return InitialState", r"initial_state\(\) failed: TypeError"),
    (START, START.replace("1.0, 1)", "1.0, 2)"), "def initial_state", r"qpos as float32 of shape \(3, 2\): .*\(3, 1\)"),
    (START, START.replace("mark}", "0.5}"), "def initial_state", "has 'mark' in its episode state as a value of type float"),
    (SPEED_STATE, "", "def state", r"state\(\) returns no block_speed: return it, or remove it from state_spec"),
    (SPEED_STATE, SPEED_STATE.replace("_speed", "_sped"), "def state", r"state\(\) returns no block_speed"),
    (SPEED_STATE, f'{SPEED_STATE}"more": physics.qvel,\n', "def state", "returns more: name it in"),
    ("physics.qvel[:, 0]", "physics.qvel", "def state", r"'block_speed' as float32 of shape \(3, 1\): .*shape \(3,\)"),
    ("physics.qvel[:, 0]", "physics.qvel[:, 0].double()", "def state", "as float64 of shape .*: make it float32"),
    ("physics.qvel[:, 0]", "physics.qvel[:, 0] / 0.0", "def state", "'block_speed' with numbers that are not finite"),
    ("physics.qvel[:, 0]", "physics.sensor('imu')", SPEED_STATE.strip(), r"state\(\) failed: KeyError"),
    (OBSERVATION, 'state["block_x"]', "def observation", r"observation\(\) returns float32 of shape \(3,\): return"),
    (OBSERVATION, f"{OBSERVATION}.double()", "def observation", "float64 .* make it float32"),
    (OBSERVATION, "state['blok_x']", OBSERVATION, r"observation\(\) failed: KeyError: 'blok_x'"),
    (ENDED, 'state["block_x"].abs()', "def terminated", "the ends as float32 .* make it bool"),
    (ENDED, "False", "def terminated", r"terminated\(\) returns the ends as a value of type bool"),
    (".abs() < 0.2).float()", ".abs() < 0.2)", "def fitness", "the fitness as bool .* make it float32"),
    (".abs() < 0.2).float()", ".abs() < 0.2).float().mean()", "def fitness", r"as float32 of shape \(\)"),
    ("def fitness(self, state, episode_state)", "def fitness(self, state)", "def fitness", r"fitness\(\) failed: TypeError"),
    # methods that a task need not have
    (FITNESS, method("control", "action, episode_state", "action[:, 0]"), FITNESS, "the controls as float32"),
    (FITNESS, method("update_episode_state", "physics, episode_state", "{}"), FITNESS, "do not both have mark"),
    (FITNESS, method("first_episode_state", "physics, episode_state", "{}"), FITNESS, "do not both have mark"),
    (FITNESS, method("privileged", "state, episode_state", "3"), FITNESS, "returns a value of type int: return a tensor"),
    (FITNESS, method("measures", "state, episode_state", "3"), FITNESS, "return a dictionary"),
    (FITNESS, method("end_causes", "state", "3"), FITNESS, "return a dictionary"),
    (FITNESS, method("end_causes", "state", "{'at an end': state['block_x']}"), FITNESS, "'at an end' as float32"),
    (FITNESS, method("sparse_reward", "state, episode_state", "1 / 0"), FITNESS, "ZeroDivisionError"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    MISTAKES,
    ids=[f"{n}-{s[3][:30]}" for n, s in enumerate(MISTAKES)],
)
def test_mistake_in_a_task_is_one_sentence_with_file_line_and_what_to_do(
    tmp_path: Path, old: str, new: str, line: str | int, says: str
) -> None:
    folder = write_task(tmp_path / "pusher", old, new)
    number = line_of(line) if isinstance(line, str) else line
    with pytest.raises(TaskError, match=says) as error:
        budgets_of(checked_task(folder))
    message = str(error.value)
    assert message.startswith(f"{folder / 'task.py'}:{number}: ")
    assert "\n" not in message


@pytest.mark.parametrize(
    ("model", "says"),
    [
        ("<mujoco><worldbody>", r"task.py:\d+: build\(\) failed: Cannot read the model .*rail.xml"),
        (MODEL.replace('joint="rail"', 'joint="rali"'), r"task.py:\d+: build\(\) failed: .*rali"),
        (
            MODEL.replace(' ctrlrange="-5 5"', ""),
            r"task.py:\d+: the actuators of push have no ctrlrange",
        ),
        (MODEL.replace('mass="1"', 'mass="0"'), r"task.py:\d+: build\(\) failed: .*mass"),
    ],
)
def test_model_that_cannot_be_used_is_named(tmp_path: Path, model: str, says: str) -> None:
    with pytest.raises(TaskError, match=says):
        checked_task(write_task(tmp_path / "pusher", model=model))


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (
            "def compute_reward(block_x:\n",
            "human_reward.py: it is not a valid reward function for pusher",
        ),
        (
            HUMAN_REWARD.replace("mark_x", "mark"),
            "human_reward.py: it is not a valid reward function for pusher: .*'mark'",
        ),
        (
            "import os\n" + HUMAN_REWARD,
            "human_reward.py: it is not a valid reward function for pusher: .*os",
        ),
    ],
)
def test_file_that_is_not_a_human_reward_is_named(tmp_path: Path, code: str, says: str) -> None:
    with pytest.raises(TaskError, match=says):
        checked_task(write_task(tmp_path / "pusher", human_reward=code))
