from .checkpoint import Checkpoint, discard
from .factory import make_trainer
from .job import JobReward, TrainedReward, TrainingJob, run_job
from .policy import Policy
from .population import PopulationTrainer
from .results import Progress, TrainResult
from .speed import measure_speed
from .trainer import Trainer, TrainerSettings

__all__ = [
    "Checkpoint",
    "JobReward",
    "Policy",
    "PopulationTrainer",
    "Progress",
    "TrainResult",
    "TrainedReward",
    "Trainer",
    "TrainerSettings",
    "TrainingJob",
    "discard",
    "make_trainer",
    "measure_speed",
    "run_job",
]
