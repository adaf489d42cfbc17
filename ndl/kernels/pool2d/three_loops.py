"""Rung 2: three loops, the whole batch in one call.

The same sums and maxima as rung 1, for one channel c and one place (i, j), but for all N pictures together:

    max       y[:, c, i, j] = the largest number of x[:, c, window];   dx[n, c, winner of n] += dy[n, c, i, j]
    average   y[:, c, i, j] = Σ x[:, c, window] / divisor;             dx[:, c, window] += dy[:, c, i, j] / divisor

Every picture has a winner of its own, so the gradients of one call go to N different places and no two of them meet.

Cost: as many comparisons and additions as rung 1. Bytes moved: as rung 1, but the numbers of one call lie in N
different pictures, far apart in memory. There are C·Ho·Wo round trips through the interpreter.

The next rung takes all channels at once too: Ho·Wo round trips.
"""

from __future__ import annotations

import numpy as np

from ndl.kernels.pool2d.memory import PLANES, lowest
from ndl.kernels.pool2d.windows import Windows, first_taps, largest, window


def max_forward(x: np.ndarray, w: Windows, winners: bool) -> tuple[np.ndarray, np.ndarray | None]:
    """y and, if wanted, the numbers of the winning taps. (N, C, H, W) → twice (N, C, Ho, Wo)"""
    N, C = x.shape[:2]
    y = np.full((N, C, *w.output), lowest(x.dtype), x.dtype)
    T = np.broadcast_to(first_taps(w), y.shape).copy()
    pictures = np.arange(N)
    for c in range(C):
        for i in range(w.output[0]):
            for j in range(w.output[1]):
                (a, b), (rows, columns) = window(w, (i, j))
                seen = x[:, c, rows, columns]  # (N, up to kH, up to kW)
                if seen.size:
                    row, column = np.divmod(largest(seen, 2), seen.shape[2])  # (N,) each
                    y[:, c, i, j] = seen[pictures, row, column]
                    T[:, c, i, j] = (a + row) * w.kernel[1] + b + column
    return y, T if winners else None


def max_backward(dy: np.ndarray, winners: np.ndarray, w: Windows, order: str = PLANES) -> np.ndarray:
    """dx. (N, C, Ho, Wo) twice → (N, C, H, W); always in planes."""
    N, C = dy.shape[:2]
    dx = np.zeros((N, C, *w.size), dy.dtype)
    pictures = np.arange(N)
    for c in range(C):
        for i in range(w.output[0]):
            for j in range(w.output[1]):
                (a, b), (rows, columns) = window(w, (i, j))
                seen = dx[:, c, rows, columns]  # a view: += reaches dx
                if seen.size:
                    row, column = np.divmod(winners[:, c, i, j].astype(np.int64), w.kernel[1])
                    seen[pictures, row - a, column - b] += dy[:, c, i, j]
    return dx


def avg_forward(x: np.ndarray, w: Windows, divisor: np.ndarray) -> np.ndarray:
    """y. (N, C, H, W), divisor (Ho, Wo) or () → (N, C, Ho, Wo)"""
    N, C = x.shape[:2]
    divisor = np.broadcast_to(divisor, w.output)
    y = np.empty((N, C, *w.output), x.dtype)
    for c in range(C):
        for i in range(w.output[0]):
            for j in range(w.output[1]):
                _, (rows, columns) = window(w, (i, j))
                y[:, c, i, j] = x[:, c, rows, columns].sum((1, 2)) / divisor[i, j]
    return y


def avg_backward(dy: np.ndarray, w: Windows, divisor: np.ndarray, order: str = PLANES) -> np.ndarray:
    """dx. (N, C, Ho, Wo), divisor (Ho, Wo) or () → (N, C, H, W); always in planes."""
    N, C = dy.shape[:2]
    divisor = np.broadcast_to(divisor, w.output)
    dx = np.zeros((N, C, *w.size), dy.dtype)
    for c in range(C):
        for i in range(w.output[0]):
            for j in range(w.output[1]):
                _, (rows, columns) = window(w, (i, j))
                dx[:, c, rows, columns] += (dy[:, c, i, j] / divisor[i, j])[:, None, None]
    return dx
