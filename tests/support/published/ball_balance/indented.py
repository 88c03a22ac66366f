    @torch.jit.script
    def compute_reward(ball_positions: Tensor, ball_linvels: Tensor, tray_positions: Tensor) -> Tuple[Tensor, Dict[str, Tensor]]:
        distance_temperature = 0.3
        offset = ball_positions[:, 0:2] - tray_positions[:, 0:2]
        near = torch.exp(-torch.norm(offset, p=2, dim=-1) / distance_temperature)
        slow = 1.0 / (1.0 + torch.norm(ball_linvels, dim=-1))
        reward = near * slow
        return reward, {"near": near, "slow": slow}
