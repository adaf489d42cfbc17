"""Pooling over any number of spatial axes, by way of the 2-d ladder: where windows lie, their divisors, and indices.

Two rungs of the ladder take any number of axes. Which one does the work is up to ``ndl.kernels.pool2d.choose``.
``order`` says how dx is to lie in memory (``order_of`` of the input).

Adaptive pooling fixes the number of windows: window o of m along an axis of n places looks at

    ⌊o·n / m⌋ … ⌈(o + 1)·n / m⌉ − 1

If m divides n these are ordinary windows of n/m places. Otherwise their lengths differ by one and they overlap:
averages then take one axis after the other, and for maxima the places of all windows are laid out one after the
other, the short ones repeating their last place, which changes no maximum.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ndl.kernels.pool2d import choose as ladder
from ndl.kernels.pool2d.memory import PLANES, order_of
from ndl.kernels.pool2d.windows import Sizes, Windows

__all__ = [
    "adaptive_avg_backward",
    "adaptive_avg_forward",
    "adaptive_places",
    "adaptive_windows",
    "avg_backward",
    "avg_forward",
    "divides",
    "divisors",
    "order_of",
    "indices",
    "max_backward",
    "max_forward",
    "output_size",
    "tables",
]


def output_size(
    size: Sizes, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, ceil_mode: bool = False
) -> Sizes:
    """How many windows there are along each axis, ⌊(n + 2p − d(k − 1) − 1) / s⌋ + 1; may be 0 or less.

    ``ceil_mode`` rounds up, but leaves out a window that would start behind the input and its padding in front.
    """
    found = []
    for n, k, s, p, d in zip(size, kernel, stride, padding, dilation):
        room = n + 2 * p - d * (k - 1) - 1
        m = (-(-room // s) if ceil_mode else room // s) + 1
        found.append(m - 1 if ceil_mode and (m - 1) * s >= n + p else m)
    return tuple(found)


def max_forward(x: np.ndarray, w: Windows, winners: bool) -> tuple[np.ndarray, np.ndarray | None]:
    """y and, if wanted, the numbers of the winning taps. (N, C, *size) → twice (N, C, *output)"""
    return ladder.choose_max(w).max_forward(x, w, winners)


def max_backward(dy: np.ndarray, winners: np.ndarray, w: Windows, order: str = PLANES) -> np.ndarray:
    """dx: each dy at the place of its winner. (N, C, *output) twice → (N, C, *size)"""
    return ladder.choose_max(w).max_backward(dy, winners, w, order)


def avg_forward(x: np.ndarray, w: Windows, divisor: np.ndarray) -> np.ndarray:
    """The windows' sums over ``divisor`` (*output) or (). (N, C, *size) → (N, C, *output)"""
    return ladder.choose_avg(w).avg_forward(x, w, divisor)


def avg_backward(dy: np.ndarray, w: Windows, divisor: np.ndarray, order: str = PLANES) -> np.ndarray:
    """dx: each dy over ``divisor`` at all places of its window. (N, C, *output) → (N, C, *size)"""
    return ladder.choose_avg(w).avg_backward(dy, w, divisor, order)


def divisors(w: Windows, count_include_pad: bool) -> np.ndarray:
    """How many places each window averages over: of the padded input, or of the input alone. (*output) or ()"""
    if not any(w.padding) and w.inside:
        return np.array(float(w.taps))
    counts = np.ones(())
    for n, k, s, p, o in zip(w.size, w.kernel, w.stride, w.padding, w.output):
        start = np.arange(o) * s - p
        stop = np.minimum(start + k, n + p)  # with ceil_mode a window may reach past the padding: that never counts
        if not count_include_pad:
            start, stop = np.maximum(start, 0), np.minimum(stop, n)
        counts = counts[..., None] * (stop - start)
    return counts


def tables(w: Windows) -> list[np.ndarray]:
    """For each axis the input place of every output place and tap. (output, kernel) each"""
    return [
        (np.arange(o)[:, None] * s - p + np.arange(k) * d).clip(0, n - 1)
        for n, k, s, p, d, o in zip(w.size, w.kernel, w.stride, w.padding, w.dilation, w.output)
    ]


def indices(winners: np.ndarray, table: Sequence[np.ndarray], size: Sizes) -> np.ndarray:
    """The winners' places in the input, counted through as PyTorch does. (N, C, *output) → the same, int64"""
    taps = winners.astype(np.int64)
    found = np.zeros_like(taps)
    step = 1
    for k in reversed(range(len(size))):
        kernel = table[k].shape[1]
        output = np.arange(table[k].shape[0]).reshape(-1, *[1] * (len(size) - k - 1))
        found += table[k][output, taps % kernel] * step
        taps //= kernel
        step *= size[k]
    return found


# -- adaptive ----------------------------------------------------------------------------------------------------


def adaptive_bounds(n: int, m: int) -> list[tuple[int, int]]:
    """First place and end of each of ``m`` windows over ``n`` places."""
    return [(o * n // m, -(-(o + 1) * n // m)) for o in range(m)]


def adaptive_windows(size: Sizes, output: Sizes) -> Windows:
    """The windows if every output size divides its axis."""
    kernel = tuple(n // m for n, m in zip(size, output))
    return Windows(size, kernel, kernel, (0,) * len(size), (1,) * len(size), output)


def adaptive_places(n: int, m: int) -> np.ndarray:
    """The places of ``m`` windows over ``n`` places, all of one length: short ones repeat their last. (m, length)"""
    bounds = adaptive_bounds(n, m)
    length = max(stop - start for start, stop in bounds)
    return np.array([[min(start + a, stop - 1) for a in range(length)] for start, stop in bounds])


def adaptive_avg_forward(x: np.ndarray, output: Sizes) -> np.ndarray:
    """The average of each adaptive window. (N, C, *size) → (N, C, *output)"""
    for axis, m in enumerate(output, 2):
        every: tuple[Any, ...] = (slice(None),) * axis
        y = np.empty((*x.shape[:axis], m, *x.shape[axis + 1 :]), x.dtype)
        for o, (start, stop) in enumerate(adaptive_bounds(x.shape[axis], m)):
            y[(*every, o)] = x[(*every, slice(start, stop))].sum(axis) / (stop - start)
        x = y
    return x


def adaptive_avg_backward(dy: np.ndarray, size: Sizes) -> np.ndarray:
    """dx: each dy, divided by the size of its window, at all of the window's places. (N, C, *output) → (N, C, *size)"""
    for axis in reversed(range(2, dy.ndim)):
        every: tuple[Any, ...] = (slice(None),) * axis
        n = size[axis - 2]
        dx = np.zeros((*dy.shape[:axis], n, *dy.shape[axis + 1 :]), dy.dtype)
        for o, (start, stop) in enumerate(adaptive_bounds(n, dy.shape[axis])):
            dx[(*every, slice(start, stop))] += np.expand_dims(dy[(*every, o)] / (stop - start), axis)
        dy = dx
    return dy


def divides(size: Sizes, output: Sizes) -> bool:
    """True if adaptive windows are ordinary ones."""
    return all(m and n % m == 0 for n, m in zip(size, output)) and math.prod(size) > 0
