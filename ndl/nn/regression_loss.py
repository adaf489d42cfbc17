"""Losses of predicted numbers: squared and absolute error, and the two that are squared near 0 and absolute far away.

With d = x − t, and s from the reduction (see ``loss.py``):

    MSE          L_i = d²                                       dx = 2 d s dL
    L1           L_i = |d|                                      dx = sign(d) s dL
    smooth L1    L_i = d²/2β,  |d| − β/2 where |d| ≥ β          dx = d/β s dL,  sign(d) s dL where |d| ≥ β
    Huber        L_i = d²/2,   δ (|d| − δ/2) where |d| > δ      dx = d s dL,    δ sign(d) s dL where |d| > δ

and dt = −dx always. Huber with δ is δ times smooth L1 with β = δ. Derivation: docs/blocks/mse.md.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ndl.autograd.function import ArrayFunction
from ndl.kernels.pieces import in_pieces, row_of, sum_in_pieces
from ndl.kernels.pointwise import pointwise
from ndl.kernels.row_norm import row_dots
from ndl.kernels.workspace import scratch
from ndl.nn.loss import Loss, check_float, legacy_reduction, pair, reduced, scale, total
from ndl.ops.arithmetic import sign
from ndl.ops.extrema import clamp
from ndl.ops.promotion import array_of, cast

__all__ = [
    "HuberLoss",
    "L1Loss",
    "MSELoss",
    "SmoothL1Loss",
    "huber_loss",
    "l1_loss",
    "mse_loss",
    "smooth_l1_loss",
]


_SMALL = 1 << 14  # numbers that are summed at once


class MSEFunction(ArrayFunction):
    """L_i = (x_i − t_i)², reduced;  dx = 2 (x − t) s dL,  dt = −dx."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, t: np.ndarray, reduction: str) -> np.ndarray:
        ctx.save_for_backward(x, t)
        ctx.s = s = scale(reduction, x.size)
        if _sums_only(x, reduction):
            return np.asarray(sum_in_pieces(_squares, x, t) * s, x.dtype)
        d = np.asarray(pointwise(np.subtract, x, t))
        return total(pointwise(np.square, d, out=d), reduction)

    @staticmethod
    def backward(ctx: Any, dL: Any) -> tuple:
        x, t = ctx.saved_tensors
        if isinstance(dL, np.ndarray):
            return *_gradients(ctx, dL, 2 * ctx.s), None
        return *_both(ctx, (x - t) * (dL * (2 * ctx.s))), None


