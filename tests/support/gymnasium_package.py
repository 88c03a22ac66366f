"""A package of somebody else that registers environments of Gymnasium, written by a test."""

from __future__ import annotations

from pathlib import Path

CODE = '''
import os

import gymnasium
import numpy as np
from gymnasium import spaces


class PointEnv(gymnasium.Env):
    """Bring the point to the goal, which is the task. The reward is minus the distance.

    The second paragraph tells more.
    """

    metadata = {"render_modes": [], "render_fps": 10}

    def __init__(self, fault=""):
        self.fault = fault
        box = spaces.Box(-2.0, 2.0, (2,), np.float64)
        self.observation_space = spaces.Dict({"achieved_goal": box, "desired_goal": box})
        self.action_space = spaces.Box(-0.1, 0.1, (2,), np.float32)

    def seen(self):
        return {"achieved_goal": self.point.copy(), "desired_goal": self.goal.copy()}

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.point, self.goal = self.np_random.uniform(-1.0, 1.0, (2, 2))
        self.steps = 0
        return self.seen(), {}

    def step(self, action):
        self.steps += 1
        self.point = self.point + action
        distance = float(np.linalg.norm(self.point - self.goal))
        if self.steps >= 30 and self.fault == "error":
            raise RuntimeError("the motor is broken")
        if self.steps >= 30 and self.fault == "exit":
            os._exit(3)
        if self.steps >= 30 and self.fault == "nan":
            self.point[0] = np.nan
        info = {
            "is_success": distance < 0.1,
            "distance": distance,
            "closeness": -distance,
            "reward_distance": -distance,
            "steps": self.steps,
            "text": "abc",
        }
        return self.seen(), -distance, distance < 0.1, False, info


gymnasium.register("someones/Point-v0", entry_point=PointEnv, max_episode_steps=40)
gymnasium.register("Endless-v0", entry_point=f"{__name__}:PointEnv")
'''


def write_package(folder: Path, name: str) -> str:
    """Write the package to a folder, which has to be in `sys.path`; return its name."""
    (folder / name).mkdir()
    (folder / name / "__init__.py").write_text(CODE, encoding="utf-8")
    return name
