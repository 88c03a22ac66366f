import math
import torch
from torch import Tensor
from typing import Dict, List, Tuple


@torch.jit.script
def quat_conjugate(q: Tensor) -> Tensor:
    return torch.cat([-q[:, 0:3], q[:, 3:4]], dim=-1)


@torch.jit.script
def angle_between(a: Tensor, b: Tensor) -> Tensor:
    """Rad, from the scalar part of a times the inverse of b."""
    inverse = quat_conjugate(b)
    scalar = a[:, 3] * inverse[:, 3] - torch.sum(a[:, 0:3] * inverse[:, 0:3], dim=-1)
    return 2.0 * torch.acos(torch.clamp(torch.abs(scalar), max=0.99999))


@torch.jit.script
def compute_reward(
    object_rot: Tensor, goal_rot: Tensor, object_linvel: Tensor, fingertip_pos: Tensor, object_pos: Tensor, success_tolerance: float
) -> Tuple[Tensor, Dict[str, Tensor]]:
    alignment_temp: float = 0.5
    reach_temp: float = 0.1
    angle = angle_between(object_rot, goal_rot)
    alignment = torch.exp(-angle / alignment_temp)
    reach = torch.exp(-torch.norm(fingertip_pos - object_pos.unsqueeze(1), dim=-1).mean(dim=-1) / reach_temp)
    success = torch.where(angle < success_tolerance, torch.ones_like(angle), torch.zeros_like(angle))
    steady = -0.1 * torch.norm(object_linvel, dim=-1)
    names: List[str] = ["alignment", "reach", "success", "steady"]
    values = [alignment, 0.2 * reach, 2.0 * success, steady]
    total = values[0] + values[1] + values[2] + values[3]
    return total, {name: value for name, value in zip(names, values)}
