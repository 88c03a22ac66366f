def _get_rewards_eureka(self):
    """Rewards an upright pole and a cart in the middle."""
    lean = self.dof_pos[:, 1]
    dof_vel = self.dof_vel * torch.tensor([0.01, 0.1], device=self.dof_vel.device)
    upright_reward = torch.exp(-torch.square(lean) / 0.1)
    rest_penalty = -torch.linalg.norm(dof_vel, dim=-1)
    total_reward = upright_reward + rest_penalty + 0.0 * self.dof_vel[:, 0]
    rewards_dict = {"upright_reward": upright_reward, "rest_penalty": rest_penalty}
    return total_reward, rewards_dict
