"""Resampling along one axis: each output is a weighted sum of a few inputs.

    y_o = Σ_k w[o, k] · x[places[o, k]],        dx = Wᵀ dy:   dx_i = Σ_{(o, k): places[o, k] = i} w[o, k] · dy_o

``Taps`` holds places and weights, how many inputs each output looks at being the number of columns. Where output o looks
is a question of coordinates. With s inputs to one output, pixels being squares of width 1 whose centres are at ½, 1½, …,

    corners not aligned   u_o = (o + ½) s − ½,      s = n/m or 1/scale_factor
    corners aligned       u_o = o s,                s = (n − 1)/(m − 1)

    nearest         ⌊o s⌋ (as OpenCV), nearest-exact ⌊(o + ½) s⌋ (as Pillow)
    linear          ⌊u⌋ and the next, weighted 1 − t and t with t = u − ⌊u⌋
    cubic           four places round u, weighted by Keys's convolution with A = −¾ (as OpenCV)
    antialiased     all places within the filter's support, widened by s when s > 1 (as Pillow; cubic with A = −½)

Two ways to compute it, which the tests hold against each other: tap by tap (``by_taps``: one copy and one product for each
column), or as a product with the small matrix W (``by_matrix``), which the BLAS makes several times faster while n is
small. The matrix multiplies every input, also by 0, so it is not taken where an infinity among them would make nan.

Keys, "Cubic convolution interpolation for digital image processing", 1981.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from ndl.kernels.matmul import matmul

__all__ = ["Taps", "resample", "taps"]

MATRIX_PER_TAP = 48  # inputs per tap up to which the whole row of W costs less than gathering what is not 0


@dataclass(frozen=True, eq=False)
class Taps:
    """Where each of m outputs looks among ``size`` inputs: places (m, K), and weights (m, K), None if all are 1."""

    size: int
    places: np.ndarray
    weights: np.ndarray | None

    @cached_property
    def matrix(self) -> np.ndarray:
        """W: (m, size), w[o, k] at places[o, k]."""
        W = np.zeros((len(self.places), self.size), None if self.weights is None else self.weights.dtype)
        np.add.at(W, (np.arange(len(W))[:, None], self.places), 1 if self.weights is None else self.weights)
        return W

    @cached_property
    def transposed(self) -> Taps:
        """Where each input goes: (size, K'). Rows with fewer taps are filled up with weight 0."""
        m, K = self.places.shape
        flat = self.places.reshape(-1)
        order = np.argsort(flat, kind="stable")
        counts = np.bincount(flat, minlength=self.size)  # (size)
        column = np.arange(flat.size) - np.repeat(np.cumsum(counts) - counts, counts)
        places = np.zeros((self.size, max(int(counts.max(initial=0)), 1)), np.int64)
        places[flat[order], column] = order // K
        last = places[np.arange(self.size), np.maximum(counts - 1, 0)]
        unused = np.arange(places.shape[1]) >= counts[:, None]
        places[unused] = np.broadcast_to(last[:, None], places.shape)[unused]  # a place that the row reads anyway
        if self.weights is None and not unused.any():
            return Taps(m, places, None)
        weights = np.zeros(places.shape, None if self.weights is None else self.weights.dtype)
        weights[flat[order], column] = 1 if self.weights is None else self.weights.reshape(-1)[order]
        return Taps(m, places, weights)

    @cached_property
    def unread(self) -> np.ndarray:
        """The outputs that look at nothing: transposed taps of inputs that no output looked at."""
        if self.weights is None:
            return np.zeros(0, np.int64)
        return np.flatnonzero((self.weights == 0).all(1))


def resample(x: np.ndarray, t: Taps, axis: int) -> np.ndarray:
    """y = W x along one axis, in new memory: (…, n, …) -> (…, m, …)."""
    K = t.places.shape[1]
    if t.weights is not None and t.size <= MATRIX_PER_TAP * K and x.size and np.isfinite(x.sum()):
        return by_matrix(x, t, axis)
    return by_taps(x, t, axis)


def by_matrix(x: np.ndarray, t: Taps, axis: int) -> np.ndarray:
    """One matrix product for each line of ``x`` along the axis. x must be finite."""
    m, n = t.matrix.shape
    W = t.matrix.astype(x.dtype, copy=False)
    behind = math.prod(x.shape[axis + 1 :])
    shape = (*x.shape[:axis], m, *x.shape[axis + 1 :])
    if behind == 1:
        return matmul(x.reshape(-1, n), W.T).reshape(shape)  # (L, n) (n, m) -> (L, m)
    return matmul(W, x.reshape(-1, n, behind)).reshape(shape)  # (m, n) (L, n, R) -> (L, m, R)


def by_taps(x: np.ndarray, t: Taps, axis: int) -> np.ndarray:
    """One pass for each column of the taps."""
    m, K = t.places.shape
    wide = (m, *[1] * (x.ndim - axis - 1))
    y: np.ndarray | None = None
    for k in range(K):
        part = _at(x, t.places[:, k], axis)
        if t.weights is not None:
            part = part * t.weights[:, k].reshape(wide).astype(x.dtype, copy=False)
        if y is None:
            y = part if part.base is None else part.copy()
        else:
            y += part
    assert y is not None
    if t.unread.size:
        y[(slice(None),) * axis + (t.unread,)] = 0  # not 0 · ∞
    return y


def _at(x: np.ndarray, places: np.ndarray, axis: int) -> np.ndarray:
    """x at the places along an axis: a view where they are evenly spaced, else a copy."""
    first, m = int(places[0]), len(places)
    step = int(places[1]) - first if m > 1 else 1
    if step > 0 and int(places[-1]) - first == step * (m - 1) and (np.diff(places) == step).all():
        return x[(slice(None),) * axis + (slice(first, first + step * (m - 1) + 1, step),)]
    return x.take(places, axis)


# -- where to look -----------------------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def taps(
    kind: str, n: int, m: int, align_corners: bool, scale_factor: float | None, antialias: bool, dtype: np.dtype
) -> Taps | None:
    """Taps from n inputs to m outputs; None where the output is the input.

    ``kind``: nearest, nearest-exact, linear, cubic or lanczos. ``dtype`` is the type in which PyTorch computes the
    coordinates, whose last digit may decide which pixel is the nearest.
    """
    T = dtype.type
    if align_corners:
        s = T(n - 1) / T(m - 1) if m > 1 else T(0)
    else:
        s = T(1.0 / scale_factor) if scale_factor is not None and scale_factor > 0 else T(n) / T(m)
    o = np.arange(m).astype(dtype)
    if kind in ("nearest", "nearest-exact"):
        u = o * s if kind == "nearest" else np.maximum((o + T(0.5)) * s - T(0.5), T(0)) + T(0.5)
        return Taps(n, np.minimum(_floor(u), n - 1)[:, None], None)
    if antialias:
        if n == m:
            return None
        return _antialiased(kind, n, m, s, dtype)
    u = o * s if align_corners else (o + T(0.5)) * s - T(0.5)
    if kind == "linear":
        if n == m:
            return None
        i = np.minimum(_floor(np.maximum(u, T(0))), n - 1)
        t = (np.maximum(u, T(0)) - i.astype(dtype)).clip(0, 1)
        return Taps(n, np.stack([i, np.minimum(i + 1, n - 1)], 1), np.stack([1 - t, t], 1))
    i = np.minimum(_floor(u), n - 1)
    t = (u - i.astype(dtype)).clip(0, 1)
    places = (i[:, None] + np.arange(-1, 3)).clip(0, n - 1)
    return Taps(n, places, np.stack([keys(t + 1, -0.75), keys(t, -0.75), keys(1 - t, -0.75), keys(2 - t, -0.75)], 1))


