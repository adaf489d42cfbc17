"""Losses for yes or no: targets t in [0, 1], or ±1, for each element by itself.

With σ(x) = 1 / (1 + e^−x), softplus(x) = log(1 + e^x) = −log σ(−x), weights w, p ("pos_weight"), s from the
reduction (see ``loss.py``), and ℓ = 1 + (p − 1) t:

    BCE              L = −w (t log x + (1 − t) log(1 − x))      dx = w (x − t) / (x (1 − x)) · s dL
    BCE with logits  L = w ((1 − t) x + ℓ softplus(−x))         dx = w ((1 − t) − ℓ σ(−x)) s dL
    soft margin      L = softplus(−t x)                         dx = −t σ(−t x) s dL

Without p the second is dx = w (σ(x) − t) s dL: BCE of σ(x), whose σ' = σ (1 − σ) cancels the denominator.
Derivation: docs/blocks/bce_with_logits.md.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ndl.autograd.dtypes import as_dtype
from ndl.autograd.function import ArrayFunction
from ndl.autograd.tensor import Tensor
from ndl.kernels.special import softplus
from ndl.nn.activation_sigmoid import logsigmoid
from ndl.nn.loss import (
    Loss,
    WeightedLoss,
    check_constant,
    check_float,
    check_not_empty,
    check_reduction,
    check_tensors,
    legacy_reduction,
    pair,
    reduced,
    scale,
    total,
)
from ndl.ops.elementary import log1p
from ndl.ops.extrema import clamp_min
from ndl.ops.hyperbolic import sigmoid
from ndl.ops.promotion import array_of, cast

__all__ = [
    "BCELoss",
    "BCEWithLogitsLoss",
    "MultiLabelSoftMarginLoss",
    "SoftMarginLoss",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "multilabel_soft_margin_loss",
    "soft_margin_loss",
]

LEAST_LOG = -100.0  # log 0 counts as this, so that a certain mistake costs 100 and not everything
LEAST_PRODUCT = float(np.float32(1e-12))  # and x (1 − x) as this, which PyTorch rounds to float32


class BCEFunction(ArrayFunction):
    """L = −w (t log x + (1 − t) log(1 − x)) with logarithms ≥ −100, reduced.

    dx = w (x − t) / max(x (1 − x), 1e-12) · s dL,  dt = w (log(1 − x) − log x) s dL.
    """

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, t: np.ndarray, w: np.ndarray | None, reduction: str) -> np.ndarray:
        ctx.save_for_backward(x, t)
        ctx.s, ctx.w = scale(reduction, x.size), w
        L = (t - 1) * np.maximum(np.log1p(-x), LEAST_LOG) - t * np.maximum(np.log(x), LEAST_LOG)
        return total(L if w is None else L * w, reduction)

    @staticmethod
    def backward(ctx: Any, dL: Any) -> tuple:
        x, t = ctx.saved_tensors
        dl = dL * ctx.s if ctx.w is None else ctx.w * (dL * ctx.s)
        dx = dt = None
        if ctx.needs_input_grad[0]:
            dx = (x - t) / clamp_min(x * (1 - x), LEAST_PRODUCT) * dl
        if ctx.needs_input_grad[1]:
            dt = (log1p(-x) - np.log(x)) * dl
        return dx, dt, None, None


class BCEWithLogitsFunction(ArrayFunction):
    """L = w ((1 − t) x + ℓ softplus(−x)), ℓ = 1 + (p − 1) t, reduced.

    dx = w ((1 − t) − ℓ σ(−x)) s dL,  dt = w ((p − 1) softplus(−x) − x) s dL. No exponential overflows.
    """

    @staticmethod
    def forward(
        ctx: Any, x: np.ndarray, t: np.ndarray, w: np.ndarray | None, p: np.ndarray | None, reduction: str
    ) -> np.ndarray:
        ctx.save_for_backward(x, t)
        ctx.s, ctx.w, ctx.p = scale(reduction, x.size), w, p
        L = softplus(np.negative(x))
        if p is not None:
            L *= 1 + (p - 1) * t
        L += (1 - t) * x
        return total(L if w is None else L * w, reduction)

    @staticmethod
    def backward(ctx: Any, dL: Any) -> tuple:
        x, t = ctx.saved_tensors
        p = ctx.p
        dl = dL * ctx.s if ctx.w is None else ctx.w * (dL * ctx.s)
        dx = dt = None
        if ctx.needs_input_grad[0]:
            slope = sigmoid(x) - t if p is None else (1 - t) - (1 + (p - 1) * t) * sigmoid(-x)
            dx = slope * dl
        if ctx.needs_input_grad[1]:
            dt = -x * dl if p is None else ((1 - p) * logsigmoid(x) - x) * dl
        return dx, dt, None, None, None


class SoftMarginFunction(ArrayFunction):
    """L = softplus(−t x), reduced;  dx = −t σ(−t x) s dL. No exponential overflows, as PyTorch's does at t x < −88."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, t: np.ndarray, reduction: str) -> np.ndarray:
        ctx.save_for_backward(x)
        ctx.s, ctx.t = scale(reduction, x.size), t
        return total(softplus(np.negative(t * x)), reduction)

    @staticmethod
    def backward(ctx: Any, dL: Any) -> tuple:
        (x,) = ctx.saved_tensors
        return sigmoid(-(ctx.t * x)) * (ctx.t * (dL * -ctx.s)), None, None


