# The reward of Gymnasium's Hopper-v5 (Towers et al. 2024), in our own words: speed, one point for
# each step on its foot, and a small price on torque.
from typing import Dict, Tuple

import torch
from torch import Tensor


def compute_reward(
    torso_position: Tensor, prev_torso_position: Tensor, torso_pitch: Tensor, action: Tensor, dt: float
) -> Tuple[Tensor, Dict[str, Tensor]]:
    forward = (torso_position[:, 0] - prev_torso_position[:, 0]) / dt
    healthy = ((torso_position[:, 2] > 0.7) & (torso_pitch.abs() < 0.2)).float()
    control_cost = -0.001 * torch.sum(action**2, dim=-1)
    return forward + healthy + control_cost, {"forward": forward, "healthy": healthy, "control_cost": control_cost}
