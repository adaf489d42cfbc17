"""Long chains of element-wise passes over several arrays, done piece by piece so that RAM sees every array once.

``b *= μ; b += g; p -= γ b`` reads and writes whole arrays four times. For millions of elements each of these passes
would fetch its operands from RAM again. Cut into pieces that fit into the cache together, all passes run over one
piece while it is there. The pieces go to all threads when there are enough of them.

Small arrays take the opposite path: they are in the cache anyway, and what counts is the number of Python lines, so
the chain runs on them as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ndl.kernels.threads import parallel_for
from ndl.kernels.workspace import scratch

__all__ = ["run_chain"]

Arrays = tuple[np.ndarray, ...]

SMALL = 1 << 16  # bytes of one array: up to here, cutting costs more than it saves
PIECE = 1 << 20  # bytes of one array's piece: all arrays of a chain stay in the last cache, and every pass is long
GRAIN = 1 << 17  # elements that are worth waking another thread for


def run_chain(chain: Callable[..., None], work: Sequence[tuple[Any, Arrays]]) -> None:
    """Call ``chain(constants, w, x, *arrays)`` for every ``(constants, arrays)`` of ``work``, on pieces of the arrays.

    The chain reads the arrays and writes to any of them. w and x are scratch arrays, to be given to ufuncs as
    ``out``; for small arrays they are None, and the ufunc then makes its result itself. All arrays of one entry have
    one shape and one dtype; their memory orders may differ. The result does not depend on how they are cut. The same
    first array in two entries (a parameter listed twice) is worked through by one thread, in order. Overflow and
    invalid values pass in silence, as in PyTorch.
    """
    large = []
    total = 0
    with np.errstate(all="ignore"):
        for constants, arrays in work:
            if arrays[0].nbytes <= SMALL:
                chain(constants, None, None, *arrays)
            else:
                large.append((constants, arrays))
                total += arrays[0].size
        if not large:
            return

        def share(start: int, stop: int) -> None:
            _run_range(chain, large, start, stop)

        if total >= 2 * GRAIN and len({id(arrays[0]) for _, arrays in large}) == len(large):
            parallel_for(total, share, grain=GRAIN)
        else:
            share(0, total)


def _run_range(chain: Callable[..., None], work: Sequence[tuple[Any, Arrays]], start: int, stop: int) -> None:
    """The chain over elements start to stop of all arrays laid end to end."""
    here = 0  # where the current arrays begin
    for constants, arrays in work:
        size, dtype = arrays[0].size, arrays[0].dtype
        first, last = max(start - here, 0), min(stop - here, size)
        here += size
        if first >= last:
            continue
        length = PIECE // dtype.itemsize
        w, x = scratch("chain", (2, length), dtype)
        # The iterator walks in memory order and hands out pieces of the arrays themselves; it copies, a piece at a
        # time, only those that lie in another order than the first.
        pieces: Any = np.nditer(
            arrays,
            ["external_loop", "buffered", "ranged"],
            [["readwrite" if a.flags.writeable else "readonly"] for a in arrays],
            buffersize=length,
        )
        pieces.iterrange = (first, last)
        with pieces:
            for a in pieces:
                n = a[0].size
                chain(constants, w[:n], x[:n], *a)
