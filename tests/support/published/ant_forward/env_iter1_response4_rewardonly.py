@torch.jit.script
def compute_reward(root_states: Tensor, actions: Tensor, dt: float) -> Tuple[Tensor, Dict[str, Tensor]]:
    forward_speed = root_states[:, 7]
    speed_temperature: float = 4.0
    effort_temperature: float = 0.05

    speed_reward = torch.exp(forward_speed.clamp(max=6.0) / speed_temperature) - 1.0
    effort_penalty = -effort_temperature * torch.sum(actions ** 2, dim=-1)
    height_bonus = torch.where(root_states[:, 2] > 0.35, torch.ones_like(forward_speed), torch.zeros_like(forward_speed))

    total_reward = speed_reward + effort_penalty + 0.5 * height_bonus
    reward_dict = {
        "speed_reward": speed_reward,
        "effort_penalty": effort_penalty,
        "height_bonus": height_bonus,
    }
    return total_reward, reward_dict
