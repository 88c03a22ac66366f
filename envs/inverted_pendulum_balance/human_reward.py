# The reward of Gymnasium's InvertedPendulum-v5 (Towers et al. 2024), in our own words: one point
# for each step that the pole stays up.
from typing import Dict, Tuple

from torch import Tensor


def compute_reward(pole_angle: Tensor) -> Tuple[Tensor, Dict[str, Tensor]]:
    upright = (pole_angle.abs() <= 0.2).float()
    return upright, {"upright": upright}
