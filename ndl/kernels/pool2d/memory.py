"""Memory order of the fast rungs: one array (B, *size, c) for both orders that pictures come in.

- Channels last (memory runs N, *size, C): B = N and c = C. A row of pixels is a long run of numbers.
- Channels in planes (memory runs N, C, *size): B = N·C and c = 1.

Pooling treats all channels alike, so that is all that it needs to know. Results have the order of the input. Any
other order is copied into channels last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from ndl.kernels.pool2d.windows import Sizes
from ndl.kernels.threads import parallel_for

PIECE_BYTES = 1 << 18  # of the input: a piece and what is made of it stay in a core's second-level cache
GRAIN = 1 << 15  # numbers for which waking a thread pays


def in_planes(x: np.ndarray) -> bool:
    """True if (N, C, *size) lies in memory as N, C, *size, and with enough channels and pixels to tell the two apart."""
    return x.flags.c_contiguous and not np.moveaxis(x, 1, -1).flags.c_contiguous


def folded(x: np.ndarray, planes: bool) -> np.ndarray:
    """(N, C, *size) → (B, *size, c), a copy only if it lies in memory in another order."""
    if planes:
        return np.ascontiguousarray(x).reshape(x.shape[0] * x.shape[1], *x.shape[2:], 1)
    return np.ascontiguousarray(np.moveaxis(x, 1, -1))


def unfolded(y: np.ndarray, x: np.ndarray, planes: bool) -> np.ndarray:
    """(B, *size, c) → (N, C, *size) with x's N and C, a view."""
    return y.reshape(*x.shape[:2], *y.shape[1:-1]) if planes else np.moveaxis(y, -1, 1)


def over_pieces(items: int, shape: Sizes, itemsize: int, body: Callable[[slice], None]) -> None:
    """Call ``body`` on pieces of ``range(items)`` that fit into the cache, on threads; an item has this shape."""
    numbers = max(1, int(np.prod(shape)))

    def share(start: int, stop: int) -> None:
        for piece in _pieces(start, stop, PIECE_BYTES // (numbers * itemsize)):
            body(piece)

    parallel_for(items, share, grain=GRAIN // numbers + 1)


def _pieces(start: int, stop: int, size: int) -> Iterator[slice]:
    count = -(-(stop - start) // max(1, size))
    step = -(-(stop - start) // count)
    for first in range(start, stop, step):
        yield slice(first, min(stop, first + step))


def bits(x: np.ndarray) -> np.ndarray:
    """The same memory as integers, for ``&`` with a mask: exact, where inf · 0 would be nan."""
    return x.view(f"i{x.itemsize}")


def lowest(dtype: np.dtype) -> float | int:
    """What every number of this type is at least as large as."""
    return -np.inf if dtype.kind == "f" else int(np.iinfo(dtype).min)
