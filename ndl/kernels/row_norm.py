"""Normalisation of each row of a matrix X (R, D): what LayerNorm and RMSNorm compute, and their gradients.

    LayerNorm   μ = Σ_j x_j / D,   r = 1 / √(Σ_j (x_j − μ)² / D + ε),   x̂ = (x − μ) r,   y = γ x̂ + β
                dx = r (γ dy − m₁ − x̂ m₂)       m₁ = Σ_j γ_j dy_j / D,   m₂ = Σ_j γ_j dy_j x̂_j / D
    RMSNorm     r = 1 / √(Σ_j x_j² / D + ε),   x̂ = x r,   y = γ x̂
                dx = r (γ dy − x̂ m₂)

Everything is bound by memory, so it is done in tiles of rows that stay in the cache, with threads, and with few passes
over a tile. Sums along rows and columns are products with vectors, which the BLAS makes in one reading pass. Tables of
the size of the tile are made as products of two thin matrices, which only write: r_i γ_j, and β_j − μ_i r_i γ_j. So a
tile needs few NumPy calls, and it is as large as the second or third cache allows: each call costs a microsecond.

Σ (x − μ)² = Σ x² − D μ² saves a pass but loses the variance where the mean is large. So the short form is taken only
where no row's mean exceeds its standard deviation (it then costs one bit); else x is centred first.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ndl.kernels.pieces import long_rows
from ndl.kernels.summation import sum_over
from ndl.kernels.threads import parallel_for
from ndl.kernels.workspace import scratch

__all__ = ["layer_norm", "layer_norm_gradients", "rms_norm", "rms_norm_gradients", "row_dots", "row_sums"]

TILE = 1 << 18  # numbers of one tile: 1 MiB in float32
GRAIN = 1 << 16  # numbers for which waking a thread pays
BLOCK = 2048  # longer rows are summed in blocks, and those in float64
ROWS = 1024  # ... and so are columns
NEAR = 1  # standard deviations: where no mean is larger, the short form costs one bit
_SMALL = 1 << 14  # numbers of a matrix for which the plain way is the fastest: only calls cost
WIDE_ROW = 1024  # numbers of a row from which broadcasting (in ``long_rows``) is faster than a table
SHORT = 768  # rows up to this length are summed faster by a product with a vector than one by one


def row_sums(X: np.ndarray) -> np.ndarray:
    """(R, D) -> (R): the sum of each row."""
    D = X.shape[1]
    return sum_over(X, (1,)) if D > BLOCK else _weighted_rows(X, np.ones(D, X.dtype))


def row_dots(A: np.ndarray, B: np.ndarray) -> np.ndarray:
    """(R, D), (R, D) or (D) -> (R): Σ_j a_j b_j of each row."""
    R, D = A.shape
    if D <= BLOCK:
        return np.vecdot(A, B)
    whole = D // BLOCK * BLOCK
    blocks = np.vecdot(A[:, :whole].reshape(R, -1, BLOCK), B[..., :whole].reshape(*B.shape[:-1], -1, BLOCK))
    return (blocks.sum(1, dtype=np.float64) + np.vecdot(A[:, whole:], B[..., whole:])).astype(A.dtype)


def _weighted_rows(X: np.ndarray, gamma: np.ndarray) -> np.ndarray:
    """Σ_j γ_j x_ij: (R, D), (D) -> (R)."""
    return X @ gamma if X.shape[1] <= SHORT else row_dots(X, gamma)


def _weighted_columns(weights: np.ndarray, X: np.ndarray) -> np.ndarray:
    """Σ_i w_ki x_ij: (k, R), (R, D) -> (k, D), in blocks of rows so that the error does not grow with R."""
    blocks = [weights[:, i : i + ROWS] @ X[i : i + ROWS] for i in range(0, len(X), ROWS)]
    return _total(blocks, (len(weights), X.shape[1]), X.dtype)


def _table(a: np.ndarray, u: np.ndarray, b: float, v: np.ndarray) -> np.ndarray:
    """a_i u_j + b v_j in scratch memory: (R), (D), (D) -> (R, D)."""
    ab = np.empty((len(a), 2), u.dtype)
    ab[:, 0], ab[:, 1] = a, b
    return np.matmul(ab, np.stack([u, v]), out=scratch("row_norm.table", (len(a), len(u)), u.dtype))


def _broadcasts(X: np.ndarray) -> bool:
    """Whether NumPy is fast with X and a vector along its rows or columns; else a table is."""
    return X.size <= _SMALL or X.shape[1] >= WIDE_ROW


def _scale(X: np.ndarray, s: np.ndarray, gamma: np.ndarray, out: np.ndarray) -> None:
    """s_i γ_j x_ij; out may be X."""
    if _broadcasts(X):
        np.multiply(X, s[:, None], out=out)
        out *= gamma
    else:
        np.multiply(X, _table(s, gamma, 0, gamma), out=out)


def _tiles(R: int, D: int, body: Callable[[int, int], object]) -> list:
    """``body(start, stop)`` over tiles of rows, shared out to the threads; results in order of the rows."""
    if 0 < R * D <= _SMALL:
        return [body(0, R)]
    height = max(1, TILE // max(D, 1))

    def share(first: int, last: int) -> list:
        with long_rows():
            return [body(start, min(start + height, last)) for start in range(first, last, height)]

    return [r for part in parallel_for(R, share, grain=max(1, GRAIN // max(D, 1))) for r in part]


def _total(parts: list, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """The sum of what tiles or blocks found, added up in float64."""
    if len(parts) == 1:
        return parts[0]
    return sum(parts, np.zeros(shape)).astype(dtype)


def layer_norm(
    X: np.ndarray, gamma: np.ndarray, beta: np.ndarray, eps: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(Y, μ, r), the last two of shape (R)."""
    R, D = X.shape
    Y, mean, r = np.empty_like(X), np.empty(R, X.dtype), np.empty(R, X.dtype)

    def tile(start: int, stop: int) -> None:
        x, y = X[start:stop], Y[start:stop]
        mu = row_sums(x) / D
        near = not _broadcasts(x)
        if near:
            var = row_dots(x, x) / D - mu * mu
            near = (mu * mu <= var).all()
        if not near:
            x = np.subtract(x, mu[:, None], out=y)
            var = row_dots(x, x) / D
        s = 1 / np.sqrt(var + eps)
        mean[start:stop], r[start:stop] = mu, s
        _scale(x, s, gamma, out=y)
        if near:
            y += _table(-mu * s, gamma, 1, beta)
        else:
            y += beta

    _tiles(R, D, tile)
    return Y, mean, r


