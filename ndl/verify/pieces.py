"""Small arrays treated as large ones: the paths that only large arrays take, proven with small cases.

Kernels, and a few blocks, have constants that say from which size on they cut their work into pieces, tiles and shares
for threads. In ``small_pieces()`` these are a few numbers each, so an array of ten is cut in several places, and its
remainders are as odd as they come. The results must not change.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from ndl.kernels.threads import get_num_threads, set_num_threads

SMALL = {
    "LARGE": 2,
    "GRAIN": 1,
    "PIECE": 3,
    "PIECE_BYTES": 64,
    "TILE": 8,
    "FOLD": 4,
    "LONG": 3,
    "BLOCK": 3,
    "ROWS": 3,
    "_SMALL": 2,
    "_FEW_ROWS": 1,
    "_PAIRWISE": 2,
    "_SHORT": 2,
    "_ROW_BLOCK": 3,
    "_COLUMN_BLOCK": 2,
    "_WIDE": 4,
    "OFTEN": 2,
    "WORTH_A_THREAD": 1,
    "MIN_FLOPS_PER_SHARE": 1,
}
# Constants of the same names that are part of a formula, or of a stream of random numbers.
LEFT_ALONE = {"gamma", "mt19937", "mcg31m1", "box_muller", "random", "shuffle", "multinomial", "polygamma"}


@contextmanager
def small_pieces(threads: int = 2) -> Iterator[None]:
    """Every kernel and every block cuts its work into pieces of a few numbers, for two threads, while this lasts."""
    changed = []
    before = get_num_threads()
    try:
        for name, module in list(sys.modules.items()):
            if name.startswith(("ndl.kernels.", "ndl.nn.")) and name.split(".")[-1] not in LEFT_ALONE:
                for constant in SMALL.keys() & vars(module).keys():
                    changed.append((module, constant, getattr(module, constant)))
                    setattr(module, constant, SMALL[constant])
        set_num_threads(threads)
        yield
    finally:
        set_num_threads(before)
        for module, constant, value in changed:
            setattr(module, constant, value)
