"""Rewards for the cart-pole's real state, written by us in the styles of Eureka and Text2Reward.

All are valid: they must pass the static checks and the contract check.
"""

from __future__ import annotations

SIMPLE: dict[str, tuple[str, str]] = {
    "typing and jit": (
        "cartpole",
        """
import torch
from typing import Tuple, Dict
from torch import Tensor

@torch.jit.script
def compute_reward(dof_pos: Tensor, dof_vel: Tensor) -> Tuple[Tensor, Dict[str, Tensor]]:
    angle_temp: float = 0.5
    upright = torch.exp(-torch.abs(dof_pos[:, 1]) / angle_temp)
    still = torch.exp(-torch.abs(dof_vel[:, 1]))
    return upright + 0.1 * still, {"upright": upright, "still": still}
""",
    ),
    "numpy's pi": (
        "cartpole",
        """
import numpy as np
import torch
def compute_reward(dof_pos, dof_vel):
    angle = dof_pos[:, 1] / np.pi
    reward = 1.0 - torch.square(angle)
    return reward, {"angle": angle}
""",
    ),
    "helper functions": (
        "cartpole",
        """
import torch
def _gauss(x, temperature=0.2):
    return torch.exp(-(x ** 2) / temperature)
def _both(a, b):
    return a * b
def compute_reward(dof_pos, dof_vel):
    centred, upright = _gauss(dof_pos[:, 0], 1.0), _gauss(dof_pos[:, 1])
    return _both(centred, upright), dict(centred=centred, upright=upright)
""",
    ),
    "nested functions and lambdas": (
        "cartpole",
        """
import torch
def compute_reward(dof_pos, dof_vel, reset_dist):
    def shaped(x):
        scale = lambda y: y / reset_dist
        return 1.0 - torch.tanh(scale(x).abs())
    parts = {"cart": shaped(dof_pos[:, 0]), "pole": shaped(dof_pos[:, 1])}
    return sum(parts.values()), parts
""",
    ),
    "early return on a constant": (
        "cartpole",
        """
import torch
def compute_reward(dof_pos, dof_vel, reset_dist, weight: float = 0.5):
    upright = torch.cos(dof_pos[:, 1])
    if weight <= 0.0:
        return upright, {"upright": upright}
    cost = -weight * dof_vel[:, 0].abs() / reset_dist
    return upright + cost, {"upright": upright, "cost": cost}
""",
    ),
    "where and masks": (
        "cartpole",
        """
import torch
def compute_reward(dof_pos, dof_vel):
    x, theta = dof_pos.unbind(dim=-1)
    reward = torch.ones_like(theta)
    reward[theta.abs() > 0.2] = -1.0
    reward = torch.where((x.abs() > 2.0) & (reward > 0), torch.zeros_like(x), reward)
    return reward, {"alive": (reward > 0).float()}
""",
    ),
    "weights in a dictionary": (
        "cartpole",
        """
import torch
WEIGHTS = {"upright": 1.0, "cart": 0.05, "speed": 0.01}
def compute_reward(dof_pos, dof_vel):
    terms = {
        "upright": torch.cos(dof_pos[:, 1]),
        "cart": -dof_pos[:, 0] ** 2,
        "speed": -torch.sum(dof_vel ** 2, dim=-1),
    }
    terms = {name: WEIGHTS[name] * value for name, value in terms.items()}
    return torch.stack(list(terms.values()), dim=0).sum(dim=0), terms
""",
    ),
    "mean for the log": (
        "cartpole",
        """
import torch
def compute_reward(dof_pos, dof_vel):
    reward = 1.0 - dof_pos[:, 1] ** 2
    return reward, {"reward": reward, "mean_angle": dof_pos[:, 1].mean(), "bonus": 0.5}
""",
    ),
    "previous state": (
        "cartpole",
        """
import torch
def compute_reward(dof_pos, prev_dof_pos, action):
    gained = prev_dof_pos[:, 1].abs() - dof_pos[:, 1].abs()
    cost = 0.01 * action.pow(2).sum(dim=1)
    return 10.0 * gained - cost, {"gained": gained, "cost": cost}
""",
    ),
    "episode time": (
        "cartpole",
        """
import torch
def compute_reward(dof_pos: torch.Tensor, episode_time: torch.Tensor):
    calm = torch.sigmoid(episode_time - 1.0) * torch.exp(-dof_pos.norm(dim=-1))
    return calm, {"calm": calm}
""",
    ),
}
"""Name → (task, source)."""
