"""One NumPy ufunc over large arrays, on the house's threads.

Adding two arrays of 16 MB is bound by memory, and much of it by the page faults of the new array: 2 cores take half the
time of one. Nothing else is done here. Arrays that lie in memory in the same order are walked in that order as flat
pieces, whatever their shape; all others, and small ones, go to NumPy as they are.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ndl.kernels.pieces import keep_bits, zeros
from ndl.kernels.threads import parallel_for

__all__ = ["keep_nonzero", "pointwise", "relu"]

LARGE = 1 << 20  # numbers from which waking a thread pays
PIECE = 1 << 17  # numbers between two of which the threads may wait for Python's lock; ``zeros`` has as many
_SMALL = 1 << 13  # numbers up to which one plain call is the fastest


def pointwise(ufunc: np.ufunc, *arrays: Any, out: np.ndarray | None = None) -> np.ndarray:
    """``ufunc(*arrays)``, into ``out`` if given; arrays beside numbers."""
    first = arrays[0]
    if type(first) is not np.ndarray or first.size < LARGE:
        return ufunc(*arrays) if out is None else ufunc(*arrays, out=out)
    operands = []
    for a in arrays:
        if type(a) is np.ndarray:
            flat = _flat(a) if a.shape == first.shape and a.strides == _scaled(first, a) else None
            if flat is None:
                return ufunc(*arrays) if out is None else ufunc(*arrays, out=out)
            operands.append(flat)
        else:
            operands.append(a)
    if out is None:
        dtype = ufunc.resolve_dtypes((*[_kind(a) for a in arrays], None))[-1]
        out = np.empty_like(first, dtype=dtype)
    target = _flat(out)
    if target is None or out.shape != first.shape or out.strides != _scaled(first, out):
        return ufunc(*arrays, out=out)

    def share(start: int, stop: int) -> None:
        pieces = [a[start:stop] if type(a) is np.ndarray else a for a in operands]
        ufunc(*pieces, out=target[start:stop])

    parallel_for(first.size, share, grain=LARGE // 2)
    return out


def relu(x: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """max(x, 0), nan where x is; into ``out`` (which may be x) if given.

    ``np.maximum`` of two arrays uses the processor's vector registers, that of an array and a number does not: it takes
    three times as long. So x is compared with zeros, a piece at a time.
    """
    flat = _flat(x) if x.dtype.kind == "f" and x.size >= _SMALL else None
    if flat is None:
        return pointwise(np.maximum, x, 0, out=out)
    if out is None:
        out = np.empty_like(x)
    target = _flat(out) if out.strides == x.strides else None
    if target is None:
        return pointwise(np.maximum, x, 0, out=out)

    def share(start: int, stop: int) -> None:
        for a in range(start, stop, PIECE):
            piece = flat[a : min(a + PIECE, stop)]
            np.maximum(piece, zeros(piece), out=target[a : a + piece.size])

    parallel_for(x.size, share, grain=LARGE // 2)
    return out


def keep_nonzero(dy: np.ndarray, y: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """dy where y is not 0, else 0: ReLU's gradient. "Not 0" lets the gradient of a nan pass, as PyTorch does.

    dy · mask would make nan of an infinite dy that is to go, and ``np.where`` takes ten times as long: see ``keep_bits``.
    ``out`` may be dy itself.
    """
    flat_y = _flat(y) if dy.strides == y.strides and y.size >= _SMALL else None
    if flat_y is None:
        bits = np.dtype(f"i{dy.itemsize}")
        return np.multiply(dy.view(bits), y != 0, out=None if out is None else out.view(bits)).view(dy.dtype)
    dx = np.empty_like(dy) if out is None else out
    flat_dy, flat_dx = _flat(dy), _flat(dx)
    assert flat_dy is not None and flat_dx is not None

    def share(start: int, stop: int) -> None:
        for a in range(start, stop, PIECE):
            b = min(a + PIECE, stop)
            keep_bits(flat_dy[a:b], flat_y[a:b] != 0, flat_dx[a:b])

    parallel_for(y.size, share, grain=LARGE // 2)
    return dx


def _scaled(like: np.ndarray, a: np.ndarray) -> tuple[int, ...]:
    """The strides ``a`` has if its elements lie in the same order as those of ``like``."""
    return tuple(s // like.itemsize * a.itemsize for s in like.strides)


def _flat(a: np.ndarray) -> np.ndarray | None:
    """All elements in memory order as one row, if they lie without gaps."""
    row = a.ravel(order="K")
    return row if np.may_share_memory(row, a) else None


def _kind(a: Any) -> Any:
    return a.dtype if isinstance(a, (np.ndarray, np.generic)) else type(a)
