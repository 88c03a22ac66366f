# Copyright (c) somebody. Written for the tests in the form of a published environment file.

import os
import random

import numpy as np
import torch

from isaacgym import gymapi
from isaacgym import gymtorch
from isaacgym.gymtorch import *
from isaacgym.torch_utils import *
from isaacgymenvs.tasks.base.vec_task import VecTask
from isaacgymenvs.utils.torch_jit_utils import *

ASSET_ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "assets")


class AntGPT(VecTask):
    """A crawler with four legs."""

    def __init__(self, cfg, rl_device, sim_device, graphics_device_id, headless):
        self.cfg = cfg
        self.max_episode_length = self.cfg["env"]["episodeLength"]
        super().__init__(config=self.cfg, rl_device=rl_device, sim_device=sim_device)
        self.root_states = gymtorch.wrap_tensor(self.gym.acquire_actor_root_state_tensor(self.sim))

    def compute_observations(self):
        self.obs_buf[:], self.potentials[:], self.prev_potentials[:] = compute_observations(
            self.root_states, self.targets, self.potentials, self.dt
        )

    def compute_reward(self, actions):
        self.rew_buf[:], self.rew_dict = compute_reward(
            self.root_states, self.targets, self.potentials, self.prev_potentials, self.up_vec, self.dof_vel, actions
        )
        self.extras["gpt_reward"] = self.rew_buf.mean()
        for name, value in self.rew_dict.items():
            self.extras[name] = value.mean()


#####################################################################
###=========================jit functions=========================###
#####################################################################


@torch.jit.script
def compute_observations(root_states, targets, potentials, dt):
    # type: (Tensor, Tensor, Tensor, float) -> Tuple[Tensor, Tensor, Tensor]
    to_target = targets - root_states[:, 0:3]
    to_target[:, 2] = 0.0
    before = potentials.clone()
    return torch.cat((root_states, to_target), dim=-1), -torch.norm(to_target, p=2, dim=-1) / dt, before


@torch.jit.script
def bounded(x: Tensor, temperature: float) -> Tensor:
    # between 0 and 1
    return 1.0 - torch.exp(-x.clamp(min=0.0) / temperature)


from typing import Tuple, Dict
import math
import torch
from torch import Tensor


@torch.jit.script
def compute_reward(
    root_states: Tensor,
    targets: Tensor,
    potentials: Tensor,
    prev_potentials: Tensor,
    up_vec: Tensor,
    dof_vel: Tensor,
    actions: Tensor,
) -> Tuple[Tensor, Dict[str, Tensor]]:
    # progress towards the target
    progress = potentials - prev_potentials
    to_target = targets - root_states[:, 0:3]
    to_target[:, 2] = 0.0
    way = normalize(to_target)
    along = torch.sum(root_states[:, 7:10] * way, dim=-1)
    running = bounded(along, 2.0)

    # the body's own up direction
    up = quat_rotate(root_states[:, 3:7], torch.tensor([[0.0, 0.0, 1.0]], device=root_states.device).repeat(up_vec.shape[0], 1))
    upright = torch.exp(4.0 * (up[:, 2] - 1.0))
    effort = -0.005 * torch.sum(torch.abs(actions * dof_vel), dim=-1)

    reward = progress + running + 0.2 * upright + effort
    return reward, {"progress": progress, "running": running, "upright": upright, "effort": effort}
