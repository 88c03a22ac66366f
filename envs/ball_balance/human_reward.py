# The reward of Isaac Gym's BallBalance (Makoviychuk et al. 2021), in our own words: be near the
# point 0.7 m above the middle of the floor, and slow.
from typing import Dict, Tuple

import torch
from torch import Tensor


def compute_reward(ball_positions: Tensor, ball_linvels: Tensor) -> Tuple[Tensor, Dict[str, Tensor]]:
    rest = torch.tensor([0.0, 0.0, 0.7], device=ball_positions.device)
    position = 1.0 / (1.0 + torch.norm(ball_positions - rest, dim=-1))
    speed = 1.0 / (1.0 + torch.norm(ball_linvels, dim=-1))
    return position * speed, {"position": position, "speed": speed}
