"""The task `inverted_pendulum_balance`."""
