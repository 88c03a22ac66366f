# The reward of Gymnasium's Reacher-v5 (Towers et al. 2024), in our own words: the distance to the
# target, and a price on torque.
from typing import Dict, Tuple

import torch
from torch import Tensor


def compute_reward(
    fingertip_position: Tensor, target_position: Tensor, action: Tensor
) -> Tuple[Tensor, Dict[str, Tensor]]:
    distance = -torch.norm(fingertip_position - target_position, dim=-1)
    control_cost = -torch.sum(action**2, dim=-1)
    return distance + control_cost, {"distance": distance, "control_cost": control_cost}
