# The reward of Isaac Gym's Cartpole (Makoviychuk et al. 2021), in our own words: stay upright, move
# little, and never leave the rail or let the pole fall.
from typing import Dict, Tuple

import torch
from torch import Tensor


def compute_reward(dof_pos: Tensor, dof_vel: Tensor, reset_dist: float) -> Tuple[Tensor, Dict[str, Tensor]]:
    cart_position, pole_angle = dof_pos[:, 0], dof_pos[:, 1]
    cart_velocity, pole_velocity = dof_vel[:, 0], dof_vel[:, 1]
    failed = (cart_position.abs() > reset_dist) | (pole_angle.abs() > torch.pi / 2)
    upright = torch.where(failed, -2.0, 1.0 - pole_angle**2)
    cart_speed_cost = torch.where(failed, 0.0, -0.01 * cart_velocity.abs())
    pole_speed_cost = torch.where(failed, 0.0, -0.005 * pole_velocity.abs())
    reward = upright + cart_speed_cost + pole_speed_cost
    return reward, {"upright": upright, "cart_speed_cost": cart_speed_cost, "pole_speed_cost": pole_speed_cost}
