from .new_task import NewTask, new_task
from .validation.findings import Finding, Verdict
from .validation.validate import validate_task

__all__ = ["Finding", "NewTask", "Verdict", "new_task", "validate_task"]
