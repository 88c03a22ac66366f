# The reward of Isaac Gym's Humanoid (Makoviychuk et al. 2021), in our own words: speed towards the
# target, staying up, upright and headed for it, at a price on actions, joint power and joints at
# the ends of their ranges.
from typing import Dict, Tuple

import torch
from torch import Tensor


def compute_reward(
    root_states: Tensor,
    targets: Tensor,
    potentials: Tensor,
    prev_potentials: Tensor,
    up_vec: Tensor,
    heading_vec: Tensor,
    dof_pos: Tensor,
    dof_vel: Tensor,
    dof_limits_lower: Tensor,
    dof_limits_upper: Tensor,
    action: Tensor,
) -> Tuple[Tensor, Dict[str, Tensor]]:
    to_target = (targets - root_states[:, 0:3])[:, 0:2]
    direction = to_target / torch.norm(to_target, dim=-1, keepdim=True)
    heading = torch.sum(heading_vec[:, 0:2] * direction, dim=-1)
    scaled_pos = (2.0 * dof_pos - dof_limits_upper - dof_limits_lower) / (dof_limits_upper - dof_limits_lower)
    beyond = torch.clamp(torch.abs(scaled_pos) - 0.98, min=0.0) / 0.02

    components = {
        "progress": potentials - prev_potentials,
        "alive": torch.full_like(potentials, 2.0),
        "upright": 0.1 * (up_vec[:, 2] > 0.93).float(),
        "heading": 0.5 * torch.clamp(heading / 0.8, max=1.0),
        "action_cost": -0.01 * torch.sum(action**2, dim=-1),
        "power_cost": -0.05 * torch.sum(torch.abs(action * 0.1 * dof_vel), dim=-1),
        "limit_cost": -0.25 * torch.sum(beyond, dim=-1),
    }
    reward = torch.stack(list(components.values())).sum(dim=0)
    fallen = root_states[:, 2] < 0.8
    return torch.where(fallen, -1.0, reward), components