def keys(t: np.ndarray, A: float) -> np.ndarray:
    """Keys's cubic convolution at distance t >= 0: 1 at 0, and 0 at 1, at 2 and beyond."""
    near = ((A + 2) * t - (A + 3)) * t * t + 1
    far = ((A * t - 5 * A) * t + 8 * A) * t - 4 * A
    return np.where(t <= 1, near, np.where(t < 2, far, 0)).astype(t.dtype)


def _triangle(t: np.ndarray) -> np.ndarray:
    return np.maximum(1 - t, 0)


def _lanczos(t: np.ndarray) -> np.ndarray:
    return np.where(t < 3, np.sinc(t) * np.sinc(t / 3), 0).astype(t.dtype)


FILTERS = {"linear": (1, _triangle), "cubic": (2, lambda t: keys(t, -0.5)), "lanczos": (3, _lanczos)}


def _antialiased(kind: str, n: int, m: int, s: np.floating, dtype: np.dtype) -> Taps:
    """The filter of the kind, s times as wide if outputs are farther apart than inputs; its weights sum to 1."""
    reach, filter = FILTERS[kind]
    T = dtype.type
    stretch = max(s, T(1))
    support = T(reach) * stretch
    centre = s * (np.arange(m) + 0.5).astype(dtype)  # (m)
    first = np.maximum((centre - support + T(0.5)).astype(np.int64), 0)
    end = np.minimum((centre + support + T(0.5)).astype(np.int64), n)
    K = max(int((end - first).max()), 1)
    places = first[:, None] + np.arange(K)  # (m, K)
    weights = filter(np.abs((places - centre[:, None] + T(0.5)).astype(dtype) / stretch))
    weights = np.where(places < end[:, None], weights, T(0))
    total = weights.sum(1, keepdims=True)
    weights = weights / np.where(total == 0, T(1), total)
    return Taps(n, np.minimum(places, np.maximum(end - 1, 0)[:, None]), weights)


def _floor(u: np.ndarray) -> np.ndarray:
    """⌊u⌋ of u rounded to float32, as PyTorch takes it: what is an integer but for rounding in float64 stays one."""
    return np.floor(u.astype(np.float32)).astype(np.int64)
