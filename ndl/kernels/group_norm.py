"""Normalisation of groups of channels within each sample of (N, C, …): GroupNorm, and with groups of one InstanceNorm.

With M = (C / G) · (spatial size) values x_m of one group of one sample:

    μ = Σ x / M        σ² = Σ (x − μ)² / M        r = 1 / √(σ² + ε)        x̂ = (x − μ) r        y = γ x̂ + β
    dβ = Σ dy          dγ = Σ dy x̂                dx = r (γ dy − m₁ − x̂ m₂)
    m₁ = Σ γ dy / M    m₂ = Σ γ dy x̂ / M          (sums over the group)

Everything is a sum over the pixels of one channel of one sample, then small arithmetic with (N, C) tables, then one
multiply-add per number: y = x·a + b and dx = dy·a + x·p + q. A group never leaves its sample, so both steps run
on the same tile of samples while it is in the cache. Where the channels lie innermost in memory (N, …, C), several
pixels are folded into one row, because a row of 16 or 64 numbers is too short for NumPy's inner loop.

Σ (x − μ)² = Σ x² − M μ² saves a pass but loses the variance where the mean is large. So the short form is taken only
where no group's mean exceeds its standard deviation (it then costs one bit); else x is centred first.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ndl.kernels.pieces import LONG_ROW, long_rows
from ndl.kernels.row_norm import NEAR, row_dots, row_sums
from ndl.kernels.summation import sum_over
from ndl.kernels.threads import parallel_for
from ndl.kernels.workspace import scratch

__all__ = ["group_norm", "group_norm_gradients"]

TILE = 1 << 18  # numbers of one tile: 1 MiB in float32
GRAIN = 1 << 16  # numbers for which waking a thread pays
FAR = 4  # standard deviations: where a mean is larger, x γr + (β − μγr) loses too many digits, (x − μ) γr + β does not
_SMALL = 1 << 14  # numbers for which the plain way is the fastest: only calls cost
FOLD = 1024  # numbers of a folded row
LONG = LONG_ROW  # planes smaller than this: a table over the channels is written out for each number


class Layout:
    """(N, C, …) as a cube: (N, C, S) planes, or (N, S/k, k·C) where the channels lie innermost."""

    def __init__(self, x: np.ndarray) -> None:
        self.N, self.C = x.shape[:2]
        self.S = math.prod(x.shape[2:])
        self.shape = x.shape
        self.inner = not x.flags.c_contiguous and np.moveaxis(x, 1, -1).flags.c_contiguous
        self.fold = 1
        if self.inner:
            self.fold = min(max(1, FOLD // self.C), self.S)
            while self.S % self.fold:
                self.fold -= 1

    def cube(self, x: np.ndarray) -> np.ndarray:
        """A view, or a copy if ``x`` lies in memory in another order."""
        if self.inner:
            return np.ascontiguousarray(np.moveaxis(x, 1, -1)).reshape(self.N, -1, self.fold * self.C)
        return np.ascontiguousarray(x).reshape(self.N, self.C, self.S)

    def empty(self, dtype: np.dtype) -> tuple[np.ndarray, np.ndarray]:
        """A new array of this layout: in its logical shape, and as a cube."""
        if self.inner:
            N, C, *spatial = self.shape
            y = np.empty((N, *spatial, C), dtype)
            return np.moveaxis(y, -1, 1), y.reshape(N, -1, self.fold * C)
        y = np.empty(self.shape, dtype)
        return y, y.reshape(self.N, self.C, self.S)

    def spread(self, v: np.ndarray, dtype: np.dtype) -> np.ndarray:
        """A table (n, K) over channels or groups as what broadcasts with ``split(cube, K)``; good until the next call."""
        v = v.astype(dtype)
        n, K = v.shape
        if self.inner:
            return np.tile(v if K == self.C else np.repeat(v, self.C // K, 1), (1, self.fold))[:, None, :]
        length = self.C // K * self.S
        if length >= LONG or v.size * length <= _SMALL:
            return v[:, :, None]
        # Written out for each number, as the product of [v 0] with [1 0]ᵀ: cheaper than many short inner loops.
        thin, unit = np.zeros((v.size, 2), dtype), np.zeros((2, length), dtype)
        thin[:, 0], unit[0] = v.ravel(), 1
        table = np.matmul(thin, unit, out=scratch("group_norm.table", (v.size, length), v.dtype))
        return table.reshape(n, K, length)

    def split(self, t: np.ndarray, K: int) -> np.ndarray:
        """n samples of the cube with the rows of the K groups, or channels, in one."""
        return t if self.inner else t.reshape(len(t), K, -1)

    def multiply_add(self, t: np.ndarray, p: np.ndarray, q: np.ndarray, out: np.ndarray) -> None:
        """out = t p + q for n samples of the cube and tables (n, K)."""
        t, out = self.split(t, p.shape[1]), self.split(out, p.shape[1])
        np.multiply(t, self.spread(p, t.dtype), out=out)
        out += self.spread(q, t.dtype)

    def centred(self, t: np.ndarray, mu: np.ndarray, out: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(out = t − μ, its means: 0)."""
        K = mu.shape[1]
        np.subtract(self.split(t, K), self.spread(mu, t.dtype), out=self.split(out, K))
        return out, np.zeros_like(mu)

    def sums(self, t: np.ndarray) -> np.ndarray:
        """Σ over the pixels: n samples of the cube -> (n, C), in float64."""
        if self.inner:
            return sum_over(t, (1,)).astype(np.float64).reshape(len(t), self.fold, self.C).sum(1)
        return row_sums(t.reshape(-1, self.S)).astype(np.float64).reshape(len(t), self.C)

    def dots(self, t: np.ndarray, u: np.ndarray, work: np.ndarray) -> np.ndarray:
        """Σ t u over the pixels; ``work`` may be overwritten."""
        if self.inner:
            return self.sums(np.multiply(t, u, out=work))
        dots = row_dots(t.reshape(-1, self.S), u.reshape(-1, self.S))
        return dots.astype(np.float64).reshape(len(t), self.C)

    def tiles(self, body: Callable[[int, int], object]) -> list:
        """``body(start, stop)`` over tiles of samples, shared out to the threads; results in order of the samples."""
        size = max(1, self.C * self.S)
        if self.N * size <= _SMALL:
            return [body(0, self.N)]
        height = max(1, TILE // size)

        def share(first: int, last: int) -> list:
            with long_rows():
                return [body(start, min(start + height, last)) for start in range(first, last, height)]

        return [r for part in parallel_for(self.N, share, grain=max(1, GRAIN // size)) for r in part]


def _groups(v: np.ndarray, G: int) -> np.ndarray:
    """(n, C) -> (n, G): the means over the channels of each group."""
    n, C = v.shape
    return v if C == G else np.add.reduce(v.reshape(n, G, C // G), 2) / (C // G)


def _channels(v: np.ndarray, C: int) -> np.ndarray:
    """(n, G) -> (n, C): each channel gets its group's number."""
    return v if v.shape[1] == C else np.repeat(v, C // v.shape[1], 1)


def group_norm(
    x: np.ndarray, G: int, gamma: np.ndarray | None, beta: np.ndarray | None, eps: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(y, μ, σ²), both statistics as (N, C) tables in float64; y lies in memory as x does."""
    layout = Layout(x)
    X, S, C = layout.cube(x), layout.S, layout.C
    y, Y = layout.empty(x.dtype)
    mean, var = np.zeros((2, layout.N, C))

    def tile(start: int, stop: int) -> None:
        t, out = X[start:stop], Y[start:stop]
        mu = _groups(layout.sums(t) / S, G)  # (n, G)
        v = _groups(layout.dots(t, t, out) / S, G) - mu * mu
        if not (mu * mu <= v).all():
            np.subtract(layout.split(t, G), layout.spread(mu, t.dtype), out=layout.split(out, G))
            v = _groups(layout.dots(out, out, out) / S, G)
        a = 1 / np.sqrt(v + eps)
        mean[start:stop], var[start:stop] = _channels(mu, C), _channels(v, C)
        if (mu * mu > FAR * FAR * (v + eps)).any():
            t, mu = layout.centred(t, mu, out)
        if gamma is None and beta is None:
            layout.multiply_add(t, a, -mu * a, out)
            return
        a, mu = _channels(a, C), _channels(mu, C)
        a = a if gamma is None else a * gamma
        layout.multiply_add(t, a, -mu * a if beta is None else beta - mu * a, out)

    if x.size:
        layout.tiles(tile)
    return y, mean, var


def group_norm_gradients(
    dy: np.ndarray, x: np.ndarray, G: int, gamma: np.ndarray | None, mean: np.ndarray, r: np.ndarray, need_dx: bool
) -> tuple[np.ndarray | None, np.ndarray, np.ndarray]:
    """(dx, dγ, dβ); dγ and dβ in float64; μ and r as (N, C) tables."""
    layout = Layout(x)
    X, D, S, C = layout.cube(x), layout.cube(dy), layout.S, layout.C
    dx, DX = layout.empty(x.dtype) if need_dx else (None, None)

    def tile(start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
        d, t, mu, s = D[start:stop], X[start:stop], mean[start:stop], r[start:stop]
        work = scratch("group_norm", d.shape, d.dtype)
        out = work if DX is None else DX[start:stop]
        sums = layout.sums(d)  # Σ dy, (n, C)
        if (np.abs(mu) * s <= NEAR).all():
            products = (layout.dots(d, t, work) - mu * sums) * s  # Σ dy x̂, (n, C)
        else:
            t, mu = layout.centred(t, mu, work)
            products = layout.dots(d, t, out) * s
        if need_dx:
            weighted = (sums, products) if gamma is None else (sums * gamma, products * gamma)
            m1, m2 = (_groups(v / S, G) for v in weighted)  # (n, G)
            mu, s = mu[:, :: C // G], s[:, :: C // G]
            p = -m2 * s * s
            layout.multiply_add(t, p, -m1 * s - mu * p, work)
            a = s if gamma is None else _channels(s, C) * gamma
            np.multiply(layout.split(d, a.shape[1]), layout.spread(a, d.dtype), out=layout.split(out, a.shape[1]))
            out += work
        return products.sum(0), sums.sum(0)

    parts = layout.tiles(tile) if x.size else []
    zero = np.zeros(C)
    return dx, sum((p for p, _ in parts), zero), sum((s for _, s in parts), zero)
