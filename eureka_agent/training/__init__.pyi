from .checkpoint import Checkpoint, discard
from .choose import Trainer, choose_trainer
from .population import train
from .results import Progress, TrainResult
from .speed import measure_speed

__all__ = [
    "Checkpoint",
    "Progress",
    "TrainResult",
    "Trainer",
    "choose_trainer",
    "discard",
    "measure_speed",
    "train",
]
