"""One NumPy ufunc over large arrays, on the house's threads.

Adding two arrays of 16 MB is bound by memory, and much of it by the page faults of the new array: 2 cores take half the
time of one. Nothing else is done here. Arrays that lie in memory in the same order are walked in that order as flat
pieces, whatever their shape; all others, and small ones, go to NumPy as they are.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ndl.kernels.threads import parallel_for

__all__ = ["pointwise"]

LARGE = 1 << 18  # numbers from which waking a thread pays
GRAIN = 1 << 16


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

    parallel_for(first.size, share, grain=GRAIN)
    return out


def _scaled(like: np.ndarray, a: np.ndarray) -> tuple[int, ...]:
    """The strides ``a`` has if its elements lie in the same order as those of ``like``."""
    return tuple(s // like.itemsize * a.itemsize for s in like.strides)


def _flat(a: np.ndarray) -> np.ndarray | None:
    """All elements in memory order as one row, if they lie without gaps."""
    row = a.ravel(order="K")
    return row if np.may_share_memory(row, a) else None


def _kind(a: Any) -> Any:
    return a.dtype if isinstance(a, (np.ndarray, np.generic)) else type(a)
