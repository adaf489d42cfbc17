"""Losses of embeddings: vectors that should lie near one another, or far apart.

    cosine embedding   L = 1 − c if t = 1,  max(0, c − m) if t = −1       c: cosine of the angle between x₁ and x₂
    triplet margin     L = max(0, d(a, p) − d(a, n) + m)                  d: a distance, p like a, n unlike a

For the first, with r = 1 / √(m₁ m₂), m_i = |x_i|² + ε and c = r x₁·x₂:  dx₁ = dc (r x₂ − (c / m₁) x₁).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ndl.autograd.function import ArrayFunction
from ndl.nn.distance import PairwiseDistance, pairwise_distance
from ndl.nn.loss import (
    Loss,
    check_not_empty,
    check_reduction,
    check_tensors,
    legacy_reduction,
    scale,
    total,
)
from ndl.nn.margin_loss import MarginRankingFunction
from ndl.ops.elementwise import together
from ndl.ops.extrema import minimum
from ndl.ops.promotion import array_of, promote, to_float

__all__ = [
    "CosineEmbeddingLoss",
    "TripletMarginLoss",
    "TripletMarginWithDistanceLoss",
    "cosine_embedding_loss",
    "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
]

EPS = float(np.float32(1e-12))  # added to |x|²; PyTorch rounds it to float32


class CosineEmbeddingFunction(ArrayFunction):
    """L = [t = 1] (1 − c) + [t = −1] max(0, c − m), reduced, with c = r x₁·x₂ and r = 1 / √(m₁ m₂), m_i = |x_i|² + ε.

    dc = ([t = −1] [c ≥ m] − [t = 1]) s dL,  dx₁ = dc (r x₂ − (c / m₁) x₁),  dx₂ = dc (r x₁ − (c / m₂) x₂).
    """

    @staticmethod
    def forward(ctx: Any, x1: np.ndarray, x2: np.ndarray, t: np.ndarray, margin: float, reduction: str) -> np.ndarray:
        ctx.save_for_backward(x1, x2)
        _, _, _, c = _cosine(x1, x2)
        c = c[..., 0]  # (N,)
        like, unlike = t == 1, t == -1
        L = np.where(like, 1 - c, 0) + np.where(unlike, np.maximum(c - margin, 0), 0)
        ctx.s = scale(reduction, L.size)
        ctx.slope = np.subtract(unlike & (c >= margin), like, dtype=x1.dtype)
        return total(L, reduction)

    @staticmethod
    def backward(ctx: Any, dL: Any) -> tuple:
        x1, x2 = ctx.saved_tensors
        m1, m2, r, c = _cosine(x1, x2)
        dc = ((dL * ctx.s) * ctx.slope)[..., None]  # (N, 1)
        dx1 = dc * (r * x2 - c / m1 * x1) if ctx.needs_input_grad[0] else None
        dx2 = dc * (r * x1 - c / m2 * x2) if ctx.needs_input_grad[1] else None
        return dx1, dx2, None, None, None


def _cosine(x1: Any, x2: Any) -> tuple:
    """m₁, m₂, r and c along the last dimension, which stays as 1."""
    m1 = np.sum(x1 * x1, axis=-1, keepdims=True) + EPS
    m2 = np.sum(x2 * x2, axis=-1, keepdims=True) + EPS
    r = 1 / np.sqrt(m1 * m2)
    return m1, m2, r, np.sum(x1 * x2, axis=-1, keepdims=True) * r


def cosine_embedding_loss(
    input1: Any,
    input2: Any,
    target: Any,
    margin: float = 0.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """1 − cos(x₁, x₂) where t = 1, max(0, cos(x₁, x₂) − margin) where t = −1, 0 for other t.

    Shapes: inputs (N, D) with targets (N), or (D) with one. Gradient: see ``CosineEmbeddingFunction``; the target gets
    none. Raises RuntimeError for other shapes.
    """
    name = "cosine_embedding_loss"
    reduction = legacy_reduction(size_average, reduce, reduction)
    check_tensors(name, input1=input1, input2=input2, target=target)
    check_reduction(reduction)
    t, sizes = array_of(target), [array_of(x).shape for x in (input1, input2)]
    if t.ndim > 1:
        raise RuntimeError(f"{name}: 0D or 1D target tensor expected, multi-target not supported: got {list(t.shape)}")
    if any(len(s) != t.ndim + 1 for s in sizes):
        raise RuntimeError(
            f"{name}: {t.ndim}D target tensor expects {t.ndim + 1}D input tensors, but found inputs with sizes "
            f"{list(sizes[0])} and {list(sizes[1])}"
        )
    x1, x2 = (to_float(x) for x in promote(input1, input2))
    check_not_empty(name, t.size, reduction)
    return together(CosineEmbeddingFunction, x1, x2, t, margin, reduction)


def _triplet(name: str, distance: Callable, triplet: tuple, margin: float, swap: bool, reduction: str) -> Any:
    """max(0, d(a, p) − d(a, n) + margin), reduced; with ``swap`` the nearer of d(a, n) and d(p, n)."""
    anchor, positive, negative = triplet
    check_tensors(name, anchor=anchor, positive=positive, negative=negative)
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"{reduction!r} is not a valid value for reduction; use 'none', 'mean' or 'sum'")
    if margin <= 0:
        raise ValueError(f"{name}: margin must be greater than 0, got {margin}")
    dims = [array_of(x).ndim for x in triplet]
    if len(set(dims)) != 1:
        raise RuntimeError(
            "The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: "
            f"anchor {dims[0]}D, positive {dims[1]}D, and negative {dims[2]}D inputs"
        )
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = minimum(far, distance(positive, negative))
    check_not_empty(name, min(array_of(near).size, array_of(far).size), reduction)
    return together(MarginRankingFunction, far, near, 1, margin, reduction)


def triplet_margin_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """max(0, d(a, p) − d(a, n) + margin) with d = ``pairwise_distance`` of norm ``p`` over the last dimension.

    ``swap`` takes d(p, n) for d(a, n) where it is smaller (Balntas et al. 2016). Where the maximum is not below 0,
    d(a, p) gets the gradient s dL and d(a, n) gets −s dL. Raises ValueError for margin ≤ 0, RuntimeError for
    different numbers of dimensions.
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    distance = lambda x, y: pairwise_distance(x, y, p, eps)
    return _triplet("triplet_margin_loss", distance, (anchor, positive, negative), margin, swap, reduction)


