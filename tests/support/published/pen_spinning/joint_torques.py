@torch.jit.script
def compute_reward(object_rot: Tensor, goal_rot: Tensor, object_angvel: Tensor, dof_force_tensor: Tensor, object_pose: Tensor, goal_pose: Tensor) -> Tuple[Tensor, Dict[str, Tensor]]:
    off = quat_mul(object_rot, quat_conjugate(goal_rot))
    angle = 2.0 * torch.acos(off[:, 3].abs().clamp(max=0.9999))
    aligned = torch.exp(-2.0 * angle)
    held = torch.exp(-20.0 * (object_pose[:, :3] - goal_pose[:, :3]).norm(dim=-1))
    gentle = -0.001 * dof_force_tensor.pow(2).sum(dim=-1)
    return aligned + held + gentle, {"aligned": aligned, "held": held, "gentle": gentle}
