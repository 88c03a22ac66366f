"""Trains one policy per candidate: our population PPO, stable-baselines3 or rsl_rl."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
