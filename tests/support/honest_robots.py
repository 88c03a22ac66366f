"""Rewards for the robots' real states, written by us in the styles of Eureka and Text2Reward.

The robots are the ant, the hopper, the ball and the pen. All rewards are valid: they must pass the
static checks and the contract check.
"""

from __future__ import annotations

ROBOTS: dict[str, tuple[str, str]] = {
    "loop over joints": (
        "ant_forward",
        """
import torch
def compute_reward(dof_pos, dof_vel, root_states):
    forward = root_states[:, 7]
    power = torch.zeros_like(forward)
    for i in range(dof_vel.shape[1]):
        power = power + (dof_pos[:, i] * dof_vel[:, i]).abs()
    return forward - 1e-3 * power, {"forward": forward, "power": power}
""",
    ),
    "direction to the target": (
        "ant_forward",
        """
import torch
import torch.nn.functional as F
def compute_reward(root_states, targets):
    to_target = F.normalize(targets[:, :2] - root_states[:, :2], dim=-1)
    speed = (root_states[:, 7:9] * to_target).sum(dim=-1)
    reward = F.softplus(speed)
    return reward, {"speed": speed}
""",
    ),
    "quaternion algebra": (
        "ant_forward",
        """
import torch
def quat_rotate(q, v):
    w, xyz = q[:, 3:4], q[:, :3]
    t = 2.0 * torch.cross(xyz, v, dim=-1)
    return v + w * t + torch.cross(xyz, t, dim=-1)
def compute_reward(root_states):
    up = torch.tensor([0.0, 0.0, 1.0], device=root_states.device).repeat(root_states.shape[0], 1)
    turned = quat_rotate(root_states[:, 3:7], up)
    upright = turned[:, 2].clamp(min=0.0)
    return upright, {"upright": upright}
""",
    ),
    "potentials": (
        "ant_forward",
        """
import torch
def compute_reward(potentials, prev_potentials, actions):
    progress = potentials - prev_potentials
    reward = progress - 0.005 * torch.norm(actions, p=2, dim=-1)
    return reward, {"progress": progress}
""",
    ),
    "limits": (
        "ant_forward",
        """
import torch
from typing import Dict
def compute_reward(dof_pos, dof_limits_lower, dof_limits_upper):
    middle = 0.5 * (dof_limits_lower + dof_limits_upper)
    half = 0.5 * (dof_limits_upper - dof_limits_lower) + 1e-6
    relative = (dof_pos - middle) / half
    outside = torch.relu(relative.abs() - 0.9)
    reward = -outside.max(dim=-1).values
    components: Dict[str, torch.Tensor] = {}
    components["outside"] = outside.sum(-1)
    return reward, components
""",
    ),
    "einsum and matrices": (
        "ant_forward",
        """
import torch
def compute_reward(dof_vel, root_states):
    energy = torch.einsum("ni,ni->n", dof_vel, dof_vel)
    weights = torch.eye(3, device=dof_vel.device) * 0.5
    v = root_states[:, 7:10]
    kinetic = (v.unsqueeze(1) @ weights @ v.unsqueeze(-1)).squeeze(-1).squeeze(-1)
    return kinetic - 1e-4 * energy, {"kinetic": kinetic, "energy": energy}
""",
    ),
    "sort and top": (
        "ant_forward",
        """
import torch
def compute_reward(dof_vel):
    fastest = torch.topk(dof_vel.abs(), 2, dim=-1).values.mean(dim=-1)
    median = torch.sort(dof_vel.abs(), dim=-1)[0][:, 3]
    return -fastest - median, {"fastest": fastest, "median": median}
""",
    ),
    "guarded division": (
        "hopper_forward",
        """
import torch
def compute_reward(torso_position, prev_torso_position, dt, action):
    speed = (torso_position[:, 0] - prev_torso_position[:, 0]) / max(dt, 1e-6)
    efficiency = speed / (action.abs().sum(-1) + 1e-3)
    efficiency = torch.nan_to_num(efficiency, nan=0.0, posinf=0.0, neginf=0.0)
    return speed + 0.01 * efficiency.clamp(-10, 10), {"speed": speed, "efficiency": efficiency}
""",
    ),
    "height band": (
        "hopper_forward",
        """
import math
import torch
def compute_reward(torso_position, torso_pitch):
    height = torso_position[..., 2]
    in_band = torch.logical_and(height.gt(0.8), height.lt(2.0))
    level = torch.exp(-torso_pitch.pow(2) / math.sqrt(2.0))
    return in_band.float() * level, {"in_band": in_band, "level": level}
""",
    ),
    "f-string names": (
        "hopper_forward",
        """
import torch
def compute_reward(torso_position):
    parts = {}
    for i, axis in enumerate(["x", "z"]):
        parts[f"position_{axis}"] = torso_position[:, 2 * i]
    total = torch.zeros_like(torso_position[:, 0])
    for part in parts.values():
        total += 0.1 * torch.tanh(part)
    return total, parts
""",
    ),
    "lists of terms": (
        "hopper_forward",
        """
import torch
def compute_reward(torso_position, torso_pitch, action):
    terms = [torso_position[:, 2], -torso_pitch.abs(), -0.1 * (action ** 2).mean(dim=-1)]
    weights = [1.0, 0.5, 0.1]
    reward = sum(w * t for w, t in zip(weights, terms))
    return reward, {f"term_{i}": t for i, t in enumerate(terms)}
""",
    ),
    "no gradients": (
        "hopper_forward",
        """
import torch
def compute_reward(torso_position, torso_pitch):
    with torch.no_grad():
        height = torso_position[:, 2].detach().clone()
        reward = torch.clamp(height, 0.0, 1.5) - torso_pitch.square()
    return reward, {"height": height}
""",
    ),
    "staged": (
        "ball_balance",
        """
import torch
def compute_reward(ball_positions, ball_linvels):
    off = torch.norm(ball_positions[:, :2], dim=-1)
    near = off < 0.1
    slow = torch.linalg.norm(ball_linvels, dim=-1) < 0.2
    stage1 = 1.0 / (1.0 + off)
    stage2 = torch.where(near, torch.ones_like(off), torch.zeros_like(off))
    stage3 = (near & slow).to(torch.float32)
    return stage1 + stage2 + 2.0 * stage3, {"stage1": stage1, "stage2": stage2, "stage3": stage3}
""",
    ),
    "constant tensors": (
        "ball_balance",
        """
import torch
def compute_reward(ball_positions, ball_linvels):
    device = ball_positions.device
    goal = torch.tensor([0.0, 0.0, 0.7], dtype=torch.float32, device=device).unsqueeze(0)
    scale = torch.tensor([1.0, 1.0, 0.5]).to(device)
    distance = (((ball_positions - goal) * scale) ** 2).sum(dim=-1).sqrt()
    still = torch.full((ball_positions.size(0),), 0.1, device=device)
    return -distance + still, {"distance": distance}
""",
    ),
    "index lists": (
        "ball_balance",
        """
import torch
def compute_reward(ball_positions, ball_linvels):
    flat = ball_positions[:, [0, 1]]
    swapped = torch.index_select(ball_linvels, 1, torch.tensor([1, 0]))
    towards = -(flat * swapped).sum(-1)
    return towards - flat.norm(dim=-1), {"towards": towards}
""",
    ),
    "stack and concatenate": (
        "ball_balance",
        """
import torch
def compute_reward(ball_positions, ball_linvels):
    both = torch.cat([ball_positions, ball_linvels], dim=-1)
    worst, _ = torch.max(both.abs(), dim=-1)
    halves = torch.stack(torch.chunk(both, 2, dim=-1), dim=1).norm(dim=-1)
    return -worst - halves.mean(dim=1), {"worst": worst, "near": halves[:, 0], "slow": halves[:, 1]}
""",
    ),
    "huber": (
        "ball_balance",
        """
import torch
import torch.nn.functional as F
def compute_reward(ball_positions):
    zero = torch.zeros_like(ball_positions)
    off = F.smooth_l1_loss(ball_positions, zero, reduction="none").sum(dim=-1)
    soft = F.huber_loss(ball_positions, zero, reduction="none", delta=0.5).mean(-1)
    return torch.exp(-off) - soft, {"off": off, "soft": soft}
""",
    ),
    "quaternion distance": (
        "pen_spinning",
        """
import torch
def quat_conjugate(q):
    return torch.cat([-q[:, :3], q[:, 3:4]], dim=-1)
def quat_mul(a, b):
    ax, ay, az, aw = a[:, 0], a[:, 1], a[:, 2], a[:, 3]
    bx, by, bz, bw = b[:, 0], b[:, 1], b[:, 2], b[:, 3]
    x = aw * bx + ax * bw + ay * bz - az * by
    y = aw * by - ax * bz + ay * bw + az * bx
    z = aw * bz + ax * by - ay * bx + az * bw
    w = aw * bw - ax * bx - ay * by - az * bz
    return torch.stack([x, y, z, w], dim=-1)
def compute_reward(object_rot, goal_rot):
    difference = quat_mul(object_rot, quat_conjugate(goal_rot))
    angle = 2.0 * torch.asin(torch.clamp(torch.norm(difference[:, 0:3], p=2, dim=-1), max=1.0))
    reward = 1.0 / (torch.abs(angle) + 0.1)
    return reward, {"angle": angle}
""",
    ),
    "loop over fingers": (
        "pen_spinning",
        """
import torch
def compute_reward(fingertip_pos, object_pos):
    tips = fingertip_pos.view(fingertip_pos.shape[0], 5, -1)[:, :, :3]
    reward = torch.zeros(object_pos.shape[0], device=object_pos.device)
    parts = {}
    for finger in range(5):
        near = torch.exp(-10.0 * torch.norm(tips[:, finger] - object_pos, dim=-1))
        parts[f"finger_{finger}"] = near
        reward = reward + near / 5
    return reward, parts
""",
    ),
    "spin and hold": (
        "pen_spinning",
        """
import torch
from torch import Tensor
def compute_reward(object_pos: Tensor, goal_pos: Tensor, object_angvel: Tensor, actions: Tensor):
    spin = torch.clip(object_angvel.norm(dim=-1), 0.0, 10.0) / 10.0
    held = torch.exp(-20.0 * (object_pos - goal_pos).norm(dim=-1))
    effort = -2e-4 * actions.square().sum(dim=-1)
    reward = torch.tanh(2.0 * spin) * held + effort
    assert reward.dim() == 1
    return reward, {"spin": spin, "held": held, "effort": effort}
""",
    ),
    "bonus and penalty": (
        "pen_spinning",
        """
import torch
def compute_reward(object_pos, goal_pos, object_rot, goal_rot):
    distance = torch.cdist(object_pos.unsqueeze(1), goal_pos.unsqueeze(1)).squeeze(-1).squeeze(-1)
    cosine = torch.sum(object_rot * goal_rot, dim=1).abs().clamp(0.0, 1.0)
    success = torch.where(cosine > 0.99, torch.full_like(cosine, 100.0), torch.zeros_like(cosine))
    fall = torch.where(distance > 0.24, -10.0 * torch.ones_like(distance), 0.0 * distance)
    reward = cosine - distance
    reward += success
    reward += fall
    return reward, {"cosine": cosine, "success": success, "fall": fall}
""",
    ),
    "softmax over directions": (
        "pen_spinning",
        """
import torch
def compute_reward(object_linvel, object_angvel):
    share = torch.softmax(object_angvel.abs(), dim=-1)
    along = share[:, 2] * object_angvel[:, 2].sign()
    calm = torch.exp(-object_linvel.pow(2).sum(-1))
    return along * calm, {"along": along, "calm": calm}
""",
    ),
}
"""Name → (task, source)."""
