"""Distances of all pairs of two sets of vectors, and of one set with itself.

With d_ij = a_i − b_j and y_ij = (Σ_m |d_ijm|^p)^(1/p), as for every norm ∂y/∂d = sign(d) (|d| / y)^(p−1), so

    da_i = Σ_j dy_ij sign(d_ij) (|d_ij| / y_ij)^(p−1)          db_j = −Σ_i (the same)

p = 0 counts what differs and has no gradient; p = ∞ takes the largest |d|, and all that are equally large get the
whole gradient. Where y = 0 the gradient is 0. For p = 2 and many points, with r_ij = dy_ij / y_ij,

    y_ij² = |a_i|² + |b_j|² − 2 a_i·b_j        da_i = a_i Σ_j r_ij − Σ_j r_ij b_j        dB = (Σ_i r_ij) B − Rᵀ A

is one matrix product each, at the price of digits where the points are close together.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ndl.autograd.dtypes import as_dtype
from ndl.autograd.function import ArrayFunction
from ndl.kernels.summation import sum_over
from ndl.nn.loss import check_tensors
from ndl.ops.arithmetic import abs as absolute
from ndl.ops.arithmetic import sign
from ndl.ops.elementwise import broadcast_message, keep
from ndl.ops.products import MatMul
from ndl.ops.promotion import array_of

__all__ = ["cdist", "pdist"]

BLOCK = 1 << 18  # differences that are made at one time
MANY = 25  # points from which p = 2 is computed by a matrix product, PyTorch's limit
MODES = ("use_mm_for_euclid_dist_if_necessary", "use_mm_for_euclid_dist", "donot_use_mm_for_euclid_dist")


class CdistFunction(ArrayFunction):
    """y_ij = ‖a_i − b_j‖_p;  da_i = Σ_j dy_ij ∂y/∂d,  db_j = −Σ_i dy_ij ∂y/∂d with ∂y/∂d = sign(d) (|d| / y)^(p−1)."""

    @staticmethod
    def forward(ctx: Any, a: np.ndarray, b: np.ndarray, p: float) -> np.ndarray:
        batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        y = np.empty((*batch, a.shape[-2], b.shape[-2]), a.dtype)
        few, many, Y = (a, b, y) if _few_first(y) else (b, a, y.mT)  # Y: (…, F, R)
        left, right = _factors(few, many)
        for i in _bands(Y.shape, a.shape[-1]):
            Y[..., i, :] = _norm(np.matmul(left[..., i, :], right), p)
        ctx.p = p
        ctx.save_for_backward(a, b, y)
        return y

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        a, b, y = ctx.saved_tensors
        p = ctx.p
        if ctx.recording:
            g = _slope(_differences(a, b), y[..., None], p) * dy[..., None]  # (…, P, R, M)
            return np.sum(g, axis=-2), -np.sum(g, axis=-3), None
        w = _weight(dy, y, p)
        few, many, Y, W = (a, b, y, w) if _few_first(y) else (b, a, y.mT, w.mT)  # Y, W: (…, F, R)
        left, right = _factors(few, many)
        M, (*batch, F, R) = a.shape[-1], Y.shape
        dfew, dmany = np.empty((*batch, M, F), a.dtype), np.zeros((*batch, M, R), a.dtype)
        for i in _bands(Y.shape, M):
            g = _direction(np.matmul(left[..., i, :], right), Y[..., None, i, :], p)
            g *= W[..., None, i, :]  # (…, M, i, R)
            dfew[..., i] = sum_over(g, (g.ndim - 1,))
            dmany -= sum_over(g, (g.ndim - 2,))
        return *((dfew.mT, dmany.mT) if _few_first(y) else (dmany.mT, dfew.mT)), None


class EuclidFunction(ArrayFunction):
    """y_ij = √(|a_i|² + |b_j|² − 2 a_i·b_j);  da_i = a_i Σ_j r_ij − Σ_j r_ij b_j,  r = dy / y, 0 where y = 0."""

    @staticmethod
    def forward(ctx: Any, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        y = np.matmul(a, -2 * b.mT)  # (…, P, R)
        y += np.einsum("...m,...m->...", a, a)[..., :, None]
        y += np.einsum("...m,...m->...", b, b)[..., None, :]
        np.maximum(y, 0, out=y)  # rounding may leave a little less than 0
        np.sqrt(y, out=y)
        ctx.save_for_backward(a, b, y)
        return y

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        a, b, y = ctx.saved_tensors
        zero = array_of(y) == 0
        r = keep(dy / (y + zero), ~zero)  # (…, P, R)
        da = db = None
        if ctx.needs_input_grad[0]:
            da = a * np.sum(r, axis=-1, keepdims=True) - MatMul.apply(r, b)  # (…, P, M)
        if ctx.needs_input_grad[1]:
            db = b * np.sum(r, axis=-2)[..., None] - MatMul.apply(r.mT, a)  # (…, R, M)
        return da, db


def _bands(shape: tuple, M: int) -> Iterator[slice]:
    """Slices of the P rows of (…, P, R), so that each makes about BLOCK differences."""
    P = shape[-2]
    row = max(1, math.prod(shape[:-2]) * shape[-1] * M)
    step = max(1, BLOCK // row)
    return (slice(i, i + step) for i in range(0, P, step))


def _few_first(y: np.ndarray) -> bool:
    """Whether y (…, P, R) has no more rows than columns. The longer side is the innermost: long rows are fast."""
    return y.shape[-2] <= y.shape[-1]


def _factors(few: np.ndarray, many: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """d_ij = a_i − b_j as products [a_i 1] [1 −b_j]ᵀ, one for each coordinate: (…, M, F, 2) and (…, M, 2, R).

    They are exact, and the BLAS makes them in half the time in which NumPy subtracts short rows from columns.
    """
    a, b = few.mT, many.mT  # (…, M, F), (…, M, R)
    return np.stack([a, np.ones_like(a)], -1), np.stack([np.ones_like(b), -b], -2)


def _norm(d: np.ndarray, p: float) -> np.ndarray:
    """‖d‖_p along the last dimension but two; d is used up."""
    inner = d.ndim - 3
    if p == 0:
        return np.count_nonzero(d, axis=inner)
    if p == 2:
        return np.sqrt(sum_over(np.multiply(d, d, out=d), (inner,)))
    size = np.absolute(d, out=d)
    if math.isinf(p):
        return size.max(inner, initial=0)
    return sum_over(size, (inner,)) if p == 1 else sum_over(size**p, (inner,)) ** (1 / p)


def _weight(dy: np.ndarray, y: np.ndarray, p: float) -> np.ndarray:
    """What ∂y/∂d has for all of d in common, times dy: y^(1−p) dy, 0 where y = 0."""
    return dy if math.isinf(p) else keep(dy * y ** (1 - p), y != 0)


def _direction(d: np.ndarray, y: np.ndarray, p: float) -> np.ndarray:
    """The rest of ∂y/∂d, sign(d) |d|^(p−1); d is used up."""
    if p == 0:
        return np.zeros_like(d)
    if p == 2:
        return d
    if p == 1:
        return _signs(d, y)
    size = np.absolute(d)
    if math.isinf(p):
        largest = size == y
        return np.multiply(_signs(d, y), largest, out=d)
    size += size == 0  # 1 for 0, whose sign is 0
    size **= p - 1
    return np.multiply(_signs(d, y), size, out=d)


def _signs(d: np.ndarray, y: np.ndarray) -> np.ndarray:
    """sign(d) in d's memory, by comparisons: ``np.sign`` branches on each number. y is nan where a d is."""
    if np.isnan(y).any():
        return np.sign(d, out=d)
    above = (d > 0).view(np.int8)
    above -= (d < 0).view(np.int8)
    np.copyto(d, above)
    return d


