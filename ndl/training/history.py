"""``History``: what a training measured, step by step and epoch by epoch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from ndl.autograd.tensor import Tensor

__all__ = ["EpochRecord", "History", "RunningEpoch"]


@dataclass
class EpochRecord:
    """One epoch.

    The training figures are averages over the epoch's batches, each before its own step, so they lag behind the test
    figures, which are taken at the end. None: not measured (no test data, or no classes to be right about).
    """

    epoch: int
    train_loss: float
    train_accuracy: float | None
    test_loss: float | None
    test_accuracy: float | None
    class_accuracy: list[float | None]
    learning_rate: float
    seconds: float


@dataclass
class History:
    """``losses``: of every training step; ``epochs``: a record of each epoch."""

    losses: list[float] = field(default_factory=list)
    epochs: list[EpochRecord] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """Time spent on training steps, without evaluations and checkpoints."""
        return sum(record.seconds for record in self.epochs)

    def smoothed_losses(self, weight: float = 0.98) -> np.ndarray:
        """The losses as a running mean, sₜ = Σₖ wᵏ lₜ₋ₖ / Σₖ wᵏ with k from 0 to t and w the ``weight``."""
        smooth = np.empty(len(self.losses))
        total = norm = 0.0
        for t, loss in enumerate(self.losses):
            total, norm = weight * total + loss, weight * norm + 1
            smooth[t] = total / norm
        return smooth

    def state_dict(self) -> dict[str, Any]:
        """Plain data and one tensor, for ``ndl.save``."""
        losses = Tensor._wrap(np.array(self.losses, np.float64))
        return {"losses": losses, "epochs": [asdict(record) for record in self.epochs]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what ``state_dict`` gave."""
        self.losses = state["losses"].tolist()
        self.epochs = [EpochRecord(**record) for record in state["epochs"]]


@dataclass
class RunningEpoch:
    """Sums over the epoch so far, and a running mean of the loss for the progress bar."""

    loss: float = 0.0
    correct: int | None = None
    examples: int = 0
    seconds: float = 0.0
    smooth: float = math.nan

    def add(self, loss: float, examples: int, correct: int | None) -> None:
        """Add a batch with this mean loss, so many examples, and so many of them right (None: not counted)."""
        self.loss += loss * examples
        self.examples += examples
        if correct is not None:
            self.correct = correct + (self.correct or 0)
        self.smooth = loss if math.isnan(self.smooth) else 0.95 * self.smooth + 0.05 * loss
