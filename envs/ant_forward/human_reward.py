# The reward of Isaac Gym's Ant (Makoviychuk et al. 2021), in our own words: speed towards the
# target, staying up, upright and headed for it, at a price on actions, joint power and joints at
# their upper ends.
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
    actions: Tensor,
) -> Tuple[Tensor, Dict[str, Tensor]]:
    to_target = (targets - root_states[:, 0:3])[:, 0:2]
    direction = to_target / torch.norm(to_target, dim=-1, keepdim=True)
    heading = torch.sum(heading_vec[:, 0:2] * direction, dim=-1)
    scaled_pos = (2.0 * dof_pos - dof_limits_upper - dof_limits_lower) / (dof_limits_upper - dof_limits_lower)

    components = {
        "progress": potentials - prev_potentials,
        "alive": torch.full_like(potentials, 0.5),
        "upright": 0.1 * (up_vec[:, 2] > 0.93).float(),
        "heading": 0.5 * torch.clamp(heading / 0.8, max=1.0),
        "action_cost": -0.005 * torch.sum(actions**2, dim=-1),
        "power_cost": -0.05 * torch.sum(torch.abs(actions * 0.2 * dof_vel), dim=-1),
        "limit_cost": -0.1 * torch.sum((scaled_pos > 0.99).float(), dim=-1),
    }
    reward = torch.stack(list(components.values())).sum(dim=0)
    fallen = root_states[:, 2] < 0.31
    return torch.where(fallen, -2.0, reward), components
