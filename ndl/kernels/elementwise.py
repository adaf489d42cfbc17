"""A kernel of many NumPy calls, run on pieces of an array that stay in the cache.

An error function takes some twenty passes over its argument. Over a large array each pass would fetch it
from main memory; over 8,192 numbers at a time it comes from the cache, and the calls still cost little
beside the work. Measured, erf of a million float64: 9 ns a number in pieces, 28 ns without.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ndl.kernels.threads import parallel_for

__all__ = ["apply_in_pieces"]

PIECE_BYTES = 1 << 18  # smaller ones mean more waiting for Python's lock than they save in the cache
GRAIN = 1 << 18  # numbers for which waking a thread pays
DTYPES = [np.dtype(t) for t in (np.float16, np.float32, np.float64)]


def apply_in_pieces(
    kernel: Callable[[NDArray, NDArray], None],
    x: NDArray,
    out: NDArray | None = None,
    work: DTypeLike | None = None,
) -> NDArray:
    """Call ``kernel(piece of x, piece of out)`` over all of x; returns out.

    x: float16, float32 or float64, of any shape and any memory order, which out gets too. out: x's shape
    and dtype; may be x itself. The pieces are one-dimensional, of dtype ``work``: unless given, x's own,
    and float32 for float16. A kernel must have read its piece of x before it writes to the piece of out.
    """
    x = np.asarray(x)
    if x.dtype not in DTYPES:
        raise TypeError(f"expected an array of float16, float32 or float64, but got {x.dtype}")
    if out is None:
        out = np.empty_like(x)
    elif out.shape != x.shape or out.dtype != x.dtype:
        raise ValueError(
            f"out must have the shape and dtype of x, {x.shape} {x.dtype}, but has {out.shape} {out.dtype}"
        )
    dtype = np.dtype(work) if work is not None else np.result_type(x.dtype, np.float32)

    def share(start: int, stop: int) -> None:
        # The iterator walks in memory order, converts where the dtype differs, and copies only where it
        # must. Without delay_bufalloc it would begin with a buffer for the first piece, and on its way to
        # ``start`` write that back, over what another thread has put there.
        pieces = np.nditer(
            [x, out],
            ["external_loop", "buffered", "delay_bufalloc", "zerosize_ok", "ranged"],
            [["readonly"], ["writeonly"]],
            op_dtypes=[dtype, dtype],
            casting="same_kind",
            buffersize=PIECE_BYTES // dtype.itemsize,
        )
        pieces.iterrange = (start, stop)  # type: ignore[misc]  # NumPy's stubs take it for read-only
        with pieces:
            for a, b in pieces:
                kernel(a, b)

    whole = x.dtype == dtype and x.flags.c_contiguous and out.flags.c_contiguous
    if whole and x.nbytes <= PIECE_BYTES:
        kernel(x.reshape(-1), out.reshape(-1))
    elif x.size < 2 * GRAIN:
        share(0, x.size)
    else:
        parallel_for(x.size, share, grain=GRAIN)
    return out
