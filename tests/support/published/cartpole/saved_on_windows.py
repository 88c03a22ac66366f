import torch
from torch import Tensor
from typing import Dict, Tuple


@torch.jit.script
def compute_reward(dof_pos: Tensor, dof_vel: Tensor) -> Tuple[Tensor, Dict[str, Tensor]]:
    # größer ist besser: die Stange steht
    lean = dof_pos[:, 1]
    upright = torch.cos(lean)
    slow = torch.exp(-0.05 * dof_vel[:, 1] ** 2 - 0.02 * dof_vel[:, 0] ** 2)
    return upright * slow, {"upright": upright, "slow": slow}
