"""Parts of a tensor that are views of it: narrow, select, diagonal, and slices in brackets.

    y = x[part]                       dx = zeros like x, with dx[part] = dy
    z = zeros, with z[part] = y       dy = dz[part]

Each of the two is the other's backward: ``Slice`` or ``Diagonal`` on one side, ``Placed`` on the other.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from ndl.autograd.function import ArrayFunction
from ndl.ops.dims import takes_axis, values, wrap_dim

__all__ = ["diagonal", "narrow", "select"]


class Slice(ArrayFunction):
    """y = x[index] with whole numbers, slices, None and an Ellipsis;  dx = 0 but for dx[index] = dy."""

    view = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, index: tuple) -> np.ndarray:
        ctx.shape, ctx.index = x.shape, index
        return x[index]

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        return Placed.apply(dy, ctx.shape, Slice, ctx.index), None


class Diagonal(ArrayFunction):
    """y_…i = x_…(i, i + offset) over two dimensions, i last;  dx = 0 but for dy on that diagonal."""

    view = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, offset: int, dim1: int, dim2: int) -> np.ndarray:
        ctx.shape, ctx.place = x.shape, (offset, dim1, dim2)
        y = x.diagonal(offset, dim1, dim2)
        y.flags.writeable = x.flags.writeable  # NumPy's diagonals are read-only, though nothing overlaps
        return y

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        return Placed.apply(dy, ctx.shape, Diagonal, *ctx.place), None, None, None


class Placed(ArrayFunction):
    """z = zeros of ``shape``, with y where the view ``part(z, …)`` looks;  dy = part(dz, …)."""

    @staticmethod
    def forward(ctx: Any, y: np.ndarray, shape: tuple, part: type[ArrayFunction], *place: Any) -> np.ndarray:
        ctx.part, ctx.place = part, place
        z = np.zeros(shape, y.dtype)
        part.apply(z, *place)[...] = y
        return z

    @staticmethod
    def backward(ctx: Any, dz: Any) -> tuple:
        return ctx.part.apply(dz, *ctx.place), None, None, *[None] * len(ctx.place)


@takes_axis
def narrow(input: Any, dim: int, start: Any, length: int) -> Any:
    """``length`` neighbours along ``dim`` from ``start`` on, as a view. dx = dy there, 0 elsewhere.

    Raises IndexError for a start outside, RuntimeError for a length that runs over the end.
    """
    shape = values(input, "narrow").shape
    if not shape:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    d, begin, length = wrap_dim(dim, len(shape)), operator.index(start), operator.index(length)
    n = shape[d]
    if length < 0:
        raise RuntimeError("narrow(): length must be non-negative.")
    if not -n <= begin <= n:
        raise IndexError(f"start out of range (expected to be in range of [{-n}, {n}], but got {begin})")
    begin = begin + n if begin < 0 else begin
    if begin + length > n:
        raise RuntimeError(f"start ({begin}) + length ({length}) exceeds dimension size ({n}).")
    return Slice.apply(input, (slice(None),) * d + (slice(begin, begin + length),))


@takes_axis
def select(input: Any, dim: int, index: Any) -> Any:
    """The part at one index of ``dim``, without that dimension, as a view. dx = dy there, 0 elsewhere."""
    shape = values(input, "select").shape
    if not shape:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    d, i = wrap_dim(dim, len(shape)), operator.index(index)
    if not -shape[d] <= i < shape[d]:
        raise IndexError(f"select(): index {i} out of range for tensor of size {list(shape)} at dimension {d}")
    return Slice.apply(input, (slice(None),) * d + (i, ...))


def diagonal(input: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """The diagonal of the matrices that ``dim1`` and ``dim2`` span, as a view with the diagonal last.

    Above the main diagonal for a positive offset, below for a negative. dx = dy on the diagonal, 0 elsewhere.
    """
    n = values(input, "diagonal").ndim
    d1, d2 = wrap_dim(dim1, n), wrap_dim(dim2, n)
    if d1 == d2:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    return Diagonal.apply(input, offset, d1, d2)
