"""Rung 5: one axis after the other.

The largest number of a window is the largest of its rows' largest numbers, and its sum is the sum of its rows' sums.
So pool along one axis, then pool the result along the next:

    max       z[i, j] = max_b x[i, j·s − p + b·d],    y[i, j] = max_a z[i·s − p + a·d, j]     last axis first
    average   z[i, j] = Σ_a x[i·s − p + a·d, j],      y[i, j] = Σ_b z[i, j·s − p + b·d] / divisor

Of equal numbers the first in reading order must win. Rows decide before columns, so a row's own winner is found first,
and the rows are compared last. The number of a winner in row a is a·kW + (its number b within the row).

Backward goes the other way: first dy to the row a that won, along with b, then in that row to the column b. All
windows that hand a gradient to the same place of z found the same b there. An average's gradient is spread along the
last axis first, while it is small, and copied in whole rows at the end.

Cost: kH + kW calls in place of kH·kW; comparisons or additions per result kW·H/Ho + kH (max), kH·W/Wo + kW (average),
where strided views take kH·kW. Bytes moved: as strided views, and z, in the cache. A sum over the whole picture is one
matrix product with a vector of ones.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ndl.kernels.pool2d.memory import PLANES, bits, folded, lowest, order_of, over_pieces, start_at_zero, unfolded
from ndl.kernels.pool2d.strided_views import let_nan_win
from ndl.kernels.pool2d.windows import Windows, taps_of
from ndl.kernels.workspace import scratch

__all__ = ["avg_backward", "avg_forward", "max_backward", "max_forward"]


def max_forward(x: np.ndarray, w: Windows, winners: bool) -> tuple[np.ndarray, np.ndarray | None]:
    """y and, if wanted, the numbers of the winning taps. (N, C, *size) → twice (N, C, *output)"""
    order = order_of(x)
    X = folded(x, order)  # (B, *size, c)
    shape = (X.shape[0], *w.output, X.shape[-1])
    Y = np.empty(shape, x.dtype)
    T = np.empty(shape, w.tap_dtype) if winners else None

    def piece(b: slice) -> None:
        z, numbers = X[b], None
        for k in reversed(range(len(w.size))):
            here = (*z.shape[: k + 1], w.output[k], *z.shape[k + 2 :])
            y = Y[b] if k == 0 else scratch(f"pool.z{k}", here, Y.dtype)
            t = None if T is None else T[b] if k == 0 else scratch(f"pool.t{k}", here, T.dtype)
            _max_along(z, numbers, y, t, w, k)
            z, numbers = y, t
        if T is not None and Y.dtype.kind == "f" and np.isnan(np.max(Y[b])):
            let_nan_win(X[b], T[b], w)

    over_pieces(X, piece)
    return unfolded(Y, x, order), None if T is None else unfolded(T, x, order)


def _max_along(
    z: np.ndarray, numbers: np.ndarray | None, y: np.ndarray, t: np.ndarray | None, w: Windows, k: int
) -> None:
    """y = the maxima of z along axis k; t = the winners' numbers, from their numbers along the axes behind k."""
    (n,), (kernel,), (s,), (p,), (d,), (o,) = w.axis(k)
    radix = math.prod(w.kernel[k + 1 :])
    every: tuple[Any, ...] = (slice(None),) * (k + 1)
    start = np.arange(o) * s - p
    first = np.clip(-(start // d), 0, kernel - 1)  # the tap at which each window enters the input
    places = start + first * d
    np.take(z, places, k + 1, y, mode="clip")
    if (places >= n).any():  # a dilated window may miss a short input altogether
        y[(*every, places >= n)] = lowest(y.dtype)
    if t is not None:
        t[...] = (first * radix).astype(t.dtype).reshape(-1, *[1] * (y.ndim - k - 2))
        if numbers is not None:
            t += numbers.take(places, k + 1, mode="clip")
    for tap in taps_of(w.axis(k)):
        if tap.number == 0:
            continue  # where it sees anything, it was the first
        v, best = z[every + tap.seen], y[every + tap.there]
        if t is not None:
            larger = scratch("pool.larger", best.shape, np.dtype(bool))
            candidate = scratch("pool.number", best.shape, t.dtype)
            np.greater(v, best, out=larger)
            number = t.dtype.type(tap.number * radix)
            if numbers is None:
                np.multiply(larger.view(np.uint8), number, out=candidate)
            else:
                np.add(numbers[every + tap.seen], number, out=candidate)
                np.multiply(candidate, larger.view(np.uint8), out=candidate)
            there = t[every + tap.there]
            np.maximum(there, candidate, out=there)  # numbers only grow
        np.maximum(v, best, out=best)  # of -0 and 0 NumPy takes the second: the first in reading order, as PyTorch


def max_backward(dy: np.ndarray, winners: np.ndarray, w: Windows, order: str = PLANES) -> np.ndarray:
    """dx. (N, C, *output) twice → (N, C, *size)

    ``order`` is the memory order that dx gets (see ``memory``), the one that x had.
    """
    G, T = folded(dy, order), folded(winners, order)  # (B, *output, c)
    DX = np.empty((G.shape[0], *w.size, G.shape[-1]), dy.dtype)

    def piece(b: slice) -> None:
        g, numbers = G[b], T[b]
        last = len(w.size) - 1
        for k in range(last):
            here = (*g.shape[: k + 1], w.size[k], *g.shape[k + 2 :])
            dz, rest = scratch(f"pool.z{k}", here, DX.dtype), scratch(f"pool.t{k}", here, T.dtype)
            along, behind = np.divmod(numbers, T.dtype.type(math.prod(w.kernel[k + 1 :])))
            _max_back_along(g, along, dz, w, k, (behind, rest))
            g, numbers = dz, rest
        _max_back_along(g, numbers, DX[b], w, last)

    over_pieces(DX, piece)
    return unfolded(DX, dy, order)


def _max_back_along(
    g: np.ndarray,
    along: np.ndarray,
    dz: np.ndarray,
    w: Windows,
    k: int,
    handed_on: tuple[np.ndarray, np.ndarray] | None = None,
) -> None:
    """dz += g where its window's winner, number ``along`` of axis k, lies.

    ``handed_on``: the winners' numbers along the axes behind k, and the array that gets them at the same places.
    """
    every = (slice(None),) * (k + 1)
    dz[...] = 0
    if handed_on is not None:
        behind, rest = handed_on
        rest[...] = 0
    integer: Any = bits(g).dtype
    for tap in taps_of(w.axis(k)):
        source, target = every + tap.there, every + tap.seen
        d = g[source]
        won = scratch("pool.larger", d.shape, np.dtype(bool))
        mask = scratch("pool.mask", d.shape, integer)
        np.equal(along[source], along.dtype.type(tap.number), out=won)
        if handed_on is not None:
            np.maximum(rest[target], behind[source] * won.view(np.uint8), out=rest[target])
        minus = won.view(np.int8)
        np.negative(minus, out=minus)  # 0 or −1, all bits of which are set in every width
        np.copyto(mask, minus)
        np.bitwise_and(bits(d), mask, out=mask)
        goal = dz[target]
        goal += mask.view(g.dtype)


def avg_forward(x: np.ndarray, w: Windows, divisor: np.ndarray) -> np.ndarray:
    """y. (N, C, *size), divisor (*output) or () → (N, C, *output)"""
    order = order_of(x)
    X = folded(x, order)
    Y = np.empty((X.shape[0], *w.output, X.shape[-1]), x.dtype)
    D = divisor.astype(x.dtype)[..., None]
    ones = np.ones((1, math.prod(w.size)), x.dtype)

    def piece(b: slice) -> None:
        z = X[b]
        if w.everything:
            z = z.reshape(len(z), math.prod(w.size), z.shape[-1])  # (b, H·W, c)
            sums = z[..., 0] @ ones.T if z.shape[-1] == 1 else ones @ z
            np.divide(sums.reshape(Y[b].shape), D, out=Y[b])
            return
        for k in range(len(w.size)):
            here = (*z.shape[: k + 1], w.output[k], *z.shape[k + 2 :])
            y = Y[b] if k == len(w.size) - 1 else scratch(f"pool.z{k}", here, Y.dtype)
            _sum_along(z, y, w, k)
            z = y
        z /= D

    over_pieces(X, piece)
    return unfolded(Y, x, order)


def _sum_along(z: np.ndarray, y: np.ndarray, w: Windows, k: int) -> None:
    every = (slice(None),) * (k + 1)
    taps = taps_of(w.axis(k))
    if w.axis(k).inside and len(taps) > 1:
        np.add(z[every + taps[0].seen], z[every + taps[1].seen], out=y)
        taps = taps[2:]
    else:
        y[...] = 0
    for tap in taps:
        there = y[every + tap.there]
        there += z[every + tap.seen]


def avg_backward(dy: np.ndarray, w: Windows, divisor: np.ndarray, order: str = PLANES) -> np.ndarray:
    """dx. (N, C, *output), divisor (*output) or () → (N, C, *size)

    ``order`` is the memory order that dx gets (see ``memory``), the one that x had.
    """
    G = folded(dy, order)
    DX = np.empty((G.shape[0], *w.size, G.shape[-1]), dy.dtype)
    D = divisor.astype(dy.dtype)[..., None]

    def piece(b: slice) -> None:
        g = scratch("pool.share", G[b].shape, dy.dtype)
        np.divide(G[b], D, out=g)
        if w.everything:
            DX[b] = g
            return
        for k in reversed(range(len(w.size))):
            here = (*g.shape[: k + 1], w.size[k], *g.shape[k + 2 :])
            dz = DX[b] if k == 0 else scratch(f"pool.z{k}", here, DX.dtype)
            _spread_along(g, dz, w, k)
            g = dz

    over_pieces(DX, piece)
    return unfolded(DX, dy, order)


def _spread_along(g: np.ndarray, dz: np.ndarray, w: Windows, k: int) -> None:
    every = (slice(None),) * (k + 1)
    axis = w.axis(k)
    start_at_zero(dz, axis)
    for tap in taps_of(axis):
        source, target = every + tap.there, every + tap.seen
        if axis.disjoint:
            dz[target] = g[source]
        else:
            goal = dz[target]
            goal += g[source]