def _constant(name: str, what: str, weight: Any, shape: tuple) -> np.ndarray | None:
    """The array of a weight that broadcasts to ``shape`` and wants no gradient."""
    if weight is None:
        return None
    check_constant(name, **{what: weight})
    w = array_of(weight)
    try:
        fits = np.broadcast_shapes(w.shape, shape) == shape
    except ValueError:
        fits = False
    if not fits:
        raise RuntimeError(
            f"{name}: a {what} of shape {list(w.shape)} cannot be broadcast to the input's {list(shape)}"
        )
    return w


def _equal_shapes(name: str, input: Any, target: Any) -> None:
    check_tensors(name, input=input, target=target)
    x, t = array_of(input), array_of(target)
    if x.shape != t.shape:
        raise ValueError(
            f"{name}: target size ({list(t.shape)}) must be the same as input size ({list(x.shape)}); reshape or "
            "expand one of them"
        )


def _in_unit_interval(what: str, x: np.ndarray) -> None:
    if x.size and not (x.min() >= 0 and x.max() <= 1):
        raise RuntimeError(
            f"binary_cross_entropy: all elements of {what} should be between 0 and 1, but got values from {x.min()} to "
            f"{x.max()}" + ("; logits go to binary_cross_entropy_with_logits" if what == "input" else "")
        )


