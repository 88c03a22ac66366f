from isaacgymenvs.utils.torch_jit_utils import *
from isaacgym.torch_utils import *


@torch.jit.script
def compute_reward(object_rot: Tensor, goal_rot: Tensor, object_angvel: Tensor, object_pos: Tensor, goal_pos: Tensor) -> Tuple[Tensor, Dict[str, Tensor]]:
    quat_diff = quat_mul(object_rot, quat_conjugate(goal_rot))
    rot_dist = 2.0 * torch.asin(torch.clamp(torch.norm(quat_diff[:, 0:3], p=2, dim=-1), max=1.0))
    rotation_reward = 1.0 / (torch.abs(rot_dist) + 0.1)
    spin_reward = tensor_clamp(object_angvel[:, 2], torch.full_like(rot_dist, -1.0), torch.full_like(rot_dist, 4.0))
    drop_penalty = -10.0 * torch.norm(object_pos - goal_pos, p=2, dim=-1)
    total = 0.5 * rotation_reward + 0.2 * spin_reward + drop_penalty
    return total, {"rotation_reward": rotation_reward, "spin_reward": spin_reward, "drop_penalty": drop_penalty}
