"""What all losses share: the reduction to one number, checks of the arguments, and the Modules' base classes.

A loss makes one number L_i for each element or sample i and reduces them:

    L = Σ_i s L_i        s = 1 (sum), 1/n (mean);  "none" leaves the L_i as they are

so the gradient that arrives at L_i is s dL. The losses themselves are in ``cross_entropy.py`` (classes),
``regression_loss.py`` (numbers), ``binary_loss.py`` (yes or no), ``likelihood_loss.py`` (distributions),
``margin_loss.py`` and ``embedding_loss.py`` (differences and distances that are to be kept), ``ctc.py`` (sequences).
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from ndl.autograd.dtypes import as_dtype
from ndl.autograd.grad_mode import is_grad_enabled
from ndl.autograd.tensor import Tensor
from ndl.kernels.summation import sum_over
from ndl.nn.module import Module
from ndl.ops.promotion import array_of, promote
from ndl.ops.shape import broadcast_tensors

__all__ = ["Loss", "WeightedLoss"]

# -- reductions --------------------------------------------------------------------------------------------------


def legacy_reduction(size_average: bool | None, reduce: bool | None, reduction: str) -> str:
    """PyTorch's two old switches as one reduction."""
    if size_average is None and reduce is None:
        return reduction
    average, reduced = size_average is not False, reduce is not False
    return ("mean" if average else "sum") if reduced else "none"


def check_reduction(reduction: str) -> None:
    """Raise ValueError for a reduction that is none of the three."""
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction!r} is not a valid value for reduction; use 'none', 'mean' or 'sum'")


def reduced(loss: Any, reduction: str) -> Any:
    """One number from the losses of all elements, or the losses themselves."""
    check_reduction(reduction)
    if reduction == "none":
        return loss
    return loss.mean() if reduction == "mean" else loss.sum()


def scale(reduction: str, n: int) -> float:
    """s of the module's text, for n losses."""
    return 1 / n if reduction == "mean" and n else 1.0


def total(losses: Any, reduction: str) -> np.ndarray:
    """``reduced`` for the arrays inside a Function."""
    losses = np.asarray(losses)
    if reduction == "none":
        return losses
    if losses.dtype == np.float16:  # the sum may be too large for it where the mean is not
        return np.asarray(losses.mean(dtype=np.float32) if reduction == "mean" else sum_over(losses), np.float16)
    L = sum_over(losses)
    return np.asarray(L / losses.dtype.type(losses.size)) if reduction == "mean" else L


# -- checks ------------------------------------------------------------------------------------------------------


def check_tensors(name: str, **arguments: Any) -> None:
    """Raise TypeError for an argument that is neither a Tensor nor an array."""
    for what, value in arguments.items():
        if not isinstance(array_of(value), np.ndarray):
            raise TypeError(
                f"{name}(): argument '{what}' must be Tensor, not {type(value).__name__}; wrap it in ndl.tensor(…)"
            )


def check_not_empty(name: str, n: int, reduction: str) -> None:
    """Raise ValueError for the mean of nothing, which would be nan from here on."""
    if n == 0 and reduction == "mean":
        raise ValueError(
            f"{name}: the batch is empty, and the mean of no losses is not a number; skip the batch or use "
            "reduction='sum'"
        )


def check_no_nan(name: str, target: np.ndarray) -> None:
    """Raise ValueError for a target that is not a number."""
    if target.dtype.kind != "f" or not target.size:
        return
    with np.errstate(all="ignore"):
        square = np.dot(target.ravel(), target.ravel())
    if np.isnan(square):
        where = np.argwhere(np.isnan(target))
        if len(where):
            raise ValueError(
                f"{name}: the target is nan at index {tuple(int(i) for i in where[0])} ({len(where)} of {target.size} "
                "values); clean the data, or leave these elements out"
            )


def check_float(name: str, x: np.ndarray, error: type[Exception] = NotImplementedError) -> None:
    """Raise ``error`` for an input that is not floating-point."""
    if x.dtype.kind != "f":
        raise error(f'"{name}" not implemented for {as_dtype(x.dtype).name}: convert the input with .float()')


def check_constant(name: str, **arguments: Any) -> None:
    """Raise RuntimeError for an argument that requires gradients and gets none."""
    for what, value in arguments.items():
        if isinstance(value, Tensor) and value.requires_grad and is_grad_enabled():
            raise RuntimeError(
                f"The function '{name}' is not differentiable with respect to argument '{what}'. This input cannot have "
                "requires_grad True; pass it with .detach()"
            )


def warn_shapes(x: np.ndarray, t: np.ndarray, stacklevel: int) -> None:
    """PyTorch's warning for a target that broadcasts, which is nearly always a mistake."""
    if x.shape != t.shape:
        warnings.warn(
            f"Using a target size ({list(t.shape)}) that is different to the input size ({list(x.shape)}). This will "
            "likely lead to incorrect results due to broadcasting. Please ensure they have the same size.",
            stacklevel=stacklevel,
        )


def pair(name: str, reduction: str, input: Any, target: Any, warn: bool = False) -> tuple[Any, Any]:
    """Input and target in one type and one shape, checked.

    Raises TypeError for what is no tensor, RuntimeError for shapes that do not broadcast, ValueError for another
    reduction, for nan in the target and for the mean of nothing.
    """
    check_tensors(name, input=input, target=target)
    check_reduction(reduction)
    x, t = array_of(input), array_of(target)
    if warn:
        warn_shapes(x, t, stacklevel=4)
    check_no_nan(name, t)
    input, target = promote(input, target)
    if x.shape != t.shape:
        input, target = broadcast_tensors(input, target)
    check_not_empty(name, array_of(input).size, reduction)
    return input, target


# -- Modules -----------------------------------------------------------------------------------------------------


class Loss(Module):
    """A loss with a reduction: what the losses' Modules have in common."""

    def __init__(self, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean") -> None:
        super().__init__()
        self.reduction = legacy_reduction(size_average, reduce, reduction)


class WeightedLoss(Loss):
    """A loss with a buffer ``weight``, which moves with the Module and is saved with it; None if there is none."""

    weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)
