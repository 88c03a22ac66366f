"""A task of your own: a pendulum that has to be swung up, in one file.

Run it with `python examples/own_task.py`, or search with `synthesize --task examples/own_task.py`.
"""

from __future__ import annotations

import mujoco
import torch
from torch import Tensor

import eureka_agent as ea
from eureka_agent.config import TrainingBudget
from eureka_agent.simulation import EpisodeState, InitialState, MujocoTask, Physics, Random
from eureka_agent.tasks import State, StateSpec, StateVariable

MODEL = """
<mujoco>
  <option timestep="0.01"/>
  <worldbody>
    <body pos="0 0 1">
      <joint name="hinge" type="hinge" axis="0 1 0" damping="0.05"/>
      <geom type="capsule" fromto="0 0 0 0 0 -0.5" size="0.03" mass="1"/>
    </body>
  </worldbody>
  <actuator><motor joint="hinge" ctrlrange="-1 1"/></actuator>
</mujoco>
"""

BUDGETS = {
    "quick": TrainingBudget(num_envs=64, environment_steps=100_000),
    "normal": TrainingBudget(num_envs=128, environment_steps=500_000),
    "paper": TrainingBudget(num_envs=512, environment_steps=5_000_000),
}


class Pendulum(MujocoTask):
    """Swing a pendulum up and hold it there."""

    name = "pendulum"
    description = "swing the pendulum up and hold it upright"
    state_spec = StateSpec(
        (
            StateVariable("angle", (), "rad", "-", "0 hanging down, pi upright", "angle"),
            StateVariable("velocity", (), "rad/s", "-", "how fast the angle changes", "speed"),
        )
    )
    frame_skip = 2
    max_episode_steps = 250
    fitness_unit = "steps upright"
    fitness_solved = 150.0
    action_names = ("torque",)

    def build(self) -> mujoco.MjSpec:
        return mujoco.MjSpec.from_string(MODEL)

    def initial_state(self, random: Random) -> InitialState:
        return InitialState(qpos=random.uniform(-0.1, 0.1, 1), qvel=random.uniform(-0.1, 0.1, 1))

    def state(self, physics: Physics, episode_state: EpisodeState) -> dict[str, Tensor]:
        return {"angle": physics.qpos[:, 0], "velocity": physics.qvel[:, 0]}

    def observation(self, state: State, episode_state: EpisodeState) -> Tensor:
        angle, velocity = state["angle"], state["velocity"]
        return torch.stack((angle.cos(), angle.sin(), velocity / 10.0), dim=1)

    def terminated(self, state: State, episode_state: EpisodeState) -> Tensor:
        return torch.zeros_like(state["angle"], dtype=torch.bool)

    def fitness(self, state: State, episode_state: EpisodeState) -> Tensor:
        return (state["angle"].cos() < -0.95).float()


TASK = Pendulum()


def main() -> None:
    config = ea.SynthesisConfig.of(
        task=TASK, budget="quick", environment_steps=30_000, generations=2, samples=3
    )
    result = ea.synthesize(config)
    print(result)


if __name__ == "__main__":
    main()
