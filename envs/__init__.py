"""The tasks, one folder each: `task.py` with `TASK`, its model, and the reward people wrote for
it."""
