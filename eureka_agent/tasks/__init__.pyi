from .mjcf import (
    add_contact_sensor,
    add_frame_sensors,
    add_touch_sensor,
    contact_wrench,
    load_package_xml,
    load_xml,
)
from .registry import all_tasks, find_task, load_task, task_names
from .task import (
    EpisodeState,
    InitialState,
    Physics,
    Random,
    State,
    StateSpec,
    StateVariable,
    Task,
    TaskLike,
    TrainingBudget,
)

__all__ = [
    "EpisodeState",
    "InitialState",
    "Physics",
    "Random",
    "State",
    "StateSpec",
    "StateVariable",
    "Task",
    "TaskLike",
    "TrainingBudget",
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