def binary_cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """−w (t log x + (1 − t) log(1 − x)) for probabilities x; logarithms are at least −100.

    Gradients: see the module's text; x (1 − x) counts as at least 1e-12. Shapes: input and target equal, of any shape;
    ``weight`` broadcasts to it. Raises ValueError for shapes that differ, RuntimeError for values outside [0, 1] (nan
    too) or types that differ.
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    check_reduction(reduction)
    _equal_shapes("binary_cross_entropy", input, target)
    x, t = array_of(input), array_of(target)
    check_float("binary_cross_entropy", x)
    if x.dtype != t.dtype:
        raise RuntimeError(
            f"Found dtype {as_dtype(t.dtype).name} for the target but expected {as_dtype(x.dtype).name}, as the input; "
            "convert it with .to(dtype)"
        )
    _in_unit_interval("input", x)
    _in_unit_interval("target", t)
    check_not_empty("binary_cross_entropy", x.size, reduction)
    w = _constant("binary_cross_entropy", "weight", weight, x.shape)
    return BCEFunction.apply(input, target, w, reduction)


def binary_cross_entropy_with_logits(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Any = None,
) -> Any:
    """``binary_cross_entropy`` of σ(input), computed from the logits so that no digit is lost.

    ``pos_weight`` p multiplies the loss of the positive part: −w (p t log σ(x) + (1 − t) log(1 − σ(x))). Both weights
    broadcast to the input. dx = w (σ(x) − t) s dL without p. Raises ValueError for shapes that differ and for nan in
    the target. The result has the target's type.
    """
    name = "binary_cross_entropy_with_logits"
    reduction = legacy_reduction(size_average, reduce, reduction)
    _equal_shapes(name, input, target)
    check_float(name, array_of(input))
    check_float(name, array_of(target), RuntimeError)
    x, t = pair(name, reduction, input, target)
    shape = array_of(x).shape
    w = _constant(name, "weight", weight, shape)
    p = _constant(name, "pos_weight", pos_weight, shape)
    return cast(BCEWithLogitsFunction.apply(x, t, w, p, reduction), array_of(target).dtype)


def soft_margin_loss(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """log(1 + e^(−t x)) for t = ±1. dx = −t σ(−t x) s dL; the target gets no gradient.

    PyTorch's is inf, with a gradient of nan, where e^(−t x) overflows; this is −t x there. The target may be broadcast
    to the input; RuntimeError if the input had to grow to the target's shape.
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    check_constant("soft_margin_loss", target=target)
    check_tensors("soft_margin_loss", input=input, target=target)
    check_float("soft_margin_loss", array_of(input), RuntimeError)
    x, t = pair("soft_margin_loss", reduction, input, target)
    if array_of(x).shape != array_of(input).shape:
        raise RuntimeError(
            f"soft_margin_loss: a target of shape {list(array_of(target).shape)} cannot be broadcast to the input's "
            f"{list(array_of(input).shape)}; reshape or expand one of them"
        )
    return cast(SoftMarginFunction.apply(x, array_of(t), reduction), array_of(input).dtype)


def multilabel_soft_margin_loss(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """``binary_cross_entropy_with_logits`` averaged over the last dimension, the C classes; then reduced over the rest.

    L_n = 1/C Σ_c w_c ((1 − t_nc) x_nc + softplus(−x_nc)),  dx_nc = w_c (σ(x_nc) − t_nc) / C · s dL_n. Shapes: (C) or
    (…, C) for input and target, (C) for ``weight``. Raises IndexError for an input without dimensions.
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    check_tensors("multilabel_soft_margin_loss", input=input, target=target)
    check_float("multilabel_soft_margin_loss", array_of(input))
    if not array_of(input).ndim:
        raise IndexError(
            "multilabel_soft_margin_loss: the last dimension is the classes', but the input has no dimensions"
        )
    x, t = pair("multilabel_soft_margin_loss", reduction, input, target)
    losses = BCEWithLogitsFunction.apply(x, t, None, None, "none")
    if weight is not None:
        losses = losses * weight
    classes = array_of(input).ndim - 1
    return reduced(losses.sum(classes) / array_of(input).shape[classes], reduction)


class BCELoss(WeightedLoss):
    """Binary cross-entropy of probabilities; see ``binary_cross_entropy``."""

    def forward(self, input: Any, target: Any) -> Any:
        return binary_cross_entropy(input, target, self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(Loss):
    """Binary cross-entropy of logits; see ``binary_cross_entropy_with_logits``."""

    weight: Tensor | None
    pos_weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        pos_weight: Tensor | None = None,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: Any, target: Any) -> Any:
        return binary_cross_entropy_with_logits(
            input, target, self.weight, reduction=self.reduction, pos_weight=self.pos_weight
        )


class SoftMarginLoss(Loss):
    """Logistic loss of scores for targets ±1; see ``soft_margin_loss``."""

    def forward(self, input: Any, target: Any) -> Any:
        return soft_margin_loss(input, target, reduction=self.reduction)


class MultiLabelSoftMarginLoss(WeightedLoss):
    """Several classes may be true at once; see ``multilabel_soft_margin_loss``."""

    def forward(self, input: Any, target: Any) -> Any:
        return multilabel_soft_margin_loss(input, target, self.weight, reduction=self.reduction)
