# The reward that people wrote for turning an object in the Shadow hand: the form and the scales of
# Isaac Gym's ShadowHand task (Makoviychuk et al. 2021, https://arxiv.org/abs/2108.10470;
# IsaacGymEnvs, `shadow_hand.py` and `ShadowHand.yaml`), which Eureka took over as the human reward
# of its hand tasks. Written by us.
# Scales: 1 / (angle + 0.1), -10 a metre, -0.0002 a squared action, +250 at the goal; the fall
# penalty, which Isaac Gym leaves at 0, and the fall distance are this task's.
from typing import Dict, Tuple

import torch
from torch import Tensor


def compute_reward(
    object_pos: Tensor, object_rot: Tensor, goal_pos: Tensor, goal_rot: Tensor, actions: Tensor
) -> Tuple[Tensor, Dict[str, Tensor]]:
    cosine = (object_rot * goal_rot).sum(dim=-1).abs().clamp(max=1.0)
    rotation_distance = 2.0 * torch.acos(cosine)
    goal_distance = torch.norm(object_pos - goal_pos, dim=-1)

    rotation = 1.0 / (rotation_distance + 0.1)
    distance = -10.0 * goal_distance
    action = -0.0002 * (actions**2).sum(dim=-1)
    reached = torch.where(rotation_distance < 0.2, 250.0, 0.0)
    fall = torch.where(goal_distance > 0.12, -50.0, 0.0)

    reward = rotation + distance + action + reached + fall
    return reward, {
        "rotation": rotation,
        "distance": distance,
        "action": action,
        "reached": reached,
        "fall": fall,
    }
