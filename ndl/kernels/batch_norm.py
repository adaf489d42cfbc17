"""Batch normalisation of (N, C, …) arrays: statistics, the normalised output, and the three gradients.

With M = N · (spatial size) values x_m of one channel:

    μ = Σ x / M        σ² = Σ (x − μ)² / M        r = 1 / √(σ² + ε)        x̂ = (x − μ) r        y = γ x̂ + β
    dβ = Σ dy          dγ = Σ dy x̂                dx = γ r (dy − dβ/M − x̂ dγ/M)

Both y and dx are one multiply-add per number with vectors over the channels:

    y  = x·a + b               a = γ r,   b = β − μ a
    dx = dy·a + x·p + q        p = −a r dγ / M,   q = −a dβ / M − μ p

so each pass reads the data once for its sums and once to write, in tiles that stay in the cache, with threads. Sums
over a tile are products with a vector of ones (the BLAS), centred by the tile's own mean, and tiles are combined in
float64 by Chan, Golub & LeVeque's formula (1979): as exact as two passes over the data, at the price of one.

Memory order is free. Where the channels lie innermost (N, …, C), rows are folded k at a time into rows of k·C numbers,
because a row of 16 or 64 is too short for NumPy's inner loop. Where they lie in planes (N, C, …), a channel's numbers
are a row already.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ndl.kernels.threads import parallel_for
from ndl.kernels.workspace import scratch

__all__ = ["apply_affine", "backward_sums", "input_gradient", "statistics"]

# Numbers of one tile: 2 MiB in float32. Smaller tiles would stay in a core's second-level cache, but with NumPy calls
# of a few microseconds two threads wait for Python's lock more than they compute: 128 KiB took three times as long.
TILE = 1 << 19
FOLD = 1024  # numbers of a folded row


class Layout:
    """An (N, C, …) array as a matrix of rows: channels innermost (folded), or one channel for each row."""

    def __init__(self, x: np.ndarray) -> None:
        self.channels = C = x.shape[1]
        spatial = math.prod(x.shape[2:])
        self.count = x.shape[0] * spatial
        last = np.moveaxis(x, 1, -1)
        self.shape, self.inner = x.shape, last.flags.c_contiguous or not x.flags.c_contiguous
        if self.inner:
            fold = max(1, FOLD // max(1, C))
            while self.count % fold:
                fold -= 1
            self.fold, self.rows, self.width = fold, self.count // fold, fold * C
        else:
            self.fold, self.rows, self.width = 1, x.shape[0], C * spatial
            self.spatial = spatial

    def matrix(self, x: np.ndarray) -> np.ndarray:
        """(rows, width); a copy only if ``x`` lies in memory in neither of the two orders."""
        if self.inner:
            return np.ascontiguousarray(np.moveaxis(x, 1, -1)).reshape(self.rows, self.width)
        return np.ascontiguousarray(x).reshape(self.rows, self.width)

    def empty(self, dtype: np.dtype) -> tuple[np.ndarray, np.ndarray]:
        """A new array of this layout: in its logical shape, and as a matrix."""
        flat = np.empty((self.rows, self.width), dtype)
        if self.inner:
            N, C, *spatial = self.shape
            return np.moveaxis(flat.reshape(N, *spatial, C), -1, 1), flat
        return flat.reshape(self.shape), flat

    def spread(self, v: np.ndarray, dtype: np.dtype) -> np.ndarray:
        """A vector over channels as one over the columns of the matrix."""
        v = v.astype(dtype, copy=False)
        return np.tile(v, self.fold) if self.inner else np.repeat(v, self.spatial)

    def gather(self, v: np.ndarray) -> np.ndarray:
        """Sums over the columns of the matrix as sums over channels, in float64."""
        v = v.astype(np.float64)
        return v.reshape(self.fold, -1).sum(0) if self.inner else v.reshape(self.channels, -1).sum(1)

    def tiles(self, body: Callable[[int, int], object]) -> list:
        """``body(start, stop)`` over tiles of rows, shared out to the threads; results in order of the rows."""
        height = max(1, TILE // max(1, self.width))

        def share(first: int, last: int) -> list:
            return [body(start, min(start + height, last)) for start in range(first, last, height)]

        return [r for part in parallel_for(self.rows, share, grain=max(1, height // 4)) for r in part]


def _column_sums(t: np.ndarray) -> np.ndarray:
    return np.ones(len(t), t.dtype) @ t if len(t) > 1 else t[0]


def statistics(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(μ, σ²) of each channel in float64; σ² divides by M."""
    if not x.shape[1]:
        return np.zeros(0), np.zeros(0)
    layout = Layout(x)
    X = layout.matrix(x)

    def tile(start: int, stop: int) -> tuple[int, np.ndarray, np.ndarray]:
        t = X[start:stop]
        n = (stop - start) * layout.width // max(1, layout.channels)
        mean = layout.gather(_column_sums(t)) / n
        centred = scratch("batch_norm", t.shape, t.dtype)
        np.subtract(t, layout.spread(mean, t.dtype), out=centred)
        # The tile's mean was rounded to the type of t, so what is left of it is taken off the squares.
        rest = layout.gather(_column_sums(centred)) / n
        squares = layout.gather(np.einsum("ij,ij->j", centred, centred)) - n * rest**2
        return n, mean.astype(t.dtype).astype(np.float64) + rest, squares

    count, mean, squares = 0, np.zeros(layout.channels), np.zeros(layout.channels)
    for n, m, s in layout.tiles(tile):
        delta = m - mean
        total = count + n
        mean = mean + delta * (n / total)
        squares = squares + s + delta**2 * (count * n / total)
        count = total
    return mean, squares / max(count, 1)


