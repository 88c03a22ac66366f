from isaacgym.torch_utils import *


@torch.jit.script
def compute_reward(root_states: Tensor, vec_sensor_tensor: Tensor, inv_start_rot: Tensor, basis_vec0: Tensor, basis_vec1: Tensor) -> Tuple[Tensor, Dict[str, Tensor]]:
    torso = quat_mul(root_states[:, 3:7], inv_start_rot)
    heading = quat_rotate(torso, basis_vec0)
    up = quat_rotate(torso, basis_vec1)
    feet = torch.reshape(vec_sensor_tensor, (-1, 4, 6))
    steps = torch.tanh(0.1 * torch.norm(feet[:, :, 0:3], p=2, dim=-1)).mean(dim=-1)
    speed = root_states[:, 7] * heading[:, 0].clamp(min=0.0)
    upright = 0.2 * up[:, 2]
    return speed + upright + 0.1 * steps, {"speed": speed, "upright": upright, "steps": 0.1 * steps}
