"""Rewards of one environment in Text2Reward's form, written by us, and the state that they read."""

from __future__ import annotations

from eureka_agent.tasks.task import StateSpec, StateVariable

SPEC = StateSpec(
    tuple(
        StateVariable(name, shape, "m", "world", name.replace("_", " "))
        for name, shape in {
            "ee_position": (3,),
            "obj1_position": (3,),
            "goal_position": (3,),
            "gripper_openness": (),
            "cube_a_position": (3,),
            "cubeB_pos": (3,),
            "tcp_position": (3,),
            "qpos": (9,),
            "qvel": (9,),
            "obj1_rotation": (3, 3),
            "is_grasped": (),
            "action": (4,),
        }.items()
    ),
    {"dt": 0.05, "goal_threshold": 0.4},
)

# How the object of each form names the same state.
ATTRIBUTES = {
    "robot.ee_position": "ee_position",
    "robot.gripper_openness": "gripper_openness",
    "obj1.position": "obj1_position",
    "goal_position": "goal_position",
    "cubeA.pose.p": "cube_a_position",
    "cubeB.pose.p": "cubeB_pos",
    "tcp.pose.p": "tcp_position",
    "agent.robot.qpos": "qpos",
    "agent.robot.qvel": "qvel",
    "obj1.rotation": "obj1_rotation",
    "is_grasped": "is_grasped",
    "dt": "dt",
    "goal_threshold": "goal_threshold",
}

