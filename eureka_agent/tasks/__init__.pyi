from .mjcf import (
    add_contact_sensor,
    add_frame_sensors,
    add_touch_sensor,
    contact_wrench,
    load_package_xml,
    load_xml,
)
from .registry import all_tasks, find_task, load_task, task_names
from .task import State, StateSpec, StateVariable, Task, TaskLike

__all__ = [
    "State",
    "StateSpec",
    "StateVariable",
    "Task",
    "TaskLike",
    "add_contact_sensor",
    "add_frame_sensors",
    "add_touch_sensor",
    "all_tasks",
    "contact_wrench",
    "find_task",
    "load_package_xml",
    "load_task",
    "load_xml",
    "task_names",
]
