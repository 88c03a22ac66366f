"""The task `quadcopter`."""
