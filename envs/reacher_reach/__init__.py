"""The task `reacher_reach`."""
