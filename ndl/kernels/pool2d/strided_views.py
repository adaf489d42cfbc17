"""Rung 4: strided views, one view of the picture for each tap of the window.

    v_t[o] = x[o·s − p + a·d]           what all windows see through their tap t = (a, …): a view, nothing is copied
    max     y = max(v_0, v_1, …)        and t where v_t is larger than all before it: the winner's number
    average y = (v_0 + v_1 + …) / k

Backward. The winner's number says through which tap a gradient goes back; the average goes back through all:

    dx[view t] += dy where the winner is t, else 0         (bitwise dy & mask: exact for every dy, inf and nan too)
    dx[view t] += dy / k

If windows do not overlap, each tap writes to places of its own and nothing need be added.

Cost: max k − 1 comparisons and as many maxima per result, average k − 1 additions; backward k masks and additions.
Bytes moved: each pixel is read once for every window that it lies in (from the cache, the work is done in pieces of
PIECE_BYTES on all threads), and a winner is kept in one byte: an eighth of an int64 index. The calls' number is that of
the taps, whatever the size of the picture.

The next rung wins where windows are large and overlap: k = kH·kW taps become kH + kW.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ndl.kernels.pool2d.memory import PLANES, bits, folded, lowest, order_of, over_pieces, start_at_zero, unfolded
from ndl.kernels.pool2d.windows import Windows, first_taps, taps_of
from ndl.kernels.workspace import scratch

__all__ = ["avg_backward", "avg_forward", "let_nan_win", "max_backward", "max_forward"]

EVERY = (slice(None),)
LONG_RUN = 1024  # numbers side by side in memory from which comparisons are as fast as over a dense array


def max_forward(x: np.ndarray, w: Windows, winners: bool) -> tuple[np.ndarray, np.ndarray | None]:
    """y and, if wanted, the numbers of the winning taps. (N, C, *size) → twice (N, C, *output)"""
    order = order_of(x)
    X = folded(x, order)  # (B, *size, c)
    shape = (X.shape[0], *w.output, X.shape[-1])
    Y = np.empty(shape, x.dtype)
    T = np.empty(shape, w.tap_dtype) if winners else None

    def piece(b: slice) -> None:
        if w.inside:
            _max_of_full_windows(X[b], Y[b], None if T is None else T[b], w)
        else:
            _max_of_cut_windows(X[b], Y[b], None if T is None else T[b], w)
        if T is not None and Y.dtype.kind == "f" and np.isnan(np.max(Y[b])):
            let_nan_win(X[b], T[b], w)

    over_pieces(X, piece)
    return unfolded(Y, x, order), None if T is None else unfolded(T, x, order)


def _max_of_full_windows(X: np.ndarray, Y: np.ndarray, T: np.ndarray | None, w: Windows) -> None:
    first, *others = taps_of(w)
    np.copyto(Y, X[EVERY + first.seen])
    if T is not None:
        T[...] = 0
    larger = scratch("pool.larger", Y.shape, np.dtype(bool))
    number = scratch("pool.number", Y.shape, np.dtype(np.uint8) if T is None else T.dtype)
    for t in others:
        v = _in_one_piece(X[EVERY + t.seen])
        if T is not None:
            np.greater(v, Y, out=larger)
            np.multiply(larger.view(np.uint8), T.dtype.type(t.number), out=number)
            np.maximum(T, number, out=T)  # numbers only grow
        np.maximum(v, Y, out=Y)  # of -0 and 0 NumPy takes the second: the first in reading order, as PyTorch


def _in_one_piece(v: np.ndarray) -> np.ndarray:
    """A view of pixels as a dense array, if it is scattered in short runs.

    Each run costs NumPy's copy 15 ns, but its comparisons 40 ns: for runs of 128 numbers a copy and two comparisons of
    dense arrays take half as long as two comparisons of scattered ones.
    """
    if v.strides[-2] == v.shape[-1] * v.itemsize or v.shape[-1] >= LONG_RUN:  # runs are whole rows, or long
        return v
    dense = scratch("pool.dense", v.shape, v.dtype)
    np.copyto(dense, v)
    return dense


def _max_of_cut_windows(X: np.ndarray, Y: np.ndarray, T: np.ndarray | None, w: Windows) -> None:
    """With a border of −∞ all windows are full, and all calls but two run over whole pieces, not row by row."""
    wide = w.with_border()
    bordered = scratch("pool.border", (len(X), *wide.size, X.shape[-1]), X.dtype)
    bordered[...] = lowest(X.dtype)
    bordered[EVERY + w.interior()] = X
    Y[...] = lowest(Y.dtype)
    if T is not None:
        T[...] = first_taps(w)[..., None]  # where all that a window sees is −∞, PyTorch takes the first
    larger = scratch("pool.larger", Y.shape, np.dtype(bool))
    for t in taps_of(wide):
        v = bordered[EVERY + t.seen]
        if T is not None:
            number = scratch("pool.number", T.shape, T.dtype)
            np.greater(v, Y, out=larger)
            np.multiply(larger.view(np.uint8), T.dtype.type(t.number), out=number)
            np.maximum(T, number, out=T)
        np.maximum(v, Y, out=Y)


def let_nan_win(X: np.ndarray, T: np.ndarray, w: Windows) -> None:
    """Correct the winners of a piece that has nan in it: the last nan of a window wins, as in PyTorch."""
    for t in taps_of(w):
        np.copyto(T[EVERY + t.there], T.dtype.type(t.number), where=np.isnan(X[EVERY + t.seen]))


def max_backward(dy: np.ndarray, winners: np.ndarray, w: Windows, order: str = PLANES) -> np.ndarray:
    """dx. (N, C, *output) twice → (N, C, *size)

    ``order`` is the memory order that dx gets (see ``memory``), the one that x had.
    """
    G, T = folded(dy, order), folded(winners, order)  # (B, *output, c)
    DX = np.empty((G.shape[0], *w.size, G.shape[-1]), dy.dtype)
    integer: Any = bits(G).dtype
    wide, inside = w.with_border(), w.inside  # the same windows, if they are inside

    def piece(b: slice) -> None:
        g, numbers = G[b], T[b]
        dx = DX[b] if inside else scratch("pool.border", (len(g), *wide.size, g.shape[-1]), dy.dtype)
        start_at_zero(dx, w)
        won = scratch("pool.larger", g.shape, np.dtype(bool))
        mask = scratch("pool.mask", g.shape, integer)
        minus = won.view(np.int8)
        for t in taps_of(wide):
            target = dx[EVERY + t.seen]
            np.equal(numbers, numbers.dtype.type(t.number), out=won)
            np.negative(minus, out=minus)  # 0 or −1, all bits of which are set in every width
            np.copyto(mask, minus)
            if w.disjoint:
                np.bitwise_and(bits(g), mask, out=bits(target))
            else:
                np.bitwise_and(bits(g), mask, out=mask)
                target += mask.view(dy.dtype)
        if not inside:
            DX[b] = dx[EVERY + w.interior()]

    over_pieces(DX, piece)
    return unfolded(DX, dy, order)


def avg_forward(x: np.ndarray, w: Windows, divisor: np.ndarray) -> np.ndarray:
    """y. (N, C, *size), divisor (*output) or () → (N, C, *output)"""
    order = order_of(x)
    X = folded(x, order)
    Y = np.empty((X.shape[0], *w.output, X.shape[-1]), x.dtype)
    D = divisor.astype(x.dtype)[..., None]

    def piece(b: slice) -> None:
        sums = Y[b]
        sums[...] = 0
        for t in taps_of(w):
            target = sums[EVERY + t.there]
            target += X[b][EVERY + t.seen]
        sums /= D

    over_pieces(X, piece)
    return unfolded(Y, x, order)


def avg_backward(dy: np.ndarray, w: Windows, divisor: np.ndarray, order: str = PLANES) -> np.ndarray:
    """dx. (N, C, *output), divisor (*output) or () → (N, C, *size)

    ``order`` is the memory order that dx gets (see ``memory``), the one that x had.
    """
    G = folded(dy, order)
    DX = np.empty((G.shape[0], *w.size, G.shape[-1]), dy.dtype)
    D = divisor.astype(dy.dtype)[..., None]

    def piece(b: slice) -> None:
        share = scratch("pool.share", G[b].shape, dy.dtype)
        np.divide(G[b], D, out=share)
        dx = DX[b]
        start_at_zero(dx, w)
        for t in taps_of(w):
            target = dx[EVERY + t.seen]
            if w.disjoint:
                target[...] = share[EVERY + t.there]
            else:
                target += share[EVERY + t.there]

    over_pieces(DX, piece)
    return unfolded(DX, dy, order)
