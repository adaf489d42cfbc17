"""Reading pictures at the places of a grid, and adding at them: ``grid_sample`` and its gradients, on arrays.

The formulas are in ``ndl.nn.grid_sample``. What costs is gathering and adding at places, so everything else is kept small:

- Each picture gets a border of ``EDGE`` zeros, and a place outside is moved there: no test whether a place is inside.
- A place is one number, counted through the pictures of a few samples; the corners lie a constant number further.
- Planes of channels are read with ``take`` (½ ns a number) and added to with ``np.add.at``, which is fast (1 ns)
  where picture, places and values are all one row. Pieces of planes stay in the cache.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

from ndl.kernels.threads import parallel_for
from ndl.kernels.workspace import scratch

__all__ = ["Places", "interior", "padded_size", "read", "read_gradients", "tap_weights"]

PIECE = 1 << 17  # numbers that are read, weighted and added before the next ones are fetched
GRAIN = 1 << 17  # numbers for which waking a thread pays
EDGE = 2  # zeros round a picture: a tap, and the one after it, may lie outside

Options = tuple[str, str, bool]  # mode, padding, align_corners


@dataclass(frozen=True, eq=False)
class Axis:
    """Where a grid reads along one axis: p = A g + B, t = p − i; taps: K arrays (P) of places, counted from the border."""

    A: Any  # (P), or one number for all
    B: Any
    i: np.ndarray
    taps: list[np.ndarray]

    def offset(self, g: Any) -> Any:
        """t, for this axis's column of the grid."""
        return g * self.A + (self.B - self.i)


def _axes(g: np.ndarray, size: list[int], options: Options) -> list[Axis]:
    """Where a grid reads along each axis of the picture; g: (d, P), its columns in the order of these axes."""
    with np.errstate(all="ignore"):
        return [_axis(column, n, *options) for column, n in zip(g, size)]


def _axis(g: np.ndarray, n: int, mode: str, padding: str, align_corners: bool) -> Axis:
    T = g.dtype.type
    A, B = T((n - 1) / 2 if align_corners else n / 2), T((n - 1) / 2)
    p = g + 1  # A g + B in PyTorch's order, so that both round to the same side of a pixel
    p *= A
    if not align_corners:
        p -= T(0.5)
    if mode != "bicubic":
        p, A, B = _padded(p, A, B, n, padding, align_corners)
        i = np.rint(p) if mode == "nearest" else np.floor(p)
        first = _whole(i, n)
        return Axis(A, B, i, [first] if mode == "nearest" else [first, first + 1])
    i = np.floor(p)
    taps = []
    for k in range(-1, 3):
        q, _, _ = _padded(i + k, A, B, n, padding, align_corners)
        taps.append(_whole(np.trunc(q) if padding != "zeros" else q, n))
    return Axis(A, B, i, taps)


def _whole(p: np.ndarray, n: int) -> np.ndarray:
    """Whole numbers as places in the picture with its border; what is outside, and nan, goes to the border."""
    q = np.clip(p, -EDGE, n)
    if q.size and np.isnan(q.min()):
        q = np.where(np.isnan(q), -EDGE, q)
    places = q.astype(np.intp)
    places += EDGE
    return places


def _padded(p: np.ndarray, A: Any, B: Any, n: int, padding: str, align_corners: bool) -> tuple[np.ndarray, Any, Any]:
    """p moved inside, with the A and B that say how p now depends on g."""
    if padding == "zeros":
        return p, A, B
    if padding == "reflection":
        low, span = (0.0, n - 1.0) if align_corners else (-0.5, float(n))
        if span == 0:
            return np.zeros_like(p), np.zeros_like(p), np.zeros_like(p)
        z = np.abs(p - low)
        sign = np.where(p < low, -1, 1)
        flips = np.floor(z / span)
        rest = np.fmod(z, span)
        back = flips % 2 == 1
        # p = ±z + low, z = flips · span + rest: what is reflected back runs the other way.
        moved = np.where(back, span - rest, rest) + low
        slope = np.where(back, -sign, sign)
        B = np.where(back, span + flips * span, -flips * span) + low + slope * (B - low)
        A, p, B = (slope * A).astype(p.dtype), moved.astype(p.dtype), B.astype(p.dtype)
    held = ~((p > 0) & (p < n - 1))  # the border itself counts as outside
    p = np.fmax(p, 0).clip(0, n - 1)  # a nan goes to 0
    return p, np.where(held, 0, A), np.where(held, p, B)


