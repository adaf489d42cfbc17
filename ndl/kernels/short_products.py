"""Long thin matrix products as stacks of short ones.

(R, K) · (K, O) with K and O below a hundred or so is too thin for a BLAS' usual way: it copies both matrices into
blocks first, and each copied number is used only O or K times. For small matrices OpenBLAS has other loops, without
copies, which it takes up to a million multiplications. So R is cut into pieces that small, and NumPy's stacked
``matmul`` walks over them without coming back to Python. Measured on one core (AMD Zen 4, OpenBLAS 0.3.31, float32), in
GFLOP/s, with the matrices in the cache:

    K x O        one product    short ones
    27 x 8       30             93
    32 x 32      73             108
    64 x 64      77             110
    288 x 32     57             97
    256 x 256    77             85       not worth it: too few rows to a piece

A product is *planned* once, as a list of calls, and then run as often as the memory behind it is filled anew: in a loop
over pieces that two threads run at once, every line of Python between two calls is time in which the other one waits.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ndl.kernels.workspace import scratch

__all__ = ["Product", "SumOfProducts", "product", "sum_of_products"]

SHORT = 10**6  # multiplications of one piece
FEWEST_ROWS = 40  # of a piece: below, the calls cost more than they save


class Product:
    """out = X F, planned. (…, R, K) · (…, K, O) → (…, R, O); ``out`` may be a view."""

    def __init__(self, X: np.ndarray, F: np.ndarray, out: np.ndarray) -> None:
        count, size = _cut(X, F)
        whole = count * size
        self.calls = [(_pieces(X, count, size), F[..., None, :, :], _pieces(out, count, size))] if count else []
        if whole < X.shape[-2]:
            self.calls.append((X[..., whole:, :], F, out[..., whole:, :]))

    def __call__(self) -> None:
        for X, F, out in self.calls:
            np.matmul(X, F, out=out)


class SumOfProducts:
    """Xᵀ D, planned: the sum of the pieces' products. (…, R, K), (…, R, O) → (…, K, O)"""

    def __init__(self, X: np.ndarray, D: np.ndarray) -> None:
        count, size = _cut(X, D)
        whole = count * size
        self.pieces, self.rest = None, None
        if count:
            self.pieces = (_pieces(X, count, size).swapaxes(-1, -2), _pieces(D, count, size))
        if whole < X.shape[-2]:
            self.rest = (X[..., whole:, :].swapaxes(-1, -2), D[..., whole:, :])

    def __call__(self) -> np.ndarray:
        if self.pieces is None:
            assert self.rest is not None
            return np.matmul(*self.rest)
        XT, D = self.pieces
        products = scratch("products", (*XT.shape[:-1], D.shape[-1]), XT.dtype)
        np.matmul(XT, D, out=products)
        total = np.add.reduce(products, axis=-3)
        return total if self.rest is None else total + np.matmul(*self.rest)


def product(X: np.ndarray, F: np.ndarray, out: np.ndarray) -> np.ndarray:
    """out = X F, at once. (…, R, K) · (…, K, O) → (…, R, O)"""
    Product(X, F, out)()
    return out


def sum_of_products(X: np.ndarray, D: np.ndarray) -> np.ndarray:
    """Xᵀ D, at once. (…, R, K), (…, R, O) → (…, K, O)"""
    return SumOfProducts(X, D)()


@lru_cache(maxsize=1024)
def cut(R: int, K_times_O: int) -> tuple[int, int]:
    """(count, size) of the pieces of R rows: without a rest if a size not much smaller divides R.

    (0, 0) if one product is as good.
    """
    rows = SHORT // max(1, K_times_O)
    if rows < FEWEST_ROWS or rows >= R:
        return 0, 0
    for size in range(rows, rows // 2, -1):
        if R % size == 0:
            return R // size, size
    return R // rows, rows


def _cut(X: np.ndarray, other: np.ndarray) -> tuple[int, int]:
    return cut(X.shape[-2], X.shape[-1] * other.shape[-1])


def _pieces(X: np.ndarray, count: int, size: int) -> np.ndarray:
    """(…, R, K) → (…, count, size, K): cutting one axis in two is always a view."""
    return X[..., : count * size, :].reshape(*X.shape[:-2], count, size, X.shape[-1])
