"""The tasks, one folder each: `task.py` with `TASK`, the model, and the human reward."""