def tap_weights(t: Any, mode: str) -> tuple[list[Any], list[Any]]:
    """The weights of the taps at t, and their derivatives."""
    if mode == "nearest":
        return [1], [0]
    if mode == "bilinear":
        return [1 - t, t], [-1, 1]
    A = -0.75
    far = lambda u: ((A * u - 5 * A) * u + 8 * A) * u - 4 * A  # 1 <= u <= 2
    near = lambda u: ((A + 2) * u - (A + 3)) * u * u + 1  # 0 <= u <= 1
    dfar = lambda u: (3 * A * u - 10 * A) * u + 8 * A
    dnear = lambda u: (3 * (A + 2) * u - 2 * (A + 3)) * u
    return (
        [far(t + 1), near(t), near(1 - t), far(2 - t)],
        [dfar(t + 1), dnear(t), -dnear(1 - t), -dfar(2 - t)],
    )


def padded_size(size: list[int]) -> list[int]:
    """The picture's size with its border."""
    return [n + 2 * EDGE for n in size]


def interior(x: np.ndarray, d: int) -> np.ndarray:
    """A view without the border of the last d axes."""
    inside: Any = (..., *[slice(EDGE, -EDGE)] * d)
    return x[inside]


class Places:
    """Where n samples' grids (n, O, d) read, and how much: ``axes``, and for each corner k the pixels (P = n O).

    A pixel is its number in the n pictures with borders, laid end to end. A weight is an array (P), or 1 for "nearest".
    """

    def __init__(self, grid: np.ndarray, size: list[int], options: Options) -> None:
        n, O, d = grid.shape
        g = np.ascontiguousarray(grid.reshape(n * O, d).T[::-1])  # (d, P), in the order of the picture's axes
        self.axes = _axes(g, size, options)
        both = [tap_weights(axis.offset(column), options[0]) for axis, column in zip(self.axes, g)]
        self.w, self.slope = [b[0] for b in both], [b[1] for b in both]
        padded = padded_size(size)
        steps = [[tap * math.prod(padded[a + 1 :]) for tap in axis.taps] for a, axis in enumerate(self.axes)]
        for step in steps[0]:
            step += np.repeat(np.arange(n) * math.prod(padded), O)  # where each sample begins
        self.corners = list(itertools.product(*[range(len(axis.taps)) for axis in self.axes]))
        self.pixels = [reduce(np.add, [steps[a][k] for a, k in enumerate(corner)]) for corner in self.corners]

    def weight(self, corner: tuple[int, ...], without: int | None = None) -> Any:
        """Π_a w_a[k_a], or the product for all axes but one."""
        return math.prod(self.w[a][k] for a, k in enumerate(corner) if a != without)


def read(x: np.ndarray, grid: np.ndarray, options: Options) -> np.ndarray:
    """y_c = Σ_k Π_a w_a[k_a] · x_c[i + k]: (N, C, …), (N, O, d) -> (N, C, O)."""
    N, C, *size = x.shape
    O = grid.shape[1]
    y = np.empty((N, C, O), x.dtype)

    def samples(n: slice) -> None:
        places = Places(grid[n], size, options)
        weights = [places.weight(corner) for corner in places.corners]
        for c in _channels(y[n]):
            X = _planes(x[n, c])  # (C, pixels)
            total, term = scratch("grid_sample.read", (2, len(X), len(grid[n]) * O), x.dtype)  # (C, P) each
            for number, (pixels, weight) in enumerate(zip(places.pixels, weights)):
                X.take(pixels, axis=1, out=term if number else total, mode="wrap")  # "raise" would copy
                if number:
                    term *= weight
                    total += term
                elif options[0] != "nearest":
                    total *= weight
            y[n, c] = total.reshape(len(X), len(grid[n]), O).swapaxes(0, 1)

    _samples(y, samples)
    return y


