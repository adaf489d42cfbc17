"""Cross-entropy and negative log-likelihood: losses of scores for classes.

With logits x_nc, targets t_n, weights w_c, and l = log_softmax(x), p = softmax(x):

    L = Σ_n s_n · (−w_{t_n} l_{n t_n})              s_n = 1 (sum), 1 / Σ_m w_{t_m} (mean)

    ∂L/∂l_nc = −s_n w_{t_n} 1[c = t_n]
    ∂L/∂x_nc =  s_n w_{t_n} (p_nc − 1[c = t_n])      since Σ_c ∂L/∂l_nc = −s_n w_{t_n} and ∂l_i/∂x_j = δ_ij − p_j

so with the mean and no weights dx = (p − onehot) / N. Derivation: docs/blocks/cross_entropy.md.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ndl.autograd.function import ArrayFunction
from ndl.autograd.tensor import Tensor
from ndl.nn.loss import (
    WeightedLoss,
    check_no_nan,
    check_not_empty,
    check_reduction,
    check_tensors,
    legacy_reduction,
    reduced,
)
from ndl.nn.softmax import exponentials, log_softmax
from ndl.ops.dims import values
from ndl.ops.elementwise import keep
from ndl.ops.promotion import array_of
from ndl.ops.selection import where

__all__ = ["CrossEntropyLoss", "NLLLoss", "cross_entropy", "nll_loss"]


class NLLFunction(ArrayFunction):
    """L_n = −w_{t_n} l_{n t_n}, reduced;  dl_nc = −s_n w_{t_n} dL 1[c = t_n].

    ``l`` (N, C), ``t`` (N) within range or masked out, ``w`` (N): w_{t_n}, 0 where the target is ignored; ``kept`` (N):
    where it is not, or None if none is.
    """

    @staticmethod
    def forward(
        ctx: Any, l: np.ndarray, t: np.ndarray, w: np.ndarray, kept: np.ndarray | None, reduction: str
    ) -> np.ndarray:
        picked = _kept(l[np.arange(len(t)), t] * -w, kept)  # an ignored −∞ counts for nothing
        ctx.shape, ctx.t, ctx.kept, ctx.scale = l.shape, t, kept, _scale(w, reduction)
        return _reduce(picked, w, reduction)

    @staticmethod
    def backward(ctx: Any, dL: Any) -> tuple:
        return NLLGrad.apply(dL, ctx.t, ctx.scale, ctx.kept, ctx.shape), None, None, None, None


class NLLGrad(ArrayFunction):
    """dl = −s dL at the targets, else 0: linear in dL, so its own backward picks the same places."""

    @staticmethod
    def forward(
        ctx: Any, dL: np.ndarray, t: np.ndarray, s: np.ndarray, kept: np.ndarray | None, shape: tuple
    ) -> np.ndarray:
        ctx.t, ctx.s, ctx.kept = t, s, kept
        dl = np.zeros(shape, dL.dtype)
        dl[np.arange(len(t)), t] = _kept(-s * dL, kept)
        return dl

    @staticmethod
    def backward(ctx: Any, ddl: Any) -> tuple:
        picked = _kept(
            ddl[np.arange(len(ctx.t)), ctx.t] * -ctx.s, ctx.kept
        )  # (N), summed by the engine if dL is a number
        return picked, None, None, None, None


class CrossEntropyFunction(ArrayFunction):
    """L = NLL(log_softmax(x)) in one step;  dx_nc = s_n w_{t_n} dL (p_nc − 1[c = t_n])."""

    @staticmethod
    def forward(
        ctx: Any, x: np.ndarray, t: np.ndarray, w: np.ndarray, kept: np.ndarray | None, reduction: str
    ) -> np.ndarray:
        z, p, total = exponentials(x, 1)  # (N, C), (N, C), (N, 1)
        picked = _kept((np.log(total[:, 0]) - z[np.arange(len(t)), t]) * w, kept)
        if ctx.needs_input_grad[0]:
            p /= total
            ctx.p, ctx.t, ctx.kept, ctx.scale = p, t, kept, _scale(w, reduction)
            ctx.save_for_backward(x)
        return _reduce(picked, w, reduction)

    @staticmethod
    def backward(ctx: Any, dL: Any) -> tuple:
        if ctx.recording:
            l = log_softmax(ctx.saved_tensors[0], 1)
            dl = NLLGrad.apply(dL, ctx.t, ctx.scale, ctx.kept, tuple(l.shape))
            return dl - np.exp(l) * np.sum(dl, axis=1, keepdims=True), None, None, None, None
        s = _kept((ctx.scale * dL).astype(ctx.p.dtype, copy=False), ctx.kept)  # (N,)
        dx = ctx.p * s[:, None]
        dx[np.arange(len(ctx.t)), ctx.t] -= s
        return dx, None, None, None, None


def _kept(v: Any, kept: np.ndarray | None) -> Any:
    """v (N), exactly 0 where the target is ignored, whatever v is there."""
    return v if kept is None else keep(v, kept)


def _scale(w: np.ndarray, reduction: str) -> np.ndarray:
    """s_n w_{t_n}, (N,)."""
    if reduction != "mean":
        return w
    with np.errstate(invalid="ignore"):
        return w / w.sum()  # nothing but ignored targets: 0 / 0, PyTorch's nan


def _reduce(picked: np.ndarray, w: np.ndarray, reduction: str) -> np.ndarray:
    if reduction == "none":
        return picked
    total = picked.sum()
    if reduction == "sum":
        return np.asarray(total)
    with np.errstate(invalid="ignore"):
        return np.asarray(total / w.sum())


def _class_targets(
    name: str, x: np.ndarray, target: Any, weight: Any, ignore_index: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """(t, w_t, kept), each (N·d₁·…): the targets checked, ignored ones pointing at class 0 with weight 0 and not kept."""
    t = array_of(target)
    classes = x.shape[1]
    if t.dtype not in (np.int64, np.uint8):
        raise RuntimeError(
            f"{name}: class targets must be int64 or uint8, but got {t.dtype}; convert them with .long()"
        )
    t = t.reshape(-1).astype(np.int64, copy=False)
    w = np.ones(t.shape, x.dtype)
    if weight is not None:
        weights = array_of(weight)
        _check_weight(name, weights, classes, x.dtype)
    if t.size and (t.min() < 0 or t.max() >= classes):
        kept = t != ignore_index
        bad = kept & ((t < 0) | (t >= classes))
        if bad.any():
            i = int(np.argmax(bad))
            raise IndexError(
                f"Target {int(t[i])} is out of bounds: element {i} of the target must be from 0 to {classes - 1}, or "
                f"ignore_index={ignore_index}"
            )
    else:
        kept = t != ignore_index if 0 <= ignore_index < classes else None
    if kept is not None:
        t = np.where(kept, t, 0)
    if weight is not None and classes:
        w = weights[t]
    if kept is not None:
        w = np.where(kept, w, w.dtype.type(0))  # not a product: the weight of class 0 may be infinite
    return t, w.astype(x.dtype, copy=False), kept


def _check_weight(name: str, weights: np.ndarray, classes: int, dtype: np.dtype) -> None:
    if weights.shape != (classes,):
        raise RuntimeError(
            f"{name}: weight should be defined for all {classes} classes, but got shape {list(weights.shape)}"
        )
    if weights.dtype != dtype:
        raise RuntimeError(f"{name}: expected a weight of {dtype}, as the input, but got {weights.dtype}")


def _rows(input: Any) -> Any:
    """(N, C, d₁, …) as (N·d₁·…, C)."""
    x = array_of(input)
    if x.ndim == 2:
        return input
    return np.moveaxis(input, 1, -1).reshape(x.shape[0] * math.prod(x.shape[2:]), x.shape[1])


def _check_shapes(name: str, x: np.ndarray, t: np.ndarray) -> None:
    if x.ndim < 2 or t.shape != (x.shape[0], *x.shape[2:]):
        if x.ndim >= 2 and t.ndim >= 1 and x.shape[0] != t.shape[0]:
            raise ValueError(
                f"Expected input batch_size ({x.shape[0]}) to match target batch_size ({t.shape[0]}): the input is "
                f"{list(x.shape)}, the target {list(t.shape)}."
            )
        raise RuntimeError(
            f"{name}: an input (N, C, d1, …) goes with a target (N, d1, …), but got {list(x.shape)} and {list(t.shape)}"
        )


def _indexed(name: str, function: Any, input: Any, target: Any, weight: Any, ignore_index: int, reduction: str) -> Any:
    """The loss for class targets, for inputs (C), (N, C) and (N, C, d₁, …)."""
    check_reduction(reduction)
    x, t = values(input, name), values(target, name, "target", 2)
    if x.ndim == 1:
        if t.ndim != 0 and t.shape != (1,):
            raise RuntimeError(
                f"{name}: an input (C) goes with one target, but got {list(x.shape)} and {list(t.shape)}"
            )
        result = _indexed(name, function, input.reshape(1, -1), target.reshape(1), weight, ignore_index, reduction)
        return result.reshape(()) if reduction == "none" else result
    _check_shapes(name, x, t)
    if x.dtype.kind != "f":
        raise RuntimeError(f"{name} needs a floating-point input, but got {x.dtype}; convert it with .float()")
    check_not_empty(name, t.size, reduction)
    found = _class_targets(name, x, target, weight, ignore_index)
    if not x.shape[1]:  # no classes, so every target is ignored: each loss is 0, and their mean 0 / 0
        return input.sum() / 0.0 if reduction == "mean" else reduced(input.sum(1), reduction)
    result = function.apply(_rows(input), *found, reduction)
    return result.reshape(t.shape) if reduction == "none" and x.ndim > 2 else result


def nll_loss(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """−w_t l_t for log-probabilities l: (N, C, …) with class targets (N, …).

    Gradient: −s_n w_t at the target, 0 elsewhere; s_n is 1, or 1 / Σ w_t for the mean. Targets equal to
    ``ignore_index`` count for nothing. Raises IndexError for a class that is not there.
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    return _indexed("nll_loss", NLLFunction, input, target, weight, ignore_index, reduction)


