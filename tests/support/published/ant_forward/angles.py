import math
from typing import Dict, List, Optional, Tuple

import torch
from torch import Tensor
from isaacgymenvs.utils.torch_jit_utils import quat_rotate_inverse, get_euler_xyz


@torch.jit.script
def compute_reward(root_states: Tensor, dof_pos: Tensor, dof_limits_lower: Tensor, dof_limits_upper: Tensor) -> Tuple[Tensor, Dict[str, Tensor]]:
    torso_rotation = root_states[:, 3:7]
    own_velocity = quat_rotate_inverse(torso_rotation, root_states[:, 7:10])
    roll, pitch, yaw = get_euler_xyz(torso_rotation)
    # angles come in [0, 2 pi)
    roll = torch.where(roll > math.pi, roll - 2.0 * math.pi, roll)
    pitch = normalize_angle(pitch)
    level = torch.exp(-(roll ** 2 + pitch ** 2) / 0.25)
    ahead = torch.cos(yaw)
    at_limit = (unscale(dof_pos, dof_limits_lower, dof_limits_upper).abs() > 0.98).float().sum(dim=-1)
    speed = torch.clamp(own_velocity[:, 0] * ahead, -1.0, 8.0)
    total = speed + 0.3 * level - 0.05 * at_limit
    return total, {"speed": speed, "level": 0.3 * level, "limits": -0.05 * at_limit}
