"""The task `humanoid_forward`."""
