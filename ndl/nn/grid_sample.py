"""Grid sampling: a picture read at any places, between the pixels too, with gradients for picture and places.

A place g in [−1, 1] is pixel coordinate p = A g + B along each axis (size n):

    corners not aligned   p = ((g + 1) n − 1) / 2         corners aligned   p = (g + 1) (n − 1) / 2

and padding moves what lies outside: to the border (p constant, A = 0), or reflected (A and B change sign and place). Then
with i = ⌊p⌋ and t = p − i, along each axis a the taps i_a + k have weights w_a[k](t_a):

    bilinear   1 − t, t                    nearest   1 at the nearest pixel              bicubic   Keys's, A = −¾

    y_c = Σ_k Π_a w_a[k_a] · x_c[i + k]                                  0 where i + k is outside, with padding zeros
    dx_c[i + k] += Π_a w_a[k_a] · dy_c
    dp_a = Σ_k (Σ_c dy_c x_c[i + k]) · w_a′[k_a] Π_{b≠a} w_b[k_b]        dg_a = A_a dp_a

Bicubic pads each of its 4 taps instead of p. Jaderberg et al., "Spatial Transformer Networks", 2015.
"""

from __future__ import annotations

import itertools
import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from ndl.autograd.dtypes import as_dtype
from ndl.autograd.function import ArrayFunction
from ndl.kernels.threads import parallel_for
from ndl.nn.affine_grid import BEHAVIOUR
from ndl.ops.places import Index, Spread
from ndl.ops.promotion import array_of

__all__ = ["grid_sample", "grid_sampler", "grid_sampler_2d", "grid_sampler_3d"]

MODES = ("bilinear", "nearest", "bicubic")
PADDINGS = ("zeros", "border", "reflection")
PIECE = 1 << 15  # numbers that are read, weighted and added before the next ones are fetched


@dataclass(frozen=True, eq=False)
class Axis:
    """Where a grid reads along one axis: p = A g + B, taps at ``places`` (P, K), −1 for a place outside; t = p − i."""

    A: np.ndarray
    B: np.ndarray
    i: np.ndarray
    places: np.ndarray


