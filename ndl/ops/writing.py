"""Writing over a whole tensor, fill_, zero_, copy_, or over a part of a copy: select_scatter and its kin.

z = v everywhere:   dx = 0,   dv = dz (summed where v was repeated)
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ndl.autograd.function import ArrayFunction
from ndl.autograd.tensor import Tensor
from ndl.ops.conversion import clone
from ndl.ops.dims import takes_axis, values, wrap_dim
from ndl.ops.promotion import array_of
from ndl.ops.shape import broadcast_shapes
from ndl.ops.slices import Slice, diagonal, select

__all__ = ["diagonal_scatter", "select_scatter", "slice_scatter"]


class Write(ArrayFunction):
    """x[…] = v;  dx = 0,  dv = dz."""

    in_place = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, v: Any) -> np.ndarray:
        ctx.shape, ctx.dtype = x.shape, x.dtype
        x[...] = v
        return x

    @staticmethod
    def backward(ctx: Any, dz: Any) -> tuple:
        return np.zeros(ctx.shape, ctx.dtype), dz


def written(x: np.ndarray, v: Any) -> Any:
    """The value as it will be written: an integer tensor takes only the numbers of ``v``, not its history."""
    return v if x.dtype.kind in "fc" else array_of(v)


def fill_(self: Tensor, value: Any) -> Tensor:
    """Every element becomes ``value``, a number or a tensor without dimensions. dx = 0, dvalue = Σ dz."""
    v = array_of(value)
    if isinstance(v, np.ndarray):
        if v.ndim:
            raise RuntimeError(f"fill_ only supports 0-dimension value tensor but got tensor with {v.ndim} dimensions.")
    elif not isinstance(v, (int, float, complex, np.generic)):
        raise TypeError(f"fill_(): argument 'value' must be a number or a Tensor, not {type(value).__name__}")
    return Write.apply(self, written(array_of(self), value))


def zero_(self: Tensor) -> Tensor:
    """Every element becomes 0. dx = 0."""
    return Write.apply(self, 0)


def copy_(self: Tensor, src: Any, non_blocking: bool = False) -> Tensor:
    """The elements of ``src``, broadcast and converted to this tensor's type. dx = 0, dsrc = dz.

    Raises RuntimeError if ``src`` does not broadcast to this shape.
    """
    if isinstance(src, (int, float)):
        return Write.apply(self, src)
    shape = values(src, "copy_", "src").shape
    if shape != array_of(self).shape:
        both = broadcast_shapes(array_of(self).shape, shape)
        if both != array_of(self).shape:
            raise RuntimeError(
                f"output with shape {list(array_of(self).shape)} doesn't match the broadcast shape {list(both)}"
            )
    return Write.apply(self, written(array_of(self), src))


@takes_axis
def select_scatter(input: Any, src: Any, dim: int, index: int) -> Any:
    """A copy of ``input`` with ``src`` at one index of ``dim``. dx = dz, 0 there; dsrc = dz there."""
    z = clone(input)
    return _over(z, select(z, dim, index), src, "select_scatter")


@takes_axis
def slice_scatter(
    input: Any, src: Any, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> Any:
    """A copy of ``input`` with ``src`` over a slice of ``dim``. dx = dz, 0 there; dsrc = dz there."""
    z = clone(input)
    d = wrap_dim(dim, z.ndim)
    if step <= 0:
        raise RuntimeError(f"slice step must be positive, but got {step}")
    return _over(z, Slice.apply(z, (slice(None),) * d + (slice(start, end, step),)), src, "slice_scatter")


def diagonal_scatter(input: Any, src: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """A copy of ``input`` with ``src`` on a diagonal. dx = dz, 0 there; dsrc = dz there."""
    z = clone(input)
    return _over(z, diagonal(z, offset, dim1, dim2), src, "diagonal_scatter")


def _over(z: Any, part: Any, src: Any, name: str) -> Any:
    v = values(src, name, "src", 2)
    if v.shape != part.shape:
        raise RuntimeError(
            f"{name}: expected src to have a size equal to the slice of self. src size = {list(v.shape)}, slice size = "
            f"{list(part.shape)}"
        )
    Write.apply(part, written(array_of(z), src))
    return z