def triplet_margin_with_distance_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    *,
    distance_function: Callable[[Any, Any], Any] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Any:
    """``triplet_margin_loss`` with any distance: a differentiable function of two tensors."""
    return _triplet(
        "triplet_margin_with_distance_loss",
        pairwise_distance if distance_function is None else distance_function,
        (anchor, positive, negative),
        margin,
        swap,
        reduction,
    )


class CosineEmbeddingLoss(Loss):
    """Vectors that should point the same way, or not; see ``cosine_embedding_loss``."""

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
        return cosine_embedding_loss(input1, input2, target, self.margin, reduction=self.reduction)


class TripletMarginLoss(Loss):
    """An anchor nearer to its like than to its unlike; see ``triplet_margin_loss``."""

    def __init__(
        self,
        margin: float = 1.0,
        p: float = 2.0,
        eps: float = 1e-6,
        swap: bool = False,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        if margin <= 0:
            raise ValueError(f"TripletMarginLoss: expected margin to be greater than 0, got {margin} instead")
        self.margin = margin
        self.p = p
        self.eps = eps
        self.swap = swap

    def forward(self, anchor: Any, positive: Any, negative: Any) -> Any:
        return triplet_margin_loss(
            anchor, positive, negative, self.margin, self.p, self.eps, self.swap, reduction=self.reduction
        )


class TripletMarginWithDistanceLoss(Loss):
    """``TripletMarginLoss`` with any distance; see ``triplet_margin_with_distance_loss``."""

    def __init__(
        self,
        *,
        distance_function: Callable[[Any, Any], Any] | None = None,
        margin: float = 1.0,
        swap: bool = False,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction=reduction)
        if margin <= 0:
            raise ValueError(
                f"TripletMarginWithDistanceLoss: expected margin to be greater than 0, got {margin} instead"
            )
        self.distance_function = PairwiseDistance() if distance_function is None else distance_function
        self.margin = margin
        self.swap = swap

    def forward(self, anchor: Any, positive: Any, negative: Any) -> Any:
        return triplet_margin_with_distance_loss(
            anchor,
            positive,
            negative,
            distance_function=self.distance_function,
            margin=self.margin,
            swap=self.swap,
            reduction=self.reduction,
        )