def layer_norm_gradients(
    dY: np.ndarray, X: np.ndarray, mean: np.ndarray, r: np.ndarray, gamma: np.ndarray, need_dX: bool
) -> tuple[np.ndarray | None, np.ndarray, np.ndarray]:
    """(dX, dγ, dβ), from μ and r of the forward pass."""
    R, D = X.shape
    dX = np.empty_like(X) if need_dX else None

    def tile(start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
        dy, x, mu, s = dY[start:stop], X[start:stop], mean[start:stop], r[start:stop]
        if not (np.abs(mu) * s <= NEAR).all():
            x = np.subtract(x, mu[:, None], out=scratch("row_norm.centred", x.shape, x.dtype))
            mu = np.zeros_like(mu)  # x is x − μ from here on
        p = np.multiply(dy, x, out=scratch("row_norm", dy.shape, dy.dtype))
        dbeta, of_mean = _weighted_columns(np.stack([np.ones_like(s), s * mu]), dy)
        dgamma = _weighted_columns(s[None], p)[0] - of_mean  # Σ dy (x − μ) r
        if dX is not None:
            m1 = _weighted_rows(dy, gamma) / D
            m2 = (_weighted_rows(p, gamma) / D - mu * m1) * s
            dx, slope = dX[start:stop], m2 * s * s
            np.multiply(x, slope[:, None], out=p)
            p += (m1 * s - mu * slope)[:, None]
            _scale(dy, s, gamma, out=dx)
            dx -= p
        return dgamma, dbeta

    parts = _tiles(R, D, tile)
    return dX, _total([g for g, _ in parts], gamma.shape, X.dtype), _total([b for _, b in parts], gamma.shape, X.dtype)


def rms_norm(X: np.ndarray, gamma: np.ndarray, eps: float) -> tuple[np.ndarray, np.ndarray]:
    """(Y, r) with r of shape (R)."""
    R, D = X.shape
    Y, r = np.empty_like(X), np.empty(R, X.dtype)

    def tile(start: int, stop: int) -> None:
        x = X[start:stop]
        s = 1 / np.sqrt(row_dots(x, x) / D + eps)
        r[start:stop] = s
        _scale(x, s, gamma, out=Y[start:stop])

    _tiles(R, D, tile)
    return Y, r


def rms_norm_gradients(
    dY: np.ndarray, X: np.ndarray, r: np.ndarray, gamma: np.ndarray, need_dX: bool
) -> tuple[np.ndarray | None, np.ndarray]:
    """(dX, dγ), from r of the forward pass."""
    R, D = X.shape
    dX = np.empty_like(X) if need_dX else None

    def tile(start: int, stop: int) -> np.ndarray:
        dy, x, s = dY[start:stop], X[start:stop], r[start:stop]
        p = np.multiply(dy, x, out=scratch("row_norm", dy.shape, dy.dtype))
        dgamma = _weighted_columns(s[None], p)[0]
        if dX is not None:
            m2 = _weighted_rows(p, gamma) * s / D
            dx = dX[start:stop]
            np.multiply(x, (m2 * s * s)[:, None], out=p)
            _scale(dy, s, gamma, out=dx)
            dx -= p
        return dgamma

    parts = _tiles(R, D, tile)
    return dX, _total(parts, gamma.shape, X.dtype)
