from .base import Executor, OnProgress, RunningJob
from .local import LocalExecutor
from .python import PythonExecutor

__all__ = ["Executor", "LocalExecutor", "OnProgress", "PythonExecutor", "RunningJob"]
