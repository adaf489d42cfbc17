"""SparseAdam: only its name, and why it is not here."""

from __future__ import annotations

from typing import Any

from ndl.optim.optimizer import Optimizer

__all__ = ["SparseAdam"]


class SparseAdam(Optimizer):
    """PyTorch's Adam for sparse gradients. Gradients are dense here: making one raises RuntimeError."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise RuntimeError(
            "SparseAdam is not here: it updates the rows that a sparse gradient has, and gradients are dense in ndl. "
            "Use Adam (or Adagrad, which leaves rows without gradient alone) instead."
        )
