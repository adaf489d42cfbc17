"""How well a model does on data that it is not trained on, at the moment."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ndl.autograd.grad_mode import no_grad
from ndl.autograd.tensor import Tensor
from ndl.nn.module import Module

__all__ = ["Evaluation", "count_correct", "evaluate"]


@dataclass
class Evaluation:
    """Mean loss; accuracy over all examples and within each class. None where there was nothing to count."""

    loss: float
    accuracy: float | None
    class_accuracy: list[float | None]


def evaluate(
    model: Module,
    data: Iterable[Any],
    loss: Callable[[Any, Any], Any],
    after_batch: Callable[[], None] = lambda: None,
) -> Evaluation:
    """Run ``model`` over all batches ``(x, y)`` of ``data``, in evaluation mode and without recording gradients.

    Accuracy is counted where y holds class numbers; the model's output then has the classes along dimension 1.
    ``after_batch`` is called after each batch. The modes of the model's modules are put back at the end.

    Raises ValueError if ``data`` has no batches.
    """
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    total, examples = 0.0, 0
    right = seen = np.zeros(0, np.int64)
    try:
        with no_grad():
            for x, y in data:
                output = model(x)
                total += loss(output, y).item() * len(y)
                examples += len(y)
                if has_classes(output, y):
                    hits, labels = _hits(output, y).ravel(), y.numpy().ravel()
                    hits, labels = hits[labels >= 0], labels[labels >= 0]  # −100 and the like are ignored
                    classes = max(output.shape[1], len(seen))
                    seen = _padded(seen, classes) + np.bincount(labels, minlength=classes)
                    right = _padded(right, classes) + np.bincount(labels[hits], minlength=classes)
                after_batch()
    finally:
        for module, mode in modes:
            module.training = mode
    if examples == 0:
        raise ValueError("there is nothing to evaluate: the data has no batches")
    return Evaluation(
        loss=total / examples,
        accuracy=float(right.sum() / seen.sum()) if seen.sum() else None,
        class_accuracy=[float(r / n) if n else None for r, n in zip(right, seen)],
    )


def has_classes(output: Tensor, y: Tensor) -> bool:
    """Whether ``y`` numbers the classes that ``output`` scores: integers (N, …) beside (N, C, …)."""
    return y._array.dtype.kind in "iu" and output.ndim == y.ndim + 1 and output.shape[0] == y.shape[0]


def count_correct(output: Tensor, y: Tensor) -> int | None:
    """How many labels have the largest score; None where ``y`` does not number classes."""
    return int(np.count_nonzero(_hits(output, y))) if has_classes(output, y) else None


def _hits(output: Tensor, y: Tensor) -> np.ndarray:
    return output._array.argmax(1) == y._array


def _padded(counts: np.ndarray, length: int) -> np.ndarray:
    return np.concatenate([counts, np.zeros(length - len(counts), np.int64)])
