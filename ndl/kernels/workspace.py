"""Scratch memory that a thread keeps from call to call.

A fresh large array costs a page fault per 4 KiB at its first touch, about as much as copying it once. The
fast kernels work on pieces that fit into the cache and need the same few scratch arrays for every piece and
every call, so each thread keeps one block of memory per name and hands out views of it.

A view is valid until the same thread asks for the same name again: take it inside one kernel, never return
it.

For results, which outlive the call, the same is asked of the C library. glibc gives large freed blocks back to
the system at once and has to fault them in anew for the next array, in every training step: 10,000 page faults,
30 of 240 ms, in a small residual network. ``keep_freed_memory`` lets it keep up to half a gigabyte of them. It is
called when the first scratch array is; ``NDL_KEEP_FREED_MEMORY=0`` in the environment leaves glibc as it is.
"""

import ctypes
import math
import os
import threading
from typing import Any

import numpy as np

KEPT = 1 << 29  # bytes of freed memory that the process may keep
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of malloc.h
LARGEST = 1 << 25  # bytes: the largest mmap threshold that glibc takes
_ALIGNMENT = 64  # bytes: one cache line, and the width of the widest vector register


class _Blocks(threading.local):
    def __init__(self) -> None:
        self.by_name: dict[str, np.ndarray[Any, np.dtype[np.uint8]]] = {}


_blocks = _Blocks()


def keep_freed_memory() -> bool:
    """Ask glibc to keep freed memory for the next array; True if it does. Elsewhere nothing happens."""
    if os.environ.get("NDL_KEEP_FREED_MEMORY") == "0":
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if os.name == "posix" else None
    return bool(mallopt and mallopt(M_MMAP_THRESHOLD, LARGEST) and mallopt(M_TRIM_THRESHOLD, KEPT))


def scratch(name: str, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """An uninitialised C-contiguous array of this shape in the calling thread's block called ``name``."""
    n_bytes = math.prod(shape) * dtype.itemsize
    block = _blocks.by_name.get(name)
    if block is None or block.size < n_bytes:
        if not _blocks.by_name:
            keep_freed_memory()
        raw = np.empty(n_bytes + _ALIGNMENT, np.uint8)
        offset = -raw.ctypes.data % _ALIGNMENT
        block = _blocks.by_name[name] = raw[offset : offset + n_bytes]
    return block[:n_bytes].view(dtype).reshape(shape)


def release() -> None:
    """Give the calling thread's scratch memory back to the system."""
    _blocks.by_name.clear()
