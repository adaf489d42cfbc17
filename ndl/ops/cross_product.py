"""The cross product of vectors of three numbers: ``cross``, ``linalg.cross``.

    z = x × y        z_i = x_(i+1) y_(i+2) − x_(i+2) y_(i+1), places counted round (3 is 0, 4 is 1)

A product of three vectors stays the same when they go round, dz · (x × y) = x · (y × dz) = y · (dz × x), so

    dx = y × dz        dy = dz × x
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ndl.autograd.function import ArrayFunction
from ndl.ops.dims import wrap_dim
from ndl.ops.elementwise import same_type
from ndl.ops.promotion import array_of

__all__ = ["cross"]


class CrossProduct(ArrayFunction):
    """z = x × y along one dimension;  dx = y × dz,  dy = dz × x."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, y: np.ndarray, dim: int) -> np.ndarray:
        ctx.dim = dim
        ctx.save_for_backward(x if ctx.needs_input_grad[1] else None, y if ctx.needs_input_grad[0] else None)
        one, two = np.roll(x, -1, dim) * np.roll(y, -2, dim), np.roll(x, -2, dim) * np.roll(y, -1, dim)
        return one - two

    @staticmethod
    def backward(ctx: Any, dz: Any) -> tuple:
        x, y = ctx.saved_tensors
        dx = CrossProduct.apply(y, dz, ctx.dim) if ctx.needs_input_grad[0] else None
        dy = CrossProduct.apply(dz, x, ctx.dim) if ctx.needs_input_grad[1] else None
        return dx, dy, None


def cross(input: Any, other: Any, dim: int | None = None) -> Any:
    """input × other along ``dim``, which has length 3; without it, along the first dimension that has.

    The other dimensions broadcast. Gradients: other × dz and dz × input. Raises RuntimeError for another length,
    different numbers of dimensions or different types.
    """
    if dim is None:
        shape = array_of(input).shape
        if 3 not in shape:
            raise RuntimeError(f"no dimension of size 3 in input: it has shape {list(shape)}")
        dim = shape.index(3)
    return linalg_cross(input, other, dim=dim)


def linalg_cross(input: Any, other: Any, *, dim: int = -1) -> Any:
    """input × other along ``dim``, which has length 3, by default the last; see ``cross``."""
    x, y = array_of(input), array_of(other)
    for position, v in ((1, x), (2, y)):
        if not isinstance(v, np.ndarray):
            what = ("input", "other")[position - 1]
            raise TypeError(f"cross(): argument '{what}' (position {position}) must be Tensor, not {type(v).__name__}")
    if x.ndim != y.ndim:
        raise RuntimeError(
            f"linalg.cross: inputs must have the same number of dimensions, but got {list(x.shape)} and {list(y.shape)}"
        )
    d = wrap_dim(dim, x.ndim)
    if x.shape[d] != 3 or y.shape[d] != 3:
        raise RuntimeError(
            f"linalg.cross: inputs dimension {dim} must have length 3. Got {x.shape[d]} and {y.shape[d]}"
        )
    same_type(input, other=other)
    return CrossProduct.apply(input, other, d)