class L1Function(ArrayFunction):
    """L_i = |x_i − t_i|, reduced;  dx = sign(x − t) s dL, 0 where x = t;  dt = −dx."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, t: np.ndarray, reduction: str) -> np.ndarray:
        ctx.save_for_backward(x, t)
        ctx.s = scale(reduction, x.size)
        d = np.asarray(pointwise(np.subtract, x, t))
        return total(pointwise(np.absolute, d, out=d), reduction)

    @staticmethod
    def backward(ctx: Any, dL: Any) -> tuple:
        x, t = ctx.saved_tensors
        return *_both(ctx, sign(x - t) * (dL * ctx.s)), None


class SmoothL1Function(ArrayFunction):
    """L_i = a (2|d| − a) / 2β with a = min(|d|, β), reduced;  dx = clip(d, −β, β) / β · s dL,  dt = −dx.

    Where |d| < β, a is |d| and L_i = d²/2β; beyond, a is β and L_i = |d| − β/2. ``factor`` multiplies all of it: it
    is δ for the Huber loss.
    """

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, t: np.ndarray, beta: float, factor: float, reduction: str) -> np.ndarray:
        ctx.save_for_backward(x, t)
        s = scale(reduction, x.size) * factor / beta
        ctx.s, ctx.beta = s, beta
        if _sums_only(x, reduction):
            return np.asarray(sum_in_pieces(lambda x, t: _smooth(x, t, beta), x, t) * s / 2, x.dtype)
        d = np.asarray(pointwise(np.subtract, x, t))
        pointwise(np.absolute, d, out=d)
        a = np.asarray(pointwise(np.minimum, d, beta))
        d *= 2
        d -= a
        d *= a
        d *= factor / (2 * beta)
        return total(d, reduction)

    @staticmethod
    def backward(ctx: Any, dL: Any) -> tuple:
        x, t = ctx.saved_tensors
        if isinstance(dL, np.ndarray):
            return *_gradients(ctx, dL, ctx.s, ctx.beta), None, None, None
        return *_both(ctx, clamp(x - t, -ctx.beta, ctx.beta) * (dL * ctx.s)), None, None, None


def _sums_only(x: np.ndarray, reduction: str) -> bool:
    """Whether nobody sees the single losses: in float16 they may overflow where their mean does not."""
    return reduction != "none" and x.dtype != np.float16


def _squares(x: np.ndarray, t: np.ndarray) -> float:
    """Σ (x − t)² of two rows."""
    d = np.subtract(x, t, out=scratch("regression_loss", x.shape, x.dtype))
    return _dot(d, d)


def _smooth(x: np.ndarray, t: np.ndarray, beta: float) -> float:
    """Σ a (2|d| − a) of two rows."""
    d, a = scratch("regression_loss", (2, x.size), x.dtype)
    np.subtract(x, t, out=d)
    np.absolute(d, out=d)
    np.minimum(d, row_of(beta, d), out=a)
    return 2 * _dot(a, d) - _dot(a, a)


def _dot(a: np.ndarray, b: np.ndarray) -> float:
    """a · b, in blocks where it is so long that the rounding errors would pile up."""
    return float(np.dot(a, b) if a.size <= _SMALL else row_dots(a[None], b[None])[0])


def _gradients(ctx: Any, dL: np.ndarray, s: float, beta: float | None = None) -> tuple:
    """dx = s (x − t) dL, with x − t held to [−β, β] if so wanted, and dt = −dx."""
    x, t = ctx.saved_tensors
    single, need_dt = dL.ndim == 0, ctx.needs_input_grad[1]
    factor = s * float(dL) if single else s

    def kernel(x: np.ndarray, t: np.ndarray, *rest: np.ndarray) -> None:
        dx = rest[-1 - need_dt]
        np.subtract(x, t, out=dx)
        if beta is not None:
            np.clip(dx, -beta, beta, out=dx)
        dx *= factor
        if not single:
            dx *= rest[0]
        if need_dt:
            np.negative(dx, out=rest[-1])

    made = in_pieces(kernel, x, t, *([] if single else [dL]), results=1 + need_dt)
    return made[0], made[1] if need_dt else None


def _both(ctx: Any, dx: Any) -> tuple:
    """dx and dt = −dx, for a loss of x − t."""
    return dx, -dx if ctx.needs_input_grad[1] else None


def _weighted(losses: Any, input: Any, weight: Any, reduction: str) -> Any:
    """Σ w L / Σ w for the mean, Σ w L for the sum; w has the input's shape."""
    losses = _times(losses, input, weight)
    return losses.sum() / weight.sum() if reduction == "mean" else reduced(losses, reduction)


def _times(losses: Any, input: Any, weight: Any) -> Any:
    w, x = array_of(weight), array_of(input)
    if w.shape != x.shape:
        raise ValueError(
            f"Weights and input must have the same size: the weight is {list(w.shape)}, the input {list(x.shape)}."
        )
    return losses * weight