def _differences(a: Any, b: Any) -> Any:
    """d_ij = a_i − b_j: (…, P, M), (…, R, M) -> (…, P, R, M)."""
    return a[..., :, None, :] - b[..., None, :, :]


def _slope(d: Any, y: Any, p: float) -> Any:
    """∂y/∂d for the norm y of d, along the last dimension."""
    if p == 0:
        return np.zeros_like(array_of(d))
    if math.isinf(p):
        return sign(d) * (np.absolute(array_of(d)) == array_of(y))
    zero = array_of(y) == 0
    y = y + zero  # 1 for 0: what is masked out must be finite, or its own derivative is nan
    if p == 2:
        return d * keep(1 / y, ~zero)
    size = absolute(d) + (array_of(d) == 0)  # 1 for 0, whose sign is 0: for p < 1, |d|^(p−1) is infinite there
    return sign(d) * size ** (p - 1) * y ** (1 - p)


def cdist(x1: Any, x2: Any, p: float = 2.0, compute_mode: str | None = MODES[0]) -> Any:
    """The p-norms of all differences: (…, P, M), (…, R, M) -> (…, P, R); leading dimensions broadcast.

    Gradients: see the module's text. ``compute_mode`` says when p = 2 is computed by a matrix product: with more than
    25 points, always ("use_mm_for_euclid_dist") or never ("donot_use_mm_for_euclid_dist"). Raises RuntimeError for
    fewer than 2 dimensions, different M, integers, different types and negative p; ValueError for another mode.
    """
    check_tensors("cdist", x1=x1, x2=x2)
    a, b = array_of(x1), array_of(x2)
    for name, x in (("X1", a), ("X2", b)):
        if x.dtype.kind != "f":
            raise RuntimeError(
                f"cdist only supports floating-point dtypes, {name} got: {as_dtype(x.dtype).name}; convert it with "
                ".float()"
            )
        if x.ndim < 2:
            raise RuntimeError(f"cdist only supports at least 2D tensors, {name} got: {x.ndim}D")
    if a.shape[-1] != b.shape[-1]:
        raise RuntimeError(
            f"X1 and X2 must have the same number of columns. X1: {a.shape[-1]} X2: {b.shape[-1]} (the last dimensions "
            f"of {list(a.shape)} and {list(b.shape)})"
        )
    if a.dtype != b.dtype:
        raise RuntimeError(
            f"cdist: expected scalar type {as_dtype(a.dtype).name} but found {as_dtype(b.dtype).name}; convert one with "
            ".to(dtype)"
        )
    if p < 0:
        raise RuntimeError(f"cdist only supports non-negative p values, but got {p}")
    if compute_mode not in (None, *MODES):
        raise ValueError(f"{compute_mode} is not a valid value for compute_mode; use one of {', '.join(MODES)}")
    message = broadcast_message(np.empty(a.shape[:-2]), np.empty(b.shape[:-2]))
    if message:
        raise RuntimeError(message)
    many = max(a.shape[-2], b.shape[-2]) > MANY
    if p == 2 and (compute_mode == MODES[1] or (many and compute_mode != MODES[2])):
        return EuclidFunction.apply(x1, x2)
    return CdistFunction.apply(x1, x2, float(p))


def pdist(input: Any, p: float = 2.0) -> Any:
    """The p-norms of the differences of all pairs of rows i < j of (N, M), in the order (0, 1), (0, 2), …: (N (N − 1) / 2).

    They are the upper triangle of ``cdist`` of the rows with themselves, and so is their gradient. Raises RuntimeError
    for other than 2 dimensions, integers and negative p.
    """
    check_tensors("pdist", input=input)
    x = array_of(input)
    if x.ndim != 2:
        raise RuntimeError(f"pdist only supports 2D tensors, got: {x.ndim}D")
    if x.dtype.kind != "f":
        raise RuntimeError(f"pdist only supports floating-point dtypes, but got {x.dtype}; convert it with .float()")
    if p < 0:
        raise RuntimeError(f"pdist only supports non-negative p values, but got {p}")
    i, j = np.triu_indices(len(x), 1)
    return CdistFunction.apply(input, input, float(p))[i, j]
