from .findings import Finding, Verdict
from .new_task import NewTask, new_task
from .validation import validate_task

__all__ = ["Finding", "NewTask", "Verdict", "new_task", "validate_task"]
