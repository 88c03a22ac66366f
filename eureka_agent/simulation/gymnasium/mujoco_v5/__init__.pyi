from .catalogue import ENVIRONMENTS, batch_task

__all__ = ["ENVIRONMENTS", "batch_task"]
