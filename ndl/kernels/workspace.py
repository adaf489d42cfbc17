"""Scratch memory that a thread keeps from call to call.

A fresh large array costs a page fault per 4 KiB at its first touch, about as much as copying it once. The
fast kernels work on pieces that fit into the cache and need the same few scratch arrays for every piece and
every call, so each thread keeps one block of memory per name and hands out views of it.

A view is valid until the same thread asks for the same name again: take it inside one kernel, never return
it.
"""

import math
import threading
from typing import Any

import numpy as np

_ALIGNMENT = 64  # bytes: one cache line, and the width of the widest vector register


class _Blocks(threading.local):
    def __init__(self) -> None:
        self.by_name: dict[str, np.ndarray[Any, np.dtype[np.uint8]]] = {}


_blocks = _Blocks()


def scratch(name: str, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """An uninitialised C-contiguous array of this shape in the calling thread's block called ``name``."""
    n_bytes = math.prod(shape) * dtype.itemsize
    block = _blocks.by_name.get(name)
    if block is None or block.size < n_bytes:
        raw = np.empty(n_bytes + _ALIGNMENT, np.uint8)
        offset = -raw.ctypes.data % _ALIGNMENT
        block = _blocks.by_name[name] = raw[offset : offset + n_bytes]
    return block[:n_bytes].view(dtype).reshape(shape)


def release() -> None:
    """Give the calling thread's scratch memory back to the system."""
    _blocks.by_name.clear()
