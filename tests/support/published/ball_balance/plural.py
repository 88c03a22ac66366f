def compute_rewards(ball_positions: Tensor, ball_linvels: Tensor, sensor_forces: Tensor) -> Tuple[Tensor, Dict[str, Tensor]]:
    weights = torch.Tensor([1.0, 1.0, 0.2]).to(ball_positions.device)
    ball_positions[:, 2] -= 0.8
    far = torch.sum(weights * ball_positions ** 2, dim=-1)
    fast = torch.sum(ball_linvels ** 2, dim=-1)
    even = torch.std(sensor_forces[:, :, 2], dim=-1)
    keep = F.softplus(1.0 - 4.0 * far)
    calm = -0.05 * torch.log1p(fast)
    load = -0.002 * even
    return keep + calm + load, {"keep": keep, "calm": calm, "load": load}
