"""Rung 3: two loops, all pictures and all channels in one call.

For one place (i, j) every picture and every channel has the same window:

    max       y[:, :, i, j] = the largest number of x[:, :, window];   dx[n, c, winner of n, c] += dy[n, c, i, j]
    average   y[:, :, i, j] = Σ x[:, :, window] / divisor;             dx[:, :, window] += dy[:, :, i, j] / divisor

Cost: as many comparisons and additions as rung 1. Bytes moved: as rung 1, and the places of the winners, 8 bytes for
each. There are Ho·Wo round trips through the interpreter, 256 for a picture of 32 x 32, and each works on windows of a
few numbers, which NumPy has to walk through one by one: its inner loops are as long as the window's row.

The next rung turns the order round: it loops over the few taps of the window, and each call runs over all places.
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
    pictures, channels = np.ogrid[:N, :C]
    for i in range(w.output[0]):
        for j in range(w.output[1]):
            (a, b), (rows, columns) = window(w, (i, j))
            seen = x[:, :, rows, columns]  # (N, C, up to kH, up to kW)
            if seen.size:
                row, column = np.divmod(largest(seen, 2), seen.shape[3])  # (N, C) each
                y[:, :, i, j] = seen[pictures, channels, row, column]
                T[:, :, i, j] = (a + row) * w.kernel[1] + b + column
    return y, T if winners else None


def max_backward(dy: np.ndarray, winners: np.ndarray, w: Windows, order: str = PLANES) -> np.ndarray:
    """dx. (N, C, Ho, Wo) twice → (N, C, H, W); always in planes."""
    N, C = dy.shape[:2]
    dx = np.zeros((N, C, *w.size), dy.dtype)
    pictures, channels = np.ogrid[:N, :C]
    for i in range(w.output[0]):
        for j in range(w.output[1]):
            (a, b), (rows, columns) = window(w, (i, j))
            seen = dx[:, :, rows, columns]  # a view: += reaches dx
            if seen.size:
                row, column = np.divmod(winners[:, :, i, j].astype(np.int64), w.kernel[1])
                seen[pictures, channels, row - a, column - b] += dy[:, :, i, j]
    return dx


def avg_forward(x: np.ndarray, w: Windows, divisor: np.ndarray) -> np.ndarray:
    """y. (N, C, H, W), divisor (Ho, Wo) or () → (N, C, Ho, Wo)"""
    N, C = x.shape[:2]
    divisor = np.broadcast_to(divisor, w.output)
    y = np.empty((N, C, *w.output), x.dtype)
    for i in range(w.output[0]):
        for j in range(w.output[1]):
            _, (rows, columns) = window(w, (i, j))
            y[:, :, i, j] = x[:, :, rows, columns].sum((2, 3)) / divisor[i, j]
    return y


def avg_backward(dy: np.ndarray, w: Windows, divisor: np.ndarray, order: str = PLANES) -> np.ndarray:
    """dx. (N, C, Ho, Wo), divisor (Ho, Wo) or () → (N, C, H, W); always in planes."""
    N, C = dy.shape[:2]
    divisor = np.broadcast_to(divisor, w.output)
    dx = np.zeros((N, C, *w.size), dy.dtype)
    for i in range(w.output[0]):
        for j in range(w.output[1]):
            _, (rows, columns) = window(w, (i, j))
            dx[:, :, rows, columns] += (dy[:, :, i, j] / divisor[i, j])[:, :, None, None]
    return dx
