@torch.jit.script
def compute_reward(obs_buf: Tensor, dof_pos: Tensor) -> Tuple[Tensor, Dict[str, Tensor]]:
    small = torch.exp(-0.05 * torch.sum(obs_buf * obs_buf, dim=-1))
    upright = torch.cos(dof_pos[:, 1])
    return upright + 0.1 * small, {"upright": upright, "small": 0.1 * small}
