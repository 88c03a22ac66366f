"""Training all candidates of a generation as one population, and measuring what their policies do."""

from eureka_agent.trainer.evaluate import evaluate, random_actions
from eureka_agent.trainer.train import Progress, TrainResult, one_torch_thread, train

__all__ = ["Progress", "TrainResult", "evaluate", "one_torch_thread", "random_actions", "train"]
