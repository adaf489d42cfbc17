"""The Fisher-Yates shuffle without its loop.

The loop is short: ``for i in range(n - 1): swap(r[i], r[i + offset[i]])``. In Python each swap costs 100 ns
or more, and each depends on the ones before it. But what ends up where can be read off the targets alone.
Let t_i = i + offset_i be the target of step i. A number moves only from place i to place t_i >= i (and the
number at t_i comes to rest at place i, which no later step touches). So

- place m, just before step m, holds what the last earlier step k with t_k = m brought there: the number
  that place k held just before step k; or m itself if there was no such step. Following k to *its* k and so
  on ends at a number that never moved: a forest of pointers, all resolved at once by pointer doubling in
  about log2(depth) rounds;
- r_i is what place t_i held at step i: what the last step k < i with the same target brought there, or t_i
  itself.

Both "last steps" are neighbours after a stable sort of the steps by target, and a stable sort of integers
of 16 bits is a radix sort: linear. Measured: 60,000 numbers in 1.2 ms, a million in 100; the loop takes 9
and 640.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["fisher_yates"]


def fisher_yates(n: int, offset: NDArray[np.int64]) -> NDArray[np.int64]:
    """The numbers 0 .. n-1 after swapping r[i] with r[i + offset[i]] for i = 0, 1, .. n-2.

    offset: (n - 1,) with 0 <= offset[i] < n - i; empty for n = 0. Returns (n,).
    """
    result = np.arange(n, dtype=np.int64)
    if n < 2:
        return result
    target = result.copy()
    target[:-1] += offset  # the last place is its own target
    step = _stable_argsort(target)
    target = target[step]  # now ascending, and the steps of one target in order
    first = np.empty(n, np.bool_)
    first[0] = True
    np.not_equal(target[1:], target[:-1], out=first[1:])

    before = np.empty(n, np.int64)  # the step before with the same target, or the target itself
    before[1:] = step[:-1]
    np.copyto(before, target, where=first)

    # Place -> the last step before its own that filled it, or the place itself. Of several values written to one
    # place the last one stays; a step that is its own target is the last, and hands on the one before it.
    held = result.copy()
    held[target] = np.where(step == target, before, step)
    while True:
        further = held[held]
        if np.array_equal(further, held):
            break
        held = further

    brought = held[before]
    np.copyto(brought, target, where=first)
    result[step] = brought
    return result


def _stable_argsort(x: NDArray[np.int64]) -> NDArray[np.int64]:
    """Like ``np.argsort(x, kind="stable")`` for 0 <= x, 16 bits at a time: each pass is a radix sort."""
    order = np.argsort(x.astype(np.uint16), kind="stable")
    bits = 16
    while x.size >> bits:
        order = order[np.argsort((x[order] >> bits).astype(np.uint16), kind="stable")]
        bits += 16
    return order
