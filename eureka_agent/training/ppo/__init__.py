"""PPO for a population of policies, with gradients that are written out."""
