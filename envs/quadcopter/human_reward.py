# The reward of Isaac Gym's Quadcopter (Makoviychuk et al. 2021), in our own words: near the target,
# and there upright and without spin.
from typing import Dict, Tuple

import torch
from torch import Tensor


def compute_reward(
    root_positions: Tensor, root_quats: Tensor, root_angvels: Tensor, target_root_positions: Tensor
) -> Tuple[Tensor, Dict[str, Tensor]]:
    distance_squared = torch.sum((target_root_positions - root_positions) ** 2, dim=-1)
    near = 1.0 / (1.0 + distance_squared)
    up_z = 1.0 - 2.0 * (root_quats[:, 0] ** 2 + root_quats[:, 1] ** 2)
    upright = near / (1.0 + (1.0 - up_z) ** 2)
    still = near / (1.0 + root_angvels[:, 2] ** 2)
    return near + upright + still, {"near": near, "upright": upright, "still": still}
