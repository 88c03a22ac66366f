import torch


class CartpoleGPT(VecTask):
    def compute_reward(self):
        env = self.env
        pole_angle = env.dof_pos[:, 1]
        pole_vel = self.dof_vel[:, 1]
        cart_pos = self.env.dof_pos[:, 0] / self.reset_dist
        upright = 1.0 - pole_angle ** 2
        centred = -0.1 * cart_pos.abs()
        calm = -0.005 * pole_vel.abs()
        return upright + centred + calm, {"upright": upright, "centred": centred, "calm": calm}
