import os
import sys
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor
from typing import Any, Dict, List, Optional, Tuple
from gym import spaces
from isaacgym import gymapi, gymtorch

HALF_TURN = np.pi
MIDDLE: float = 0.7


def bell(x: Tensor, width: float = 0.25) -> Tensor:
    return torch.exp(-(x / width) ** 2)


def compute_reward(
    ball_positions: Tensor,
    ball_linvels: Tensor,
    dof_velocities: Optional[Tensor],
    gain: float = 0.02,
) -> Tuple[Tensor, Dict[str, Tensor]]:
    parts: Dict[str, Tensor] = {}
    parts["centre"] = bell(torch.sqrt(ball_positions[:, 0] ** 2 + ball_positions[:, 1] ** 2 + 1e-8))
    parts["height"] = bell(ball_positions[:, 2] - MIDDLE, width=0.1 * HALF_TURN)
    parts["rest"] = -gain * ball_linvels.abs().sum(dim=-1) - 0.1 * gain * dof_velocities.abs().mean(dim=-1)
    total = torch.stack([parts[name] for name in ("centre", "height", "rest")], dim=0).sum(dim=0)
    return total, parts


if __name__ == "__main__":
    print(compute_reward(torch.zeros(4, 3), torch.zeros(4, 3), torch.zeros(4, 6)))