def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """−Σ_c q_c log softmax(x)_c, where q is the target's class, or the given probabilities.

    Shapes: input (C), (N, C) or (N, C, d₁, …); target without the class dimension (integers), or of the input's shape
    (probabilities, which get a gradient too). ``weight`` (C) scales classes; ``label_smoothing`` ε mixes the target
    with the uniform distribution, (1 − ε) q + ε / C. Gradient for class targets: s_n w_t (softmax(x) − onehot).

    Raises IndexError for a class out of range, ValueError or RuntimeError for shapes that do not match, for nan
    among probabilities and for the mean of an empty batch.
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    check_reduction(reduction)
    if not 0.0 <= label_smoothing <= 1.0:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")
    check_tensors("cross_entropy", input=input, target=target)
    x, t = array_of(input), array_of(target)
    if t.dtype.kind != "f":
        if not label_smoothing:
            return _indexed("cross_entropy", CrossEntropyFunction, input, target, weight, ignore_index, reduction)
        return _smoothed(input, target, weight, ignore_index, reduction, label_smoothing)
    if x.shape != t.shape:
        if x.shape[:1] + x.shape[2:] == t.shape:
            raise RuntimeError(
                f"cross_entropy: a target of shape {list(t.shape)} for an input of {list(x.shape)} holds classes and must "
                f"be integers, but got {t.dtype}; convert it with .long()"
            )
        raise RuntimeError(
            f"cross_entropy: target probabilities must have the input's shape {list(x.shape)}, but got {list(t.shape)}"
        )
    if ignore_index >= 0:
        raise RuntimeError(
            f"cross_entropy: ignore_index={ignore_index} is not supported for a floating-point target: every class has a "
            "probability; leave it out, or give classes"
        )
    check_no_nan("cross_entropy", t)
    n = x.size // x.shape[min(1, x.ndim - 1)] if x.size else 0
    check_not_empty("cross_entropy", n, reduction)
    dim = 0 if x.ndim == 1 else 1
    classes = x.shape[dim]
    q = target if not label_smoothing else target * (1 - label_smoothing) + label_smoothing / max(classes, 1)
    l = log_softmax(input, dim)
    if weight is not None:
        _check_weight("cross_entropy", array_of(weight), classes, x.dtype)
        l = l * weight.reshape([classes if i == dim else 1 for i in range(x.ndim)])
    loss = -(q * l).sum(dim)
    return loss.sum() / n if reduction == "mean" else reduced(loss, reduction)


def _smoothed(input: Any, target: Any, weight: Any, ignore_index: int, reduction: str, eps: float) -> Any:
    """(1 − ε) · loss of the class + ε/C · Σ_c w_c (−l_c), averaged over Σ w_t like the first part."""
    x = array_of(input)
    dim = 0 if x.ndim == 1 else 1
    classes = x.shape[dim]
    l = log_softmax(input, dim)
    hard = nll_loss(l, target, weight, ignore_index=ignore_index, reduction=reduction)
    each = -l if weight is None else -l * weight.reshape([classes if i == dim else 1 for i in range(x.ndim)])
    soft = each.sum(dim)
    t = array_of(target)
    kept = t != ignore_index
    soft = where(Tensor._wrap(np.asarray(kept)), soft, 0.0)  # not a product: an ignored −∞ counts for nothing
    if reduction == "mean":
        w = kept.sum() if weight is None else array_of(weight)[t[kept]].sum()
        soft = soft.sum() / float(w)
    elif reduction == "sum":
        soft = soft.sum()
    return hard * (1 - eps) + soft * (eps / max(classes, 1))


class NLLLoss(WeightedLoss):
    """Negative log-likelihood of log-probabilities; see ``nll_loss``."""

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index

    def forward(self, input: Any, target: Any) -> Any:
        return nll_loss(input, target, self.weight, ignore_index=self.ignore_index, reduction=self.reduction)


class CrossEntropyLoss(WeightedLoss):
    """Cross-entropy of logits with classes or probabilities; see ``cross_entropy``."""

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing

    def forward(self, input: Any, target: Any) -> Any:
        return cross_entropy(
            input,
            target,
            self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )
