"""Losses that ask for a margin between scores. All are hinges: h(z) = max(0, z), h'(z) = 1 where z > 0.

    hinge embedding     L = x if t = 1,  h(m − x) if t = −1
    margin ranking      L = h(m − t (x₁ − x₂))
    multi margin        L = 1/C Σ_{i ≠ t} w_t h(m − x_t + x_i)^p                         t: the true class
    multi-label margin  L = 1/C Σ_{j true} Σ_{i not true} h(1 − x_j + x_i)

The gradient of each hinge goes with a plus sign to what it should push down and with a minus sign to what it should
push up. Exactly at z = 0 the first two pass the gradient on and the last two do not, as in PyTorch.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ndl.autograd.function import ArrayFunction
from ndl.autograd.tensor import Tensor
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
    scale,
    total,
)
from ndl.ops.elementwise import keep, together
from ndl.ops.promotion import array_of, cast, promote, to_float

__all__ = [
    "HingeEmbeddingLoss",
    "MarginRankingLoss",
    "MultiLabelMarginLoss",
    "MultiMarginLoss",
    "hinge_embedding_loss",
    "margin_ranking_loss",
    "multi_margin_loss",
    "multilabel_margin_loss",
]


class HingeEmbeddingFunction(ArrayFunction):
    """L = [t ≠ −1] x + [t ≠ 1] h(m − x), reduced;  dx = ([t ≠ −1] − [t ≠ 1] [x ≤ m]) s dL."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, t: np.ndarray, margin: float, reduction: str) -> np.ndarray:
        near, far = t != -1, t != 1
        ctx.s = scale(reduction, x.size)
        ctx.slope = np.subtract(near, far & (x <= margin), dtype=x.dtype)
        return total(np.where(near, x, 0) + np.where(far, np.maximum(margin - x, 0), 0), reduction)

    @staticmethod
    def backward(ctx: Any, dL: Any) -> tuple:
        return (dL * ctx.s) * ctx.slope, None, None, None


class MarginRankingFunction(ArrayFunction):
    """L = h(m − t (x₁ − x₂)), reduced;  dz = [z ≥ 0] s dL,  dx₁ = −t dz,  dx₂ = t dz,  dt = (x₂ − x₁) dz."""

    @staticmethod
    def forward(ctx: Any, x1: np.ndarray, x2: np.ndarray, t: Any, margin: float, reduction: str) -> np.ndarray:
        z = np.asarray(margin - t * (x1 - x2))
        ctx.save_for_backward(x1, x2, t)
        ctx.s, ctx.active = scale(reduction, z.size), z >= 0
        return total(np.maximum(z, 0), reduction)

    @staticmethod
    def backward(ctx: Any, dL: Any) -> tuple:
        x1, x2, t = ctx.saved_tensors
        dz = keep(dL * ctx.s, ctx.active)
        dx2 = t * dz
        return -dx2, dx2, (x2 - x1) * dz if ctx.needs_input_grad[2] else None, None, None


class MultiMarginFunction(ArrayFunction):
    """L_n = w/C Σ_{i ≠ t} h(z_i)^p, z_i = m − x_t + x_i;  g_i = w/C p h(z_i)^{p−1} s dL,  dx_i = g_i,  dx_t = −Σ_i g_i.

    ``x`` (N, C), ``t`` (N), ``w`` (N): the weights of the true classes.
    """

    @staticmethod
    def forward(
        ctx: Any, x: np.ndarray, t: np.ndarray, p: int, margin: float, w: np.ndarray, reduction: str
    ) -> np.ndarray:
        N, C = x.shape
        rows = np.arange(N)
        z = x + (margin - x[rows, t])[:, None]  # (N, C)
        z[rows, t] = 0  # the true class is not compared with itself
        active = z > 0
        w = w / x.dtype.type(C)
        ctx.save_for_backward(x)
        ctx.t, ctx.p, ctx.margin, ctx.w, ctx.active, ctx.s = t, p, margin, w, active, scale(reduction, N)
        h = np.where(active, z, 0)  # not the maximum: a nan is above no margin
        return total((h if p == 1 else h * h).sum(1) * w, reduction)

    @staticmethod
    def backward(ctx: Any, dL: Any) -> tuple:
        (x,) = ctx.saved_tensors
        rows = np.arange(len(ctx.t))
        g = ((dL * ctx.s) * ctx.w).reshape(-1, 1)  # (N, 1)
        if ctx.p == 2:
            g = g * (2 * (x + (ctx.margin - x[rows, ctx.t]).reshape(-1, 1)))
        g = keep(g, ctx.active)  # (N, C)
        true = np.arange(x.shape[1]) == ctx.t[:, None]
        return g - keep(np.sum(g, axis=1, keepdims=True), true), None, None, None, None, None


class MultiLabelMarginFunction(ArrayFunction):
    """L_n = 1/C Σ_{j true} Σ_{i not true} h(1 − x_j + x_i), reduced.

    It is linear between the kinks, so its gradient is a matrix of counts / C: how many j each x_i is too close to, and
    minus how many i come too close to each x_j. ``x`` (N, C); ``t`` (N, C): the true classes, ended by −1.
    """

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, t: np.ndarray, reduction: str) -> np.ndarray:
        N, C = x.shape
        rows = np.arange(N)
        counts = np.logical_and.accumulate(t >= 0, axis=1)  # (N, C): before the first −1
        others = np.ones((N, C), bool)
        for k in range(C):
            others[rows[counts[:, k]], t[counts[:, k], k]] = False
        slope, L = np.zeros_like(x, order="C"), np.zeros(N, x.dtype)
        for k in range(int(counts.sum(1).max(initial=0))):
            j = np.where(counts[:, k], t[:, k], 0)
            z = 1 - x[rows, j][:, None] + x  # (N, C)
            active = (z > 0) & others & counts[:, k, None]
            L += np.where(active, z, 0).sum(1)
            slope += active
            slope[rows, j] -= active.sum(1)
        ctx.slope, ctx.s = slope / C, scale(reduction, N)
        return total(L / C, reduction)

    @staticmethod
    def backward(ctx: Any, dL: Any) -> tuple:
        return (dL * ctx.s).reshape(-1, 1) * ctx.slope, None, None


def hinge_embedding_loss(
    input: Any,
    target: Any,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """x where t = 1 and max(0, margin − x) where t = −1, for a distance x of things that are alike (1) or not (−1).

    dx = s dL where t = 1, −s dL where t = −1 and x ≤ margin, else 0; the target gets none. The shapes broadcast. The
    losses have the input's type: of integers they are integers, ``margin`` too, and RuntimeError is raised for their mean.
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    x, t = pair("hinge_embedding_loss", reduction, input, target)
    dtype = array_of(input).dtype
    if dtype.kind != "f":
        if reduction == "mean" or dtype.kind == "b":
            check_float("hinge_embedding_loss", array_of(input), RuntimeError)
        x, margin = cast(x, dtype), int(margin)
    return cast(HingeEmbeddingFunction.apply(x, array_of(t), margin, reduction), dtype)


def margin_ranking_loss(
    input1: Any,
    input2: Any,
    target: Any,
    margin: float = 0.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """max(0, margin − t (x₁ − x₂)): x₁ should be ranked above x₂ where t = 1, below where t = −1.

    dx₁ = −t s dL, dx₂ = t s dL and dt = (x₂ − x₁) s dL where the maximum is not below 0. The three need the same number
    of dimensions, and broadcast; RuntimeError otherwise.
    """
    name = "margin_ranking_loss"
    reduction = legacy_reduction(size_average, reduce, reduction)
    check_tensors(name, input1=input1, input2=input2, target=target)
    check_reduction(reduction)
    shapes = [array_of(x).shape for x in (input1, input2, target)]
    if len({len(s) for s in shapes}) != 1:
        raise RuntimeError(
            f"{name} : All input tensors should have same dimension but got sizes: input1: {list(shapes[0])}, input2: "
            f"{list(shapes[1])}, target: {list(shapes[2])}"
        )
    x1, x2, t = (to_float(x) for x in promote(input1, input2, target))
    check_not_empty(name, min(array_of(x).size for x in (x1, x2, t)), reduction)
    return together(MarginRankingFunction, x1, x2, t, margin, reduction)


def _matrix(name: str, x: np.ndarray) -> tuple[int, int]:
    """(N, C) for scores (N, C), (C) or a single one. Raises RuntimeError for others."""
    if x.ndim > 2 or (x.ndim and not x.shape[-1]):
        raise RuntimeError(f"{name}: expected an input (N, C) or (C) with at least one class, but got {list(x.shape)}")
    return (x.shape[0], x.shape[1]) if x.ndim == 2 else (1, x.size)


def multi_margin_loss(
    input: Any,
    target: Any,
    p: int = 1,
    margin: float = 1.0,
    weight: Any = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """1/C Σ_{i ≠ t} w_t max(0, margin − x_t + x_i)^p for scores (N, C) or (C) with classes t (N) or one, p 1 or 2.

    Gradient: see ``MultiMarginFunction``. Raises ValueError for another p, RuntimeError for shapes that do not fit and
    classes that are not there, and for weights of another type.
    """
    name = "multi_margin_loss"
    reduction = legacy_reduction(size_average, reduce, reduction)
    if p not in (1, 2):
        raise ValueError(f"{name}: only p == 1 and p == 2 supported, but got {p}")
    check_tensors(name, input=input, target=target)
    check_reduction(reduction)
    x, t = array_of(input), array_of(target)
    check_float(name, x)
    N, C = _matrix(name, x)
    if t.dtype != np.int64:
        raise RuntimeError(f"{name}: the target must be int64, but got {t.dtype}; convert it with .long()")
    if t.ndim > 1 or t.size != N:
        raise RuntimeError(
            f"{name}: target tensor should be 1-D with size equal to the number of input samples, {N}, but got "
            f"{list(t.shape)} for an input of {list(x.shape)}"
        )
    if t.size and (t.min() < 0 or t.max() >= C):
        raise RuntimeError(f"{name}: target out of range: classes go from 0 to {C - 1}, but got {t.min()} to {t.max()}")
    check_not_empty(name, N, reduction)
    classes = t.reshape(-1)
    if weight is None:
        w = np.ones(N, x.dtype)
    else:
        check_constant(name, weight=weight)
        w = array_of(weight)
        if w.ndim != 1:
            raise ValueError(f"{name}: weight must be one-dimensional, but got shape {list(w.shape)}")
        if len(w) != C:
            raise RuntimeError(f"{name}: inconsistent weight size, expected {C} but got {list(w.shape)}")
        if w.dtype != x.dtype:
            raise RuntimeError(f"{name}: expected a weight of {x.dtype}, as the input, but got {w.dtype}; convert it")
        w = w[classes]
    L = MultiMarginFunction.apply(input.reshape(N, C), classes, int(p), margin, w, reduction)
    return L.reshape(t.shape) if reduction == "none" else L


def multilabel_margin_loss(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """1/C Σ_{j true} Σ_{i not true} max(0, 1 − x_j + x_i) for scores (N, C) or (C).

    The target has the same shape: in each row the true classes, then −1; what follows it does not count. Gradient: see
    ``MultiLabelMarginFunction``. Raises RuntimeError for shapes that differ and classes that are not there.
    """
    name = "multilabel_margin_loss"
    reduction = legacy_reduction(size_average, reduce, reduction)
    check_tensors(name, input=input, target=target)
    check_reduction(reduction)
    x, t = array_of(input), array_of(target)
    check_float(name, x)
    N, C = _matrix(name, x)
    if t.shape != x.shape:
        raise RuntimeError(f"{name}: inconsistent target size: {list(t.shape)} for input of size: {list(x.shape)}")
    if t.dtype != np.int64:
        raise RuntimeError(f"{name}: the target must be int64, but got {t.dtype}; convert it with .long()")
    if t.size and (t.min() < -1 or t.max() >= C):
        raise RuntimeError(
            f"{name}: target is out of range: classes go from 0 to {C - 1} and -1 ends them, but got {t.min()} to {t.max()}"
        )
    check_not_empty(name, N, reduction)
    L = MultiLabelMarginFunction.apply(input.reshape(N, C), t.reshape(N, C), reduction)
    return L.reshape(x.shape[:-1]) if reduction == "none" else L


class HingeEmbeddingLoss(Loss):
    """Keeps what is alike near and the rest a margin away; see ``hinge_embedding_loss``."""

    def __init__(
        self,
        margin: float = 1.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def forward(self, input: Any, target: Any) -> Any:
        return hinge_embedding_loss(input, target, self.margin, reduction=self.reduction)


class MarginRankingLoss(Loss):
    """Which of two scores should be higher; see ``margin_ranking_loss``."""

    def __init__(
        self,
        margin: float = 0.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def forward(self, input1: Any, input2: Any, target: Any) -> Any:
        return margin_ranking_loss(input1, input2, target, self.margin, reduction=self.reduction)


class MultiLabelMarginLoss(Loss):
    """True classes should score a margin above the others; see ``multilabel_margin_loss``."""

    def forward(self, input: Any, target: Any) -> Any:
        return multilabel_margin_loss(input, target, reduction=self.reduction)


class MultiMarginLoss(WeightedLoss):
    """The true class should score a margin above the others; see ``multi_margin_loss``."""

    def __init__(
        self,
        p: int = 1,
        margin: float = 1.0,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        if p not in (1, 2):
            raise ValueError(f"only p == 1 and p == 2 supported, but got {p}")
        if weight is not None and weight.dim() != 1:
            raise ValueError(f"MultiMarginLoss: expected weight to be None or 1D tensor, got {weight.dim()}D instead")
        self.p = p
        self.margin = margin

    def forward(self, input: Any, target: Any) -> Any:
        return multi_margin_loss(
            input, target, p=self.p, margin=self.margin, weight=self.weight, reduction=self.reduction
        )
