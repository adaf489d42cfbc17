"""The activations with a kink: a line above it, another line or an exponential below.

    function     y                                      slope
    elu          c x where x > 0, else k (e^bx − 1)     c, k b e^bx
    leak         x where x > 0, else a x                1, a
    hardswish    x min(max(x + 3, 0), 6) / 6            0 where x ≤ −3, x/3 + ½ where x < 3, else 1

Each works on large arrays in pieces that stay in the cache. A branch for each element would cost more than both sides do,
so both are computed, and the right one is picked as a larger or smaller of two, or bit by bit.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ndl.kernels.pieces import in_pieces, keep_bits, row_of, select, zeros
from ndl.kernels.workspace import scratch

__all__ = ["elu", "elu_slope", "hardswish", "hardswish_slope", "keep_if", "leak", "leak_slope", "positive_or"]


def _temporary(x: NDArray, number: int = 1) -> NDArray:
    return scratch("activation", (number, x.size), x.dtype)


def elu(x: NDArray, k: float, c: float, b: float, out: NDArray | None = None) -> NDArray:
    """c x where x > 0, else k (e^bx − 1); out may be x."""

    def kernel(x: NDArray, y: NDArray) -> None:
        (e,) = _temporary(x)
        np.minimum(x, zeros(x), out=e)
        if b != 1:
            e *= b
        np.expm1(e, out=e)
        if k != 1:
            e *= k
        if c == 1 and k >= 0 and 0 <= k * b <= 1:
            np.maximum(x, e, out=y)  # k (e^bx − 1) ≥ k b x ≥ x below 0, and it is 0 above
            return
        np.maximum(x, zeros(x), out=y)
        y *= c
        y += e

    return in_pieces(kernel, x, out=out)[0]


def elu_slope(dy: NDArray, x: NDArray, k: float, c: float, b: float, out: NDArray | None = None) -> NDArray:
    """dy c where x > 0, else dy k b e^bx; a nan passes the gradient as if it were positive. out may be dy."""
    below = k * b

    def kernel(dy: NDArray, x: NDArray, dx: NDArray) -> None:
        (s,) = _temporary(x)
        np.fmin(x, zeros(x), out=s)
        np.multiply(s, b, out=s)
        np.exp(s, out=s)  # 1 where x > 0
        if below != 1:
            s *= below
        if c != below:
            select(x <= 0, s, row_of(c, x), s)
        np.multiply(dy, s, out=dx)

    return in_pieces(kernel, dy, x, out=out)[0]


def leak(x: NDArray, a: float, out: NDArray | None = None) -> NDArray:
    """x where x > 0, else a x; out may be x. For a ≤ 1 that is the larger of the two, but ∞ · 0 is nan."""

    def kernel(x: NDArray, y: NDArray) -> None:
        (below,) = _temporary(x)
        np.multiply(x, a, out=below)
        if a != 0 and a <= 1:
            np.maximum(x, below, out=y)
        else:
            select(x > 0, x, below, y)

    return in_pieces(kernel, x, out=out)[0]


def leak_slope(dy: NDArray, x: NDArray, a: float, out: NDArray | None = None) -> NDArray:
    """dy where x > 0, else a dy; out may be dy."""

    def kernel(dy: NDArray, x: NDArray, dx: NDArray) -> None:
        (s,) = _temporary(x)
        if 0 <= a <= 1:
            np.copyto(s, x > 0)
            np.maximum(s, row_of(a, x), out=s)
        else:
            select(x > 0, row_of(1, x), row_of(a, x), s)
        np.multiply(dy, s, out=dx)

    return in_pieces(kernel, dy, x, out=out)[0]


def positive_or(x: NDArray, a: NDArray, b: NDArray) -> NDArray:
    """a where x > 0, else b."""
    return in_pieces(lambda x, a, b, y: select(x > 0, a, b, y), x, a, b)[0]


def hardswish(x: NDArray) -> NDArray:
    """x min(max(x + 3, 0), 6) / 6."""

    def kernel(x: NDArray, y: NDArray) -> None:
        np.add(x, 3, out=y)
        np.clip(y, 0, 6, out=y)
        y *= x
        y /= 6

    return in_pieces(kernel, x)[0]


def hardswish_slope(dy: NDArray, x: NDArray, out: NDArray | None = None) -> NDArray:
    """0 where x ≤ −3, dy (x/3 + ½) where x < 3, dy above; out may be dy."""

    def kernel(dy: NDArray, x: NDArray, dx: NDArray) -> None:
        s, half = _temporary(x, 2)
        np.fmin(x, row_of(3, x), out=s)  # 3 for nan
        s /= 3
        np.copyto(half, x < 3)
        half *= 0.5
        s += half  # x/3 + ½, or 1
        np.multiply(dy, s, out=dx)
        keep_bits(dx, np.logical_not(x <= -3), dx)

    return in_pieces(kernel, dy, x, out=out)[0]


def keep_if(
    dy: NDArray, x: NDArray, test: Callable[[NDArray], NDArray], factor: float = 1, out: NDArray | None = None
) -> NDArray:
    """dy · factor where ``test(x)``, else exactly 0, also where dy is infinite or nan; out may be dy."""

    def kernel(dy: NDArray, x: NDArray, dx: NDArray) -> None:
        if factor != 1:
            dy = np.multiply(dy, factor, out=dx)
        keep_bits(dy, test(x), dx)

    return in_pieces(kernel, dy, x, out=out)[0]
