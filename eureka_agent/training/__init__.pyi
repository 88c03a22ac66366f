from .checkpoint import Checkpoint, discard
from .factory import Trainer, make_trainer
from .job import JobReward, TrainedReward, TrainingJob, run_job
from .policy import Policy
from .population import train
from .results import Progress, TrainResult
from .speed import measure_speed

__all__ = [
    "Checkpoint",
    "JobReward",
    "Policy",
    "Progress",
    "TrainResult",
    "TrainedReward",
    "Trainer",
    "TrainingJob",
    "discard",
    "make_trainer",
    "measure_speed",
    "run_job",
    "train",
]
