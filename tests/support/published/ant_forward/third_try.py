def compute_reward_v3(root_states: torch.Tensor, heading_vec: torch.Tensor, actions: torch.Tensor):
    """Third version: less weight on the effort than in v2."""
    velocity = root_states[:, 7:10]
    ahead = F.relu(velocity[:, 0])
    sideways = velocity[:, 1].abs()
    facing = (heading_vec[:, 0] + 1.0) / 2.0
    effort = torch.mean(actions.square(), dim=-1)
    speed = ahead * facing
    reward = speed - 0.3 * sideways - 0.02 * effort
    return reward, {"speed": speed, "sideways": -0.3 * sideways, "effort": -0.02 * effort}
