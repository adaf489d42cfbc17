"""Memory order of the fast rungs: one array (B, *size, c) for all orders that pictures come in.

- CHANNELS_LAST (memory runs N, *size, C): B = N and c = C. A row of pixels is a long run of numbers.
- PLANES (memory runs N, C, *size): B = N·C and c = 1.
- BATCH_LAST (memory runs C, *size, N): B = C and c = N.

Pooling treats all channels and pictures alike, so that is all that it needs to know. Results have the order of the
input. Any other order is copied into channels last.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from ndl.kernels.pool2d.windows import Windows
from ndl.kernels.threads import parallel_for

CHANNELS_LAST, PLANES, BATCH_LAST = "channels last", "planes", "batch last"

PIECE_BYTES = 1 << 21  # of the input: smaller pieces mean more waiting for Python's lock than they save in the cache
GRAIN = 1 << 20  # numbers for which waking a thread pays


def order_of(x: np.ndarray) -> str:
    """The order in which (N, C, *size) lies in memory; CHANNELS_LAST if in none of the three."""
    if _channels_last(x).flags.c_contiguous:
        return CHANNELS_LAST
    if x.flags.c_contiguous:
        return PLANES
    return BATCH_LAST if _batch_last(x).flags.c_contiguous else CHANNELS_LAST


def folded(x: np.ndarray, order: str) -> np.ndarray:
    """(N, C, *size) → (B, *size, c), a copy only if it lies in memory in another order."""
    if order == PLANES:
        return np.ascontiguousarray(x).reshape(x.shape[0] * x.shape[1], *x.shape[2:], 1)
    return np.ascontiguousarray(_channels_last(x) if order == CHANNELS_LAST else _batch_last(x))


def unfolded(y: np.ndarray, x: np.ndarray, order: str) -> np.ndarray:
    """(B, *size, c) → (N, C, *size) with x's N and C, a view."""
    if order == PLANES:
        return y.reshape(*x.shape[:2], *y.shape[1:-1])
    axes = range(1, y.ndim - 1)
    return y.transpose(0, y.ndim - 1, *axes) if order == CHANNELS_LAST else y.transpose(y.ndim - 1, 0, *axes)


def _channels_last(x: np.ndarray) -> np.ndarray:
    return x.transpose(0, *range(2, x.ndim), 1)


def _batch_last(x: np.ndarray) -> np.ndarray:
    return x.transpose(*range(1, x.ndim), 0)


def over_pieces(x: np.ndarray, body: Callable[[slice], None]) -> None:
    """Call ``body`` on pieces of the first axis, such that what ``x`` has of each fits into the cache; on threads."""
    numbers = max(1, math.prod(x.shape[1:]))

    def share(start: int, stop: int) -> None:
        for piece in _pieces(start, stop, PIECE_BYTES // (numbers * x.itemsize)):
            body(piece)

    parallel_for(len(x), share, grain=GRAIN // numbers + 1)


def _pieces(start: int, stop: int, size: int) -> Iterator[slice]:
    count = -(-(stop - start) // max(1, size))
    step = -(-(stop - start) // count)
    for first in range(start, stop, step):
        yield slice(first, min(stop, first + step))


def start_at_zero(dx: np.ndarray, w: Windows) -> None:
    """Zeros for what the windows add to; a tiling writes every place itself."""
    if not w.tiling:
        dx[...] = 0


def bits(x: np.ndarray) -> np.ndarray:
    """The same memory as integers, for ``&`` with a mask: exact, where inf · 0 would be nan."""
    return x.view(f"i{x.itemsize}")


def lowest(dtype: np.dtype) -> float | int:
    """What every number of this type is at least as large as."""
    return -np.inf if dtype.kind == "f" else int(np.iinfo(dtype).min)
