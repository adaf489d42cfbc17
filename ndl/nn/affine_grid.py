"""Affine grids: where to sample a picture so that it appears turned, scaled or sheared (with ``grid_sample``).

Every output pixel has coordinates c between −1 and 1, and homogeneous coordinates (x, y, 1) or (x, y, z, 1). With one
matrix θ for each sample,

    grid[n, p, :] = θ_n c_p         G = B θᵀ,  B: (P, d + 1) the coordinates of the P pixels
    dθ_n = Σ_p dgrid_{n,p} c_pᵀ     dθ = dGᵀ B

Jaderberg et al., "Spatial Transformer Networks", 2015.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from ndl.autograd.dtypes import as_dtype
from ndl.autograd.function import ArrayFunction
from ndl.ops.promotion import array_of

__all__ = ["affine_grid", "affine_grid_generator"]

BEHAVIOUR = (
    "Default grid_sample and affine_grid behavior has changed to align_corners=False since 1.3.0. Please specify "
    "align_corners=True if the old behavior is desired. See the documentation of grid_sample for details."
)


class AffineGrid(ArrayFunction):
    """G = B θᵀ for each sample;  dθ = dGᵀ B."""

    @staticmethod
    def forward(ctx: Any, theta: np.ndarray, B: np.ndarray, space: tuple[int, ...]) -> np.ndarray:
        ctx.B, ctx.points = B, (len(theta), math.prod(space), len(space))
        G = B @ theta.swapaxes(-1, -2)  # (P, d + 1) (N, d + 1, d) -> (N, P, d)
        return G.reshape(len(theta), *space, len(space)).copy()

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        dG = dy.reshape(*ctx.points)
        return dG.swapaxes(-1, -2) @ ctx.B, None, None  # (N, d, P) (P, d + 1) -> (N, d, d + 1)


def _coordinates(n: int, align_corners: bool, dtype: np.dtype) -> np.ndarray:
    """The centres of n pixels between −1 and 1: the first and the last there if aligned, else half a pixel inside."""
    if n == 1:
        return np.zeros(1, dtype)
    c = np.linspace(-1, 1, n)
    return (c if align_corners else c * ((n - 1) / n)).astype(dtype)


def affine_grid_generator(theta: Any, size: Sequence[int], align_corners: bool) -> Any:
    """``affine_grid`` after its arguments are checked."""
    space = tuple(size[2:])
    dtype = array_of(theta).dtype
    axes = [_coordinates(n, align_corners, dtype) for n in space]
    columns = np.meshgrid(*axes, indexing="ij")[::-1]  # x is the last axis
    B = np.stack([*columns, np.ones(space, dtype)], -1).reshape(-1, len(space) + 1)  # (P, d + 1)
    return AffineGrid.apply(theta, B, space)


def affine_grid(theta: Any, size: Sequence[int], align_corners: bool | None = None) -> Any:
    """The sampling grid of affine maps: (N, 2, 3) -> (N, H, W, 2), or (N, 3, 4) -> (N, D, H, W, 3). dθ = dGᵀ B.

    Args
        theta: one matrix for each sample, from output to input coordinates.
        size: the output's, (N, C, H, W) or (N, C, D, H, W).
        align_corners: whether −1 and 1 are the centres of the corner pixels or the corners of the picture; as in
            ``grid_sample``. None is False, with a warning.

    Raises ValueError or NotImplementedError for shapes that do not go together, RuntimeError for another N.
    """
    if align_corners is None:
        warnings.warn(BEHAVIOUR, stacklevel=2)
        align_corners = False
    t, size = array_of(theta), tuple(size)
    if t.dtype.kind != "f":
        raise ValueError(f"Expected theta to have floating point type, but got {as_dtype(t.dtype)}")
    d = len(size) - 2
    if d not in (2, 3):
        raise NotImplementedError(
            "affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, respectively. "
            f"Got size {size}."
        )
    if t.ndim != 3 or t.shape[1:] != (d, d + 1):
        raise ValueError(
            f"Expected a batch of {d}D affine matrices of shape Nx{d}x{d + 1} for size {size}. Got {list(t.shape)}."
        )
    if align_corners and min(size[2:]) == 1:
        warnings.warn(
            "Since version 1.3.0, affine_grid behavior has changed for unit-size grids when align_corners=True. This is "
            "not an intended use case of affine_grid. See the documentation of affine_grid for details.",
            stacklevel=2,
        )
    elif min(size) <= 0:
        raise ValueError(f"Expected non-zero, positive output size. Got {size}")
    if size[0] != len(t):
        raise RuntimeError(f"affine_grid: size {size} is for {size[0]} samples, but theta {list(t.shape)} has {len(t)}")
    return affine_grid_generator(theta, size, align_corners)
