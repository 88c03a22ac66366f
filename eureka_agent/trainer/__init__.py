"""Training all candidates of a generation as one population, and measuring what their policies do."""

from eureka_agent.trainer.checkpoint import Checkpoint, discard
from eureka_agent.trainer.choose import Trainer, choose_trainer
from eureka_agent.simulation.rollouts import Act, evaluate, random_actions, run_episodes
from eureka_agent.trainer.results import Progress, TrainResult
from eureka_agent.simulation.samples import sample_states, sample_steps, with_noise
from eureka_agent.trainer.speed import measure_speed
from eureka_agent.utils.torch_threads import one_torch_thread
from eureka_agent.trainer.train import train

__all__ = [
    "Act",
    "Checkpoint",
    "Progress",
    "TrainResult",
    "Trainer",
    "choose_trainer",
    "discard",
    "evaluate",
    "measure_speed",
    "one_torch_thread",
    "random_actions",
    "run_episodes",
    "sample_states",
    "sample_steps",
    "train",
    "with_noise",
]
