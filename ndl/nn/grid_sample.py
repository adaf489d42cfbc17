"""Grid sampling: a picture read at any places, between the pixels too, with gradients for picture and places.

A place g in [−1, 1] is pixel coordinate p = A g + B along each axis (size n):

    corners not aligned   p = ((g + 1) n − 1) / 2         corners aligned   p = (g + 1) (n − 1) / 2

and padding moves what lies outside: to the border (p constant, A = 0), or reflected (A and B change sign and place). Then
with i = ⌊p⌋ and t = p − i, along each axis a the taps i_a + k have weights w_a[k](t_a):

    bilinear   1 − t, t                    nearest   1 at the nearest pixel              bicubic   Keys's, A = −¾

    y_c = Σ_k Π_a w_a[k_a] · x_c[i + k]                                  0 where i + k is outside, with padding zeros
    dx_c[i + k] += Π_a w_a[k_a] · dy_c
    dp_a = Σ_k (Σ_c dy_c x_c[i + k]) · w_a′[k_a] Π_{b≠a} w_b[k_b]        dg_a = A_a dp_a

Bicubic pads each of its 4 taps instead of p. How it is computed: ``ndl.kernels.grid_sample``.

Jaderberg et al., "Spatial Transformer Networks", 2015.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from ndl.autograd.dtypes import as_dtype
from ndl.autograd.function import ArrayFunction
from ndl.kernels.grid_sample import Places, interior, padded_size, read, read_gradients, tap_weights
from ndl.nn.affine_grid import BEHAVIOUR
from ndl.ops.dims import values
from ndl.ops.places import Index, Spread
from ndl.ops.promotion import array_of

__all__ = ["grid_sample", "grid_sampler", "grid_sampler_2d", "grid_sampler_3d"]

MODES = ("bilinear", "nearest", "bicubic")
PADDINGS = ("zeros", "border", "reflection")


class GridSample(ArrayFunction):
    """y = x read at the places of a grid; dx and dgrid as the module's text derives them."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, grid: np.ndarray, mode: str, padding: str, align_corners: bool) -> np.ndarray:
        ctx.options = options = mode, padding, align_corners
        ctx.save_for_backward(x, grid)
        y = read(_wide(x), _wide(grid).reshape(_places(grid)), options)  # (N, C, O)
        return y.reshape(*x.shape[:2], *grid.shape[1:-1]).astype(x.dtype, copy=False)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        x, grid = ctx.saved_tensors
        need_dx, need_dgrid = ctx.needs_input_grad[:2]
        need_slopes = need_dgrid and ctx.options[0] != "nearest"
        if ctx.recording:
            dx, dgrid = _recorded_gradients(ctx.options, x, grid, dy, need_dx, need_slopes)
        else:
            N, O, d = _places(grid)
            g, dY = _wide(grid).reshape(N, O, d), _wide(dy).reshape(*x.shape[:2], O)
            dx, dgrid = read_gradients(dY, _wide(x), g, ctx.options, need_dx, need_slopes)
        if need_slopes:
            dgrid = dgrid.reshape(grid.shape)
        elif need_dgrid:  # the nearest pixel stays the nearest
            dgrid = np.zeros(grid.shape, array_of(grid).dtype)
        return dx, dgrid, None, None, None


def _places(grid: Any) -> tuple[int, int, int]:
    """(N, O, d): samples, places of each, coordinates of a place."""
    return grid.shape[0], math.prod(grid.shape[1:-1]), grid.shape[-1]


def _wide(a: np.ndarray) -> np.ndarray:
    return a.astype(np.float32) if a.dtype == np.float16 else a


def _recorded_gradients(options: tuple, x: Any, grid: Any, dy: Any, need_dx: bool, need_dgrid: bool) -> tuple:
    """The same gradients in operations that are recorded themselves, on rows of C channels."""
    N, C, *size = x.shape
    _, O, d = _places(grid)
    mode = options[0]
    places = Places(array_of(grid).reshape(N, O, d), size, options)
    numbers = np.arange(N * math.prod(padded_size(size))).reshape(N, *padded_size(size))
    inside = interior(numbers, d).reshape(-1)  # of the pictures with borders
    rows = x.reshape(N, C, math.prod(size)).swapaxes(1, 2).reshape(len(inside), C)
    rows = Spread.apply(rows, (numbers.size, C), (0,), inside)
    drows = dy.reshape(N, C, O).swapaxes(1, 2).reshape(N * O, C)  # (P, C)
    g = grid.reshape(N * O, d)
    both = [tap_weights(axis.offset(g[:, -1 - a]), mode) for a, axis in enumerate(places.axes)]
    w, slope = [b[0] for b in both], [b[1] for b in both]
    dx: Any = 0
    dp: list[Any] = [0] * d
    for corner, pixels in zip(places.corners, places.pixels):
        if need_dx:
            weight = math.prod(w[a][k] for a, k in enumerate(corner))  # (P)
            weighted = drows if mode == "nearest" else drows * weight[:, None]
            dx = dx + Spread.apply(weighted, rows.shape, (0,), pixels)  # (N·pixels, C)
        if need_dgrid:
            dot = (drows * Index.apply(rows, (0,), pixels)).sum(1)  # (P)
            for a, k in enumerate(corner):
                others = math.prod(w[b][m] for b, m in enumerate(corner) if b != a)
                dp[a] = dp[a] + dot * slope[a][k] * others
    dgrid = None
    if need_dgrid:
        columns = [(dp[a] * places.axes[a].A)[:, None] for a in reversed(range(d))]  # the last axis is x, and first
        dgrid = np.concatenate(columns, 1)
    if not need_dx:
        return None, dgrid
    return Index.apply(dx, (0,), inside).reshape(N, math.prod(size), C).swapaxes(1, 2).reshape(x.shape), dgrid


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
    x, g = values(input, "grid_sampler"), values(grid, "grid_sampler", "grid", 2)
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