def read_gradients(
    dy: np.ndarray, x: np.ndarray, grid: np.ndarray, options: Options, need_dx: bool, need_dgrid: bool
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """(dx, dgrid) of ``read``, from dy (N, C, O); dgrid not for "nearest", which gives the grid zeros."""
    N, _, *size = x.shape
    O, d = grid.shape[1:]
    dx = np.empty_like(x, order="C") if need_dx else None
    dgrid = np.empty((N, O, d), x.dtype) if need_dgrid else None

    def samples(n: slice) -> None:
        places = Places(grid[n], size, options)
        weights = [places.weight(corner) for corner in places.corners]
        dots = np.zeros((len(weights), len(grid[n]) * O), x.dtype)  # Σ_c dy_c x_c[i + k] for each corner
        for c in _channels(dy[n]):
            D = dy[n, c].swapaxes(0, 1)  # (C, n, O)
            D = D.reshape(len(D), dots.shape[1])  # (C, P)
            term = scratch("grid_sample.term", D.shape, x.dtype)
            if need_dgrid:
                X = _planes(x[n, c])  # (C, pixels)
                for dot, pixels in zip(dots, places.pixels):
                    X.take(pixels, axis=1, out=term, mode="wrap")
                    term *= D
                    dot += np.ones(len(D), x.dtype) @ term
            if dx is not None:
                dX = np.zeros((len(D), len(grid[n]), *padded_size(size)), x.dtype)
                plane = np.arange(len(D))[:, None] * dX[0].size  # where each channel's plane begins
                for pixels, weight in zip(places.pixels, weights):
                    np.multiply(D, weight, out=term)
                    np.add.at(dX.reshape(-1), (plane + pixels).reshape(-1), term.reshape(-1))
                dx[n, c] = interior(dX, d).swapaxes(0, 1)
        if dgrid is not None:
            dp = np.zeros((d, dots.shape[1]), x.dtype)
            for dot, corner in zip(dots, places.corners):
                for a, k in enumerate(corner):
                    dp[a] += dot * places.slope[a][k] * places.weight(corner, without=a)
            for a, axis in enumerate(places.axes):
                dgrid[n, :, -1 - a] = (dp[a] * axis.A).reshape(len(grid[n]), O)

    _samples(dy, samples)
    return dx, dgrid


def _samples(y: np.ndarray, body: Callable[[slice], None]) -> None:
    """``body`` for slices of the samples of y (N, C, O), of about ``PIECE`` numbers, on the house's threads."""
    size = max(1, y.shape[1] * y.shape[2])
    step = max(1, PIECE // size)

    def share(start: int, stop: int) -> None:
        for a in range(start, stop, step):
            body(slice(a, min(a + step, stop)))

    parallel_for(len(y), share, grain=max(1, GRAIN // size))


def _channels(y: np.ndarray) -> Iterator[slice]:
    """Slices of the channels of y (n, C, O), of about ``PIECE`` numbers."""
    n, C, O = y.shape
    step = max(1, PIECE // max(1, n * O))
    return (slice(c, c + step) for c in range(0, C, step))


def _planes(x: np.ndarray) -> np.ndarray:
    """(n, C, …) -> (C, pixels) in scratch memory: each channel's n pictures with their borders, end to end."""
    n, C, *size = x.shape
    X = scratch("grid_sample.planes", (C, n, *padded_size(size)), x.dtype)
    X.fill(0)
    interior(X, len(size))[...] = x.swapaxes(0, 1)
    return X.reshape(C, -1)