class GridSample(ArrayFunction):
    """y = x read at the places of a grid; dx and dgrid as the module's text derives them."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, grid: np.ndarray, mode: str, padding: str, align_corners: bool) -> np.ndarray:
        N, C, *size = x.shape
        d, space = len(size), grid.shape[1:-1]
        ctx.mode, ctx.padding, ctx.align_corners = mode, padding, align_corners
        ctx.save_for_backward(x, grid)
        wide = np.float32 if x.dtype == np.float16 else x.dtype
        g = grid.astype(wide, copy=False).reshape(N * math.prod(space), d)  # (P, d), P places of all samples
        axes = _axes(g, size, mode, padding, align_corners)
        rows = _rows(x).astype(wide, copy=False)  # (N·S + 1, C)
        weights = [_weights(_offset(g, a, axis), mode)[0] for a, axis in enumerate(axes)]
        parts = []
        for corner, places in _corners(axes, N, size):
            parts.append((places, math.prod(weights[a][k] for a, k in enumerate(corner))[:, None]))
        y = _weighted_rows(rows, parts, len(g))  # (P, C)
        planes = y.astype(x.dtype, copy=False).reshape(N, math.prod(space), C).swapaxes(1, 2)
        return np.ascontiguousarray(planes).reshape(N, C, *space)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        x, grid = ctx.saved_tensors
        N, C, *size = x.shape
        d, O = len(size), math.prod(grid.shape[1:-1])  # outputs of one sample
        g = grid.reshape(N * O, d)  # (P, d)
        axes = _axes(array_of(g), size, ctx.mode, ctx.padding, ctx.align_corners)
        rows = _rows(x)  # (N·S + 1, C)
        drows = dy.reshape(N, C, O).swapaxes(1, 2).reshape(N * O, C)  # (P, C)
        both = [_weights(_offset(g, a, axis), ctx.mode) for a, axis in enumerate(axes)]
        w, slope = [b[0] for b in both], [b[1] for b in both]
        dx: Any = 0
        dp: list[Any] = [0] * d
        for corner, places in _corners(axes, N, size):
            if ctx.needs_input_grad[0]:
                weight = math.prod(w[a][k] for a, k in enumerate(corner))  # (P)
                dx = dx + Spread.apply(drows * weight[:, None], rows.shape, (0,), places)  # (N·S + 1, C)
            if ctx.needs_input_grad[1] and ctx.mode != "nearest":
                by_weight = (drows * Index.apply(rows, (0,), places)).sum(-1)  # (P)
                for a, k in enumerate(corner):
                    others = math.prod(w[b][m] for b, m in enumerate(corner) if b != a)
                    dp[a] = dp[a] + by_weight * slope[a][k] * others
        dgrid = None
        if ctx.needs_input_grad[1]:
            if ctx.mode == "nearest":
                dgrid = np.zeros(grid.shape, array_of(grid).dtype)
            else:
                columns = [(dp[a] * axes[a].A)[:, None] for a in reversed(range(d))]  # the last axis is x, and first
                dgrid = np.concatenate(columns, 1).reshape(grid.shape)
        if not ctx.needs_input_grad[0]:
            return None, dgrid, None, None, None
        dx = dx[:-1].reshape(N, math.prod(size), C).swapaxes(1, 2)  # (N, C, S), without the row of zeros
        return dx.reshape(N, C, *size), dgrid, None, None, None


def _rows(x: Any) -> Any:
    """The pixels of all samples as rows of C channels, and a last row of zeros for what lies outside."""
    N, C, *size = x.shape
    S = math.prod(size)
    rows = x.reshape(N, C, S).swapaxes(1, 2).reshape(N * S, C)
    return np.concatenate([rows, np.zeros((1, C), array_of(x).dtype)], 0)


def _weighted_rows(rows: np.ndarray, parts: list[tuple[np.ndarray, np.ndarray]], P: int) -> np.ndarray:
    """Σ_k w_k · rows[places_k] for P places, in pieces that stay in the cache, on the house's threads."""
    C = rows.shape[1]
    y = np.empty((P, C), rows.dtype)
    piece = max(PIECE // max(C, 1), 1)

    def share(start: int, stop: int) -> None:
        term = np.empty((min(piece, stop - start), C), rows.dtype)
        for a in range(start, stop, piece):
            b = min(a + piece, stop)
            for n, (places, w) in enumerate(parts):
                target = term[: b - a] if n else y[a:b]
                rows.take(places[a:b], axis=0, out=target, mode="clip")  # every place is there; "raise" would copy
                target *= w[a:b]
                if n:
                    y[a:b] += target

    parallel_for(P, share, grain=piece)
    return y


def _corners(axes: list[Axis], N: int, size: list[int]) -> Any:
    """For each choice of one tap from each axis: the choice, and the row of every place."""
    P = len(axes[0].i)
    sample = np.repeat(np.arange(N), P // N) if N else np.zeros(0, np.int64)
    for corner in itertools.product(*[range(axis.places.shape[1]) for axis in axes]):
        row, outside = sample, np.zeros(P, bool)
        for axis, k, n in zip(axes, corner, size):
            row = row * n + axis.places[:, k]
            outside |= axis.places[:, k] < 0
        yield corner, np.where(outside, N * math.prod(size), row)


def _offset(g: Any, a: int, axis: Axis) -> Any:
    """t = A g + B − i, for the axis a of the picture, which is the last but a of the grid."""
    return g[:, g.shape[1] - 1 - a] * axis.A + (axis.B - axis.i)


def _weights(t: Any, mode: str) -> tuple[list[Any], list[Any]]:
    """The weights of the taps at t, and their derivatives."""
    if mode == "nearest":
        return [np.ones(array_of(t).shape, array_of(t).dtype)], [0]
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


def _axes(g: np.ndarray, size: list[int], mode: str, padding: str, align_corners: bool) -> list[Axis]:
    """Where the grid (P, d) reads along each axis of the picture."""
    with np.errstate(all="ignore"):
        return [_axis(g[:, -1 - a], n, mode, padding, align_corners) for a, n in enumerate(size)]


def _axis(g: np.ndarray, n: int, mode: str, padding: str, align_corners: bool) -> Axis:
    T = g.dtype.type
    A = np.full(g.shape, T((n - 1) / 2 if align_corners else n / 2))
    B = np.full(g.shape, T((n - 1) / 2))
    p = A * g + B
    if mode != "bicubic":
        p, A, B = _padded(p, A, B, n, padding, align_corners)
        if mode == "nearest":
            i = np.rint(p)
            return Axis(A, B, i, _whole(i, n)[:, None])
        i = np.floor(p)
        return Axis(A, B, i, np.stack([_whole(i, n), _whole(i + 1, n)], 1))
    i = np.floor(p)
    taps = []
    for k in range(-1, 3):
        q, _, _ = _padded(i + k, A, B, n, padding, align_corners)
        taps.append(_whole(np.trunc(q) if padding != "zeros" else q, n))
    return Axis(A, B, i, np.stack(taps, 1))


def _whole(p: np.ndarray, n: int) -> np.ndarray:
    """Whole numbers as places; −1 if outside 0 … n − 1."""
    return np.where((p >= 0) & (p < n), p, -1).astype(np.int64)


def _padded(
    p: np.ndarray, A: np.ndarray, B: np.ndarray, n: int, padding: str, align_corners: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """p moved inside, with the A and B that say how p now depends on g."""
    if padding == "zeros":
        return p, A, B
    if padding == "reflection":
        low, span = (0.0, n - 1.0) if align_corners else (-0.5, float(n))
        if span == 0:
            return np.zeros_like(p), np.zeros_like(A), np.zeros_like(B)
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


# -- the functions -----------------------------------------------------------------------------------------------


def grid_sample(
    input: Any, grid: Any, mode: str = "bilinear", padding_mode: str = "zeros", align_corners: bool | None = None
) -> Any:
    """The input read at the places of a grid: (N, C, H, W), (N, H', W', 2) -> (N, C, H', W'), or with D before H.

    Args
        grid: for each output pixel its (x, y) or (x, y, z) in the input: −1 left, top or front; 1 right, bottom or back.
        mode: 'bilinear' (trilinear for 5-d inputs), 'nearest', or 'bicubic' (4-d only).
        padding_mode: what lies outside: 'zeros', the 'border' pixels, or the picture's 'reflection'.
        align_corners: whether −1 and 1 are the centres of the corner pixels or the corners of the picture. None is
            False, with a warning.

    Both gradients are in the module's text; nearest gives the grid zeros. Raises ValueError for unknown modes,
    RuntimeError for shapes or types that do not go together, NotImplementedError for integers.
    """
    if mode not in MODES:
        raise ValueError(
            f"nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', but got: '{mode}'"
        )
    if padding_mode not in PADDINGS:
        raise ValueError(
            "nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or 'reflection', but got: "
            f"'{padding_mode}'"
        )
    if align_corners is None:
        warnings.warn(BEHAVIOUR, stacklevel=2)
        align_corners = False
    x, g = array_of(input), array_of(grid)
    _check(x, g, mode)
    return GridSample.apply(input, grid, mode, padding_mode, bool(align_corners))


def _check(x: np.ndarray, g: np.ndarray, mode: str) -> None:
    sizes = f"input with sizes {list(x.shape)} and grid with sizes {list(g.shape)}"
    if x.ndim not in (4, 5) or x.ndim != g.ndim:
        raise RuntimeError(
            f"grid_sampler(): expected 4D or 5D input and grid with same number of dimensions, but got {sizes}"
        )
    if x.shape[0] != g.shape[0]:
        raise RuntimeError(f"grid_sampler(): expected grid and input to have same batch size, but got {sizes}")
    if g.shape[-1] != x.ndim - 2:
        raise RuntimeError(
            f"grid_sampler(): expected grid to have size {x.ndim - 2} in last dimension, but got grid with sizes "
            f"{list(g.shape)}"
        )
    if 0 in x.shape[2:]:
        raise RuntimeError(f"grid_sampler(): expected input to have non-empty spatial dimensions, but got {sizes}")
    if x.ndim == 5 and mode == "bicubic":
        raise RuntimeError("grid_sampler(): bicubic interpolation only supports 4D input")
    if x.dtype.kind != "f":
        raise NotImplementedError(
            f"grid_sample is not implemented for {as_dtype(x.dtype)}: convert the input with .float()"
        )
    if x.dtype != g.dtype:
        raise RuntimeError(
            f"grid_sampler(): expected input and grid to have the same dtype, but got {as_dtype(x.dtype)} and "
            f"{as_dtype(g.dtype)}; convert one with .to(dtype)"
        )


def grid_sampler(input: Any, grid: Any, interpolation_mode: int, padding_mode: int, align_corners: bool) -> Any:
    """``grid_sample`` with numbers for the modes: bilinear, nearest, bicubic; zeros, border, reflection."""
    return grid_sample(input, grid, MODES[interpolation_mode], PADDINGS[padding_mode], align_corners)


grid_sampler_2d = grid_sampler_3d = grid_sampler