def mse_loss(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Any = None,
) -> Any:
    """(x − t)² of each element, then mean, sum or none. dx = 2 (x − t) dL / n for the mean, and dt = −dx.

    ``weight``, of the input's shape, multiplies the elements; the mean is then Σ w (x − t)² / Σ w. Raises ValueError
    for nan in the target and for the mean of nothing; shapes that broadcast give a warning.
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    x, t = pair("mse_loss", reduction, input, target, warn=True)
    check_float("mse_loss", array_of(x))
    if weight is None:
        return MSEFunction.apply(x, t, reduction)
    return _weighted(MSEFunction.apply(x, t, "none"), input, weight, reduction)


def l1_loss(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Any = None,
) -> Any:
    """|x − t| of each element, then mean, sum or none. dx = sign(x − t) dL / n for the mean; 0 where x = t.

    ``weight`` and errors as in ``mse_loss``.
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    x, t = pair("l1_loss", reduction, input, target, warn=True)
    if reduction == "mean":
        check_float("l1_loss", array_of(x), RuntimeError)
    if weight is None:
        return L1Function.apply(x, t, reduction)
    return _weighted(L1Function.apply(x, t, "none"), input, weight, reduction)


def smooth_l1_loss(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Any:
    """(x − t)² / 2β where |x − t| < β, else |x − t| − β/2; then mean, sum or none. β = 0 is ``l1_loss``.

    dx = clip((x − t) / β, −1, 1) dL / n for the mean, and dt = −dx. Raises RuntimeError for a negative β; shapes that
    broadcast give a warning. Girshick 2015 (Fast R-CNN).
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    x, t = pair("smooth_l1_loss", reduction, input, target, warn=True)
    if beta < 0:
        raise RuntimeError(f"smooth_l1_loss does not support negative values for beta, but got {beta}.")
    if beta == 0:
        if reduction == "mean":
            check_float("l1_loss", array_of(x), RuntimeError)
        return L1Function.apply(x, t, reduction)
    check_float("smooth_l1_loss", array_of(x))
    return SmoothL1Function.apply(x, t, float(beta), 1.0, reduction)


def huber_loss(input: Any, target: Any, reduction: str = "mean", delta: float = 1.0, weight: Any = None) -> Any:
    """(x − t)² / 2 where |x − t| ≤ δ, else δ (|x − t| − δ/2); then mean, sum or none.

    dx = clip(x − t, −δ, δ) dL / n for the mean, and dt = −dx. ``weight`` multiplies the elements before the ordinary
    mean. Raises RuntimeError for δ ≤ 0; shapes that broadcast give a warning. Huber 1964.
    """
    x, t = pair("huber_loss", reduction, input, target, warn=True)
    check_float("huber_loss", array_of(x))
    check_float("huber_loss", array_of(input), RuntimeError)  # PyTorch's losses have the input's type
    if delta <= 0:
        raise RuntimeError(f"huber_loss does not support non-positive values for delta, but got {delta}.")
    if weight is None:
        return cast(SmoothL1Function.apply(x, t, float(delta), float(delta), reduction), array_of(input).dtype)
    losses = cast(SmoothL1Function.apply(x, t, float(delta), float(delta), "none"), array_of(input).dtype)
    return reduced(_times(losses, input, weight), reduction)


class MSELoss(Loss):
    """Mean squared error; see ``mse_loss``."""

    def forward(self, input: Any, target: Any) -> Any:
        return mse_loss(input, target, reduction=self.reduction)


class L1Loss(Loss):
    """Mean absolute error; see ``l1_loss``."""

    def forward(self, input: Any, target: Any) -> Any:
        return l1_loss(input, target, reduction=self.reduction)


class SmoothL1Loss(Loss):
    """Squared error up to ``beta``, absolute beyond; see ``smooth_l1_loss``."""

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        beta: float = 1.0,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.beta = beta

    def forward(self, input: Any, target: Any) -> Any:
        return smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


class HuberLoss(Loss):
    """Squared error up to ``delta``, absolute beyond; see ``huber_loss``."""

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        if not isinstance(delta, (int, float)):
            raise TypeError(f"delta must be a float or int, got: {type(delta)}")
        super().__init__(reduction=reduction)
        self.delta = delta

    def forward(self, input: Any, target: Any) -> Any:
        return huber_loss(input, target, reduction=self.reduction, delta=self.delta)