REWARDS = {
    "reach": """
def compute_dense_reward(self, action) -> float:
    distance = np.linalg.norm(self.robot.ee_position - self.goal_position)
    reward = -distance - 0.01 * np.linalg.norm(action)
    if distance < 1.0:
        reward += 5.0
    return reward
""",
    "stages with elif and early returns": """
def compute_dense_reward(self, action) -> float:
    gap = np.linalg.norm(self.robot.ee_position - self.obj1.position)
    if self.obj1.position[2] < -1.0:
        return -1.0
    reward = 1 - np.tanh(5.0 * gap)
    if gap > 2.0:
        reward -= 0.5
    elif self.robot.gripper_openness > 0.3 and not gap > 1.5:
        reward += 1.0
        lifted = np.clip(self.obj1.position[2], 0, 0.5)
        if lifted > 0.2:
            return reward + 10 * lifted
        reward += lifted
    else:
        reward = reward * 2
    return reward
""",
    "ManiSkill's stacking": """
def compute_dense_reward(self, action):
    A = self.cubeA.pose.p
    B = self.cubeB.pose.p
    offset = A - B
    xy_close = np.linalg.norm(offset[:2]) <= np.linalg.norm([0.5, 0.5]) + 0.005
    z_close = np.abs(offset[2] - 0.04) <= 0.5
    reward = 1 - np.tanh(np.linalg.norm(A - self.tcp.pose.p))
    if xy_close and z_close or self.is_grasped > 0.5:
        reward = reward + 2.25 + (1 if self.is_grasped > 0 else 0)
    return reward - 0.1 * np.sum(np.square(self.agent.robot.qvel[:-2]))
""",
    "a pair with components": """
def compute_dense_reward(self, action, obs) -> Tuple[float, Dict[str, float]]:
    info = {}
    reach = np.exp(-2.0 * np.linalg.norm(self.robot.ee_position - self.obj1.position, ord=2))
    info["reach"] = reach
    if reach > 0.05:
        info["near"] = 0.5 * reach
    total = reach + max(0.0, self.robot.gripper_openness) - min(0.5, reach, self.dt)
    return total, info
""",
    "numbers, vectors and matrices": """
SCALE = 2.0
UP = np.array([0, 0, 1])
def compute_dense_reward(self, action, weight=0.5) -> float:
    axis = self.obj1.rotation @ UP
    height, lean = axis[2], np.arccos(np.clip(axis[2] / np.linalg.norm(axis), -1.0, 1.0))
    turned = self.robot.gripper_openness * self.obj1.rotation
    corner = np.array([self.goal_position[0], 0.0, height])
    reward = SCALE * height - weight * lean / np.pi + np.dot(corner, self.goal_position)
    reward += np.mean(turned[1]) + np.sum(turned) + turned[0, 2] + np.max(turned, axis=0)[1]
    reward += np.cross(axis, self.goal_position)[1] + np.linalg.norm(turned)
    reward += math.sqrt(2.0) * math.exp(-height * height)
    return float(reward)
""",
    "loops that are written out": """
def compute_dense_reward(self, action) -> float:
    reward = 0
    lowest = np.inf
    for i in range(3):
        if self.obj1.position[i] > self.goal_position[i]:
            reward += 1
        lowest = min(lowest, self.obj1.position[i])
    return reward + 0.1 * lowest
""",
    "the branches of one variable": """
def compute_dense_reward(self, action) -> float:
    goal_position = self.goal_position * 2
    if np.any(np.abs(action) > 1.5):
        aim = goal_position
        gain = 2
    else:
        aim = self.goal_position
        gain = 1
    x, y, z = aim
    a, b = x, y
    a, b = b, a
    reward = gain * (a - b) + (0.5 if 0 < z < 1 else -z) ** 2
    near = (np.linalg.norm(aim - self.tcp.pose.p) < self.goal_threshold) * 3.0
    return reward + near + np.where(action > 0, action, 0.1 * action).sum()
""",
    "every branch returns": """
def compute_dense_reward(self, action) -> float:
    speed = np.abs(self.agent.robot.qvel).max()
    still = np.logical_and(speed < 1.5, np.all(self.agent.robot.qpos < 2))
    if still:
        return 2
    elif np.isfinite(speed) and not (speed > 2.0):
        return np.maximum(speed, action[0]) + np.minimum(self.goal_position, 0.2)[2]
    else:
        return -np.hypot(speed, action[1]) % 3 + np.std(action) + np.prod(action[1:])
""",
    "arrays put together": """
def compute_dense_reward(self, action) -> float:
    both = np.concatenate([self.goal_position, action[:2], np.zeros(2)])
    weights = np.array([1.0, 2.0, 0.0, 0.0, 0.5, 1.0, 1.0])
    reward = np.dot(weights, both) + both[[0, 4]].mean() - both[-3]
    reward += np.sign(both[0]) * np.arctan2(both[1], both[2]) + np.log1p(np.abs(both)).min()
    reward -= (self.robot.ee_position > self.goal_position).sum() * 0.5 - (both[1] > 0)
    return reward
""",
    "helpers that are written out": """
def _gauss(d, width=0.5):
    if d > 2:
        return 0.0
    elif d > 1:
        d = d + 0.1
    scaled = d / width
    return np.exp(-scaled ** 2)
def compute_dense_reward(self, action) -> float:
    near = lambda a, b=self.goal_position: np.linalg.norm(a - b)
    weights = {"reach": 2, "lift": 0.5}
    def lifted(z):
        scaled = np.clip(z, 0, width)
        if scaled > 0.2:
            scaled = scaled * 2
        return scaled
    width = 1.0
    scaled = near(self.robot.ee_position)
    total = weights["reach"] * _gauss(scaled) + weights["lift"] * lifted(self.obj1.position[2])
    if _gauss(scaled) > 0.1:
        total += _gauss(near(self.obj1.position, b=self.tcp.pose.p), width=2.0)
    def twice(x, *, more=width + 1):
        width = 3.0 * more
        return lifted(x) + _gauss(d=near(self.obj1.position) * width) + x
    total += twice(self.goal_position[1])
    pair = np.stack([self.goal_position, self.tcp.pose.p])
    return total + 0.1 * scaled - (1 if action[0] > 0 else -2) * np.linalg.norm(pair, axis=1).min()
""",
}
