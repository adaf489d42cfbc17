"""Rung 1: four loops, the definition written down.

For each picture n, channel c and output place (i, j) the window is what lies at

    rows i·s − p + a·d, columns j·s − p + b·d          inside the picture; what lies outside takes no part

    max       y[n, c, i, j] = the largest number of the window;  the tap (a, b) it was found at is the winner
    average   y[n, c, i, j] = Σ of the window / divisor[i, j]

Backward. A pixel may be in several windows and gets the sum of their gradients, hence ``+=``:

    max       dx[n, c, the winner's place] += dy[n, c, i, j]
    average   dx[n, c, the window]         += dy[n, c, i, j] / divisor[i, j]

Cost of each pass: N·C·Ho·Wo · kH·kW comparisons or additions, the same on the first four rungs. Bytes moved: one
window per output number. Neither matters: a 2x2 window is four numbers, and costs a round trip through the interpreter
of some ten microseconds.

The next rung takes the same window of all pictures in one call: N times fewer round trips.
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
    for n in range(N):
        for c in range(C):
            for i in range(w.output[0]):
                for j in range(w.output[1]):
                    (a, b), (rows, columns) = window(w, (i, j))
                    seen = x[n, c, rows, columns]
                    if seen.size:
                        row, column = divmod(int(largest(seen, 2)), seen.shape[1])
                        y[n, c, i, j] = seen[row, column]
                        T[n, c, i, j] = (a + row) * w.kernel[1] + b + column
    return y, T if winners else None


def max_backward(dy: np.ndarray, winners: np.ndarray, w: Windows, order: str = PLANES) -> np.ndarray:
    """dx. (N, C, Ho, Wo) twice → (N, C, H, W); always in planes."""
    N, C = dy.shape[:2]
    dx = np.zeros((N, C, *w.size), dy.dtype)
    for n in range(N):
        for c in range(C):
            for i in range(w.output[0]):
                for j in range(w.output[1]):
                    (a, b), (rows, columns) = window(w, (i, j))
                    seen = dx[n, c, rows, columns]  # a view: += reaches dx
                    if seen.size:
                        row, column = divmod(int(winners[n, c, i, j]), w.kernel[1])
                        seen[row - a, column - b] += dy[n, c, i, j]
    return dx


def avg_forward(x: np.ndarray, w: Windows, divisor: np.ndarray) -> np.ndarray:
    """y. (N, C, H, W), divisor (Ho, Wo) or () → (N, C, Ho, Wo)"""
    N, C = x.shape[:2]
    divisor = np.broadcast_to(divisor, w.output)
    y = np.empty((N, C, *w.output), x.dtype)
    for n in range(N):
        for c in range(C):
            for i in range(w.output[0]):
                for j in range(w.output[1]):
                    _, (rows, columns) = window(w, (i, j))
                    y[n, c, i, j] = x[n, c, rows, columns].sum() / divisor[i, j]
    return y


def avg_backward(dy: np.ndarray, w: Windows, divisor: np.ndarray, order: str = PLANES) -> np.ndarray:
    """dx. (N, C, Ho, Wo), divisor (Ho, Wo) or () → (N, C, H, W); always in planes."""
    N, C = dy.shape[:2]
    divisor = np.broadcast_to(divisor, w.output)
    dx = np.zeros((N, C, *w.size), dy.dtype)
    for n in range(N):
        for c in range(C):
            for i in range(w.output[0]):
                for j in range(w.output[1]):
                    _, (rows, columns) = window(w, (i, j))
                    dx[n, c, rows, columns] += dy[n, c, i, j] / divisor[i, j]
    return dx
