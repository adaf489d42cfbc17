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

__all__ = ["in_pieces", "select", "zeros"]

PIECE_BYTES = 1 << 18  # smaller ones mean more waiting for Python's lock than they save in the cache
GRAIN = 1 << 17  # numbers for which waking a thread pays


def in_pieces(
    kernel: Callable[..., None], *arrays: NDArray, results: int = 1, out: NDArray | None = None
) -> tuple[NDArray, ...]:
    """Call ``kernel(*pieces of the arrays, *pieces of the results)`` over all elements; returns the results.

    arrays: one shape, any memory order; the results are of the first one's shape, type and order. Pieces are
    one-dimensional; float16 is computed in float32. out: memory for the first result, may be one of the arrays if the
    kernel has read a piece before it writes it.
    """
    first = arrays[0]
    if first.dtype == np.float16:
        wide = in_pieces(kernel, *[a.astype(np.float32, order="K") for a in arrays], results=results)
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

    if first.size <= step:
        kernel(*rows, *targets)
    elif first.size < 2 * GRAIN:
        share(0, first.size)
    else:
        parallel_for(first.size, share, grain=GRAIN)
    if out is not None and not direct:
        out[...] = made[0]
        made = (out, *made[1:])
    return made


def _row(a: NDArray, like: NDArray) -> NDArray:
    """The elements in the memory order of ``like`` as one row: a view if they lie like that, else a copy."""
    if a.strides != like.strides or a.dtype != like.dtype:
        copy = np.empty_like(like)
        copy[...] = a
        a = copy
    return a.ravel(order="K")


def select(mask: NDArray, a: NDArray, b: NDArray, out: NDArray) -> None:
    """out = a where mask, else b; for rows, and inside kernels. out may be a or b; the mask is used up.

    The bits of a and b, multiplied by 1 or 0 as if they were integers: ``np.where`` and ``np.copyto`` branch on every
    element, which for a random mask takes two to eight times as long.
    """
    bits = np.dtype(f"i{out.itemsize}")
    other = scratch("select", out.shape, bits)
    np.multiply(a.view(bits), mask, out=other)
    np.logical_not(mask, out=mask)
    np.multiply(b.view(bits), mask, out=out.view(bits))
    chosen = out.view(bits)
    chosen |= other


@lru_cache
def _zeros(dtype: np.dtype) -> NDArray:
    return np.zeros(PIECE_BYTES // dtype.itemsize, dtype)


def zeros(like: NDArray) -> NDArray:
    """As many zeros as a piece has elements: NumPy's maximum with a number takes three times as long."""
    return _zeros(like.dtype)[: like.size]
