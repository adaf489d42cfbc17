"""Floor 5: the training loop with its metrics, curves and checkpoints."""

from ndl.training.curves import draw_curves
from ndl.training.evaluation import Evaluation, evaluate
from ndl.training.history import EpochRecord, History
from ndl.training.interruption import TrainingInterrupted
from ndl.training.trainer import Trainer

__all__ = [
    "EpochRecord",
    "Evaluation",
    "History",
    "Trainer",
    "TrainingInterrupted",
    "draw_curves",
    "evaluate",
]
