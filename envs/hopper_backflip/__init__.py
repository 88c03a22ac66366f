"""The task `hopper_backflip`."""
