"""A user's task outside the package: a folder with `task.py`, `human_reward.py` and a model."""

from __future__ import annotations

from pathlib import Path

TASK = '''"""Push a block to a mark."""

from pathlib import Path

import torch

from eureka_agent.tasks.mjcf import load_xml
from eureka_agent.tasks.task import StateSpec, StateVariable
from eureka_agent.simulation.mujoco_task import MujocoTask
from eureka_agent.simulation.physics import InitialState
from eureka_agent.config import TrainingBudget

BUDGETS = {
    "quick": TrainingBudget(num_envs=8, environment_steps=512),
    "normal": TrainingBudget(num_envs=16, environment_steps=4096),
    "paper": TrainingBudget(num_envs=16, environment_steps=8192),
}


class Pusher(MujocoTask):
    """Push a block along a rail to a mark."""

    name = "pusher"
    description = "push the block to the mark"
    state_spec = StateSpec(
        variables=(
            StateVariable("block_x", (), "m", "world", "where the block is"),
            StateVariable("block_speed", (), "m/s", "world", "how fast it moves", kind="speed"),
            StateVariable("mark_x", (), "m", "world", "where it belongs", goal_for="block_x"),
        )
    )
    frame_skip = 2
    max_episode_steps = 50
    fitness_unit = "steps at the mark"
    fitness_solved = 30
    action_names = ("push",)

    def build(self):
        return load_xml(Path(__file__).with_name("rail.xml"))

    def initial_state(self, random):
        mark = random.uniform(-1.0, 1.0)
        return InitialState(random.uniform(-1.0, 1.0, 1), random.normal(0.1, 1), episode_state={"mark": mark})

    def state(self, physics, episode_state):
        return {
            "block_x": physics.qpos[:, 0],
            "block_speed": physics.qvel[:, 0],
            "mark_x": episode_state["mark"],
        }

    def observation(self, state, episode_state):
        return torch.stack((state["block_x"], state["block_speed"], state["mark_x"]), dim=1)

    def terminated(self, state, episode_state):
        return state["block_x"].abs() > 1.9

    def fitness(self, state, episode_state):
        return ((state["block_x"] - state["mark_x"]).abs() < 0.2).float()


TASK = Pusher()
'''

HUMAN_REWARD = """def compute_reward(block_x, mark_x):
    distance = (block_x - mark_x).abs()
    return -distance, {"distance": -distance}
"""

MODEL = """<mujoco>
  <option timestep="0.01"/>
  <worldbody>
    <body><joint name="rail" type="slide" axis="1 0 0"/><geom size="0.1" mass="1"/></body>
  </worldbody>
  <actuator><motor joint="rail" ctrlrange="-5 5"/></actuator>
</mujoco>
"""


def write_task(
    folder: Path,
    old: str = "",
    new: str = "",
    *,
    human_reward: str | None = HUMAN_REWARD,
    model: str = MODEL,
) -> Path:
    """Write the task into a new folder, with `old` replaced by `new` in `task.py`; return it."""
    assert old in TASK
    folder.mkdir(parents=True)
    (folder / "task.py").write_text(TASK.replace(old, new) if old else TASK)
    (folder / "rail.xml").write_text(model)
    if human_reward is not None:
        (folder / "human_reward.py").write_text(human_reward)
    return folder


def line_of(text: str) -> int:
    """Return the number of the first line of `task.py` that has `text`."""
    return 1 + next(index for index, line in enumerate(TASK.splitlines()) if text in line)
