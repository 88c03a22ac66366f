"""PPO for a population of policies, with hand-written gradients."""
