# The reward of Gymnasium's Swimmer-v5 (Towers et al. 2024), in our own words: speed, and a very
# small price on torque.
from typing import Dict, Tuple

import torch
from torch import Tensor


def compute_reward(
    front_position: Tensor, prev_front_position: Tensor, action: Tensor, dt: float
) -> Tuple[Tensor, Dict[str, Tensor]]:
    forward = (front_position[:, 0] - prev_front_position[:, 0]) / dt
    control_cost = -0.0001 * torch.sum(action**2, dim=-1)
    return forward + control_cost, {"forward": forward, "control_cost": control_cost}
