"""A kernel of several NumPy calls over equally shaped arrays, in pieces that stay in the cache, on the house's threads.

What ``elementwise.apply_in_pieces`` is for a kernel with one argument and one result, this is for any number of both.
Measured, x · sigmoid(x) and its derivative for 4 million float32: 9 NumPy calls over whole arrays take 5 times as long.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ndl.kernels.threads import parallel_for
from ndl.kernels.workspace import scratch

__all__ = ["in_pieces", "keep_bits", "long_rows", "row_of", "select", "sum_in_pieces", "zeros"]

PIECE_BYTES = 1 << 20  # smaller ones mean more waiting for Python's lock than they save in the cache
GRAIN = 1 << 18  # numbers for which waking a thread pays
LONG_ROW = 512  # numbers in a row from which NumPy's inner loop should run over the row itself


def in_pieces(
    kernel: Callable[..., None], *arrays: NDArray, results: int = 1, out: NDArray | None = None, grain: int = 0
) -> tuple[NDArray, ...]:
    """Call ``kernel(*pieces of the arrays, *pieces of the results)`` over all elements; returns the results.

    arrays: one shape, any memory order; the results are of the first one's shape, type and order. Pieces are
    one-dimensional; float16 is computed in float32. out: memory for the first result, may be one of the arrays if the
    kernel has read a piece before it writes it. grain: numbers of a share, unless given
    ``GRAIN``; the more calls a kernel makes, the fewer.
    """
    grain = grain or GRAIN
    first = arrays[0]
    if first.dtype == np.float16:
        wide = in_pieces(kernel, *[a.astype(np.float32, order="K") for a in arrays], results=results, grain=grain)
        made = tuple([y.astype(np.float16) for y in wide])
        if out is not None:
            out[...] = made[0]
            made = (out, *made[1:])
        return made
    base = np.empty_like(first)  # dense, in the first one's order
    rows = [_row(a, base) for a in arrays]
    direct = out is not None and out.strides == base.strides and out.dtype == base.dtype
    made = (out if out is not None and direct else base, *[np.empty_like(base) for _ in range(results - 1)])
    targets = [y.ravel(order="K") for y in made]
    step = PIECE_BYTES // first.itemsize

    def share(start: int, stop: int) -> None:
        for a in range(start, stop, step):
            b = min(a + step, stop)
            kernel(*[r[a:b] for r in rows], *[y[a:b] for y in targets])

    if first.size <= step and first.size < 2 * grain:
        kernel(*rows, *targets)
    else:
        parallel_for(first.size, share, grain=grain)
    if out is not None and not direct:
        out[...] = made[0]
        made = (out, *made[1:])
    return made


def sum_in_pieces(kernel: Callable[..., float], *arrays: NDArray) -> float:
    """Σ ``kernel(*pieces of the arrays)``, for arrays as ``in_pieces`` takes them, in float64."""
    if arrays[0].dtype == np.float16:
        arrays = tuple([a.astype(np.float32, order="K") for a in arrays])
    base = np.empty_like(arrays[0])
    rows = [_row(a, base) for a in arrays]
    step = PIECE_BYTES // base.itemsize
    if base.size <= step:
        return float(kernel(*rows))

    def share(start: int, stop: int) -> float:
        return sum(float(kernel(*[r[a : min(a + step, stop)] for r in rows])) for a in range(start, stop, step))

    return sum(parallel_for(base.size, share, grain=GRAIN))


def _row(a: NDArray, like: NDArray) -> NDArray:
    """The elements in the memory order of ``like`` as one row: a view if they lie like that, else a copy."""
    if a.strides != like.strides or a.dtype != like.dtype:
        copy = np.empty_like(like)
        copy[...] = a
        a = copy
    return a.ravel(order="K")


def keep_bits(y: NDArray, mask: NDArray, out: NDArray) -> None:
    """out = y where mask, else 0, for infinities and nan too; for rows, and inside kernels. out may be y.

    The bits of y, multiplied by 1 or 0 as if they were integers: ``np.where`` and ``np.copyto`` branch on every
    element, which for a random mask takes two to eight times as long.
    """
    bits = np.dtype(f"i{y.itemsize}")
    ones = scratch("pieces.ones", y.shape, bits)
    np.copyto(ones, mask)  # by itself: the product of two types is cut into pieces of its own
    np.multiply(y.view(bits), ones, out=out.view(bits))


def select(mask: NDArray, a: NDArray, b: NDArray, out: NDArray) -> None:
    """out = a where mask, else b; for rows, and inside kernels. out may be a or b.

    b + mask · (a − b) with the bits of a and b taken for integers, whose overflow undoes itself.
    """
    bits = np.dtype(f"i{out.itemsize}")
    change = scratch("pieces.change", out.shape, bits)
    np.subtract(a.view(bits), b.view(bits), out=change)
    keep_bits(change, mask, change)
    np.add(b.view(bits), change, out=out.view(bits))


def row_of(value: float, like: NDArray) -> NDArray:
    """A number as often as a piece has elements: NumPy's maximum with a number takes three times as long."""
    return _row_of(value, like.dtype, PIECE_BYTES)[: like.size]


@lru_cache(maxsize=16)
def _row_of(value: float, dtype: np.dtype, n_bytes: int) -> NDArray:
    return np.full(n_bytes // dtype.itemsize, value, dtype)


def zeros(like: NDArray) -> NDArray:
    """As many zeros as a piece has elements."""
    return row_of(0, like)


class long_rows:
    """Inside this ``with`` block, rows of ``LONG_ROW`` numbers or more meet a broadcast operand without a detour.

    For an operand that repeats, NumPy (up to 2.4 at least) copies both into buffers wherever a row is shorter than
    a buffer, 8192 numbers: X · column takes twice as long as it must. A buffer no longer than the rows avoids that.
    """

    def __enter__(self) -> None:
        self.before = np.setbufsize(LONG_ROW)

    def __exit__(self, *_: object) -> None:
        np.setbufsize(self.before)
