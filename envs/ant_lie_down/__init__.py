"""The task `ant_lie_down`."""
