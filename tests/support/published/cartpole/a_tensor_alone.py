import torch


def reward_fn(dof_pos, dof_vel):
    lean, spin = dof_pos[:, 1], dof_vel[:, 1]
    reward = 1.0 - lean ** 2 - 0.005 * spin.abs()
    return torch.where(dof_pos[:, 0].abs() > 2.5, reward - 1.0, reward)
