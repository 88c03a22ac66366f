from .new_task import NewTask, new_task

__all__ = ["NewTask", "new_task"]