def apply_affine(x: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """y = x·a + b with vectors over the channels; y lies in memory as x does."""
    layout = Layout(x)
    X = layout.matrix(x)
    y, Y = layout.empty(x.dtype)
    A, B = layout.spread(a, x.dtype), layout.spread(b, x.dtype)

    def tile(start: int, stop: int) -> None:
        t = Y[start:stop]
        np.multiply(X[start:stop], A, out=t)
        t += B

    layout.tiles(tile)
    return y


def backward_sums(dy: np.ndarray, x: np.ndarray, mean: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(Σ dy, Σ dy (x − μ)) of each channel, in float64."""
    layout = Layout(x)
    X, D = layout.matrix(x), layout.matrix(dy)
    mu = layout.spread(mean, x.dtype)

    def tile(start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
        d = D[start:stop]
        centred = scratch("batch_norm", d.shape, d.dtype)
        np.subtract(X[start:stop], mu, out=centred)
        return layout.gather(_column_sums(d)), layout.gather(np.einsum("ij,ij->j", centred, d))

    sums, products = np.zeros(layout.channels), np.zeros(layout.channels)
    for s, p in layout.tiles(tile):
        sums += s
        products += p
    return sums, products


def input_gradient(
    dy: np.ndarray, x: np.ndarray, a: np.ndarray, p: np.ndarray, mean: np.ndarray, q: np.ndarray
) -> np.ndarray:
    """dx = dy·a + (x − μ)·p + q with vectors over the channels; dx lies in memory as x does."""
    layout = Layout(x)
    X, D = layout.matrix(x), layout.matrix(dy)
    dx, DX = layout.empty(x.dtype)
    A, P, Q = (layout.spread(v, x.dtype) for v in (a, p, q - mean * p))

    def tile(start: int, stop: int) -> None:
        t = DX[start:stop]
        work = scratch("batch_norm", t.shape, t.dtype)
        np.multiply(X[start:stop], P, out=work)
        work += Q
        np.multiply(D[start:stop], A, out=t)
        t += work

    layout.tiles(tile)
    return dx
