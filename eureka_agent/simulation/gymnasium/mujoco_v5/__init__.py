"""Gymnasium's MuJoCo v5 environments on the batch engine; the original is Gymnasium's own code.

Source: Towers et al. 2024, https://gymnasium.farama.org/environments/mujoco/.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
