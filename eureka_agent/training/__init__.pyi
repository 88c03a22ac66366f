from .checkpoint import Checkpoint, discard
from .factory import Trainer, make_trainer
from .population import train
from .results import Progress, TrainResult
from .speed import measure_speed

__all__ = [
    "Checkpoint",
    "Progress",
    "TrainResult",
    "Trainer",
    "discard",
    "make_trainer",
    "measure_speed",
    "train",
]
