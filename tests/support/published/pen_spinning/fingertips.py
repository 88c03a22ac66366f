import torch
from torch import Tensor


@torch.jit.script
def compute_reward(fingertip_state: Tensor, vec_sensor_tensor: Tensor, object_pos: Tensor, shadow_hand_dof_pos: Tensor, shadow_hand_dof_lower_limits: Tensor, shadow_hand_dof_upper_limits: Tensor):
    tips = fingertip_state[:, :, 0:3]
    touch = torch.exp(-10.0 * (tips - object_pos[:, None, :]).norm(dim=-1)).mean(dim=-1)
    pressure = torch.tanh(vec_sensor_tensor.view(-1, 5, 6)[:, :, 0:3].norm(dim=-1)).mean(dim=-1)
    middle = unscale(shadow_hand_dof_pos, shadow_hand_dof_lower_limits, shadow_hand_dof_upper_limits).abs().mean(dim=-1)
    return touch + 0.1 * pressure - 0.1 * middle, {"touch": touch, "pressure": 0.1 * pressure, "middle": -0.1 * middle}
