# The reward of Gymnasium's HalfCheetah-v5 (Towers et al. 2024), in our own words: speed, and a
# price on torque.
from typing import Dict, Tuple

import torch
from torch import Tensor


def compute_reward(
    torso_position: Tensor, prev_torso_position: Tensor, action: Tensor, dt: float
) -> Tuple[Tensor, Dict[str, Tensor]]:
    forward = (torso_position[:, 0] - prev_torso_position[:, 0]) / dt
    control_cost = -0.1 * torch.sum(action**2, dim=-1)
    return forward + control_cost, {"forward": forward, "control_cost": control_cost}
