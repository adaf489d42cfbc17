"""Turning a tensor over, round, or on: flip, rot90, roll.

Each is a permutation of the elements, so its backward is the opposite one. All of them copy, as PyTorch's do.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ndl.autograd.function import ArrayFunction
from ndl.ops.conversion import clone
from ndl.ops.dims import listed, values, wrap_dim, wrap_dims

__all__ = ["flip", "fliplr", "flipud", "roll", "rot90"]


class Flip(ArrayFunction):
    """y_i = x_(n − 1 − i) along each of ``dims``;  dx is dy flipped again."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, dims: tuple) -> np.ndarray:
        ctx.dims = dims
        index: list[Any] = [slice(None)] * x.ndim
        for d in dims:
            index[d] = slice(None, None, -1)
        return x[(*index, ...)].copy()

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        return Flip.apply(dy, ctx.dims), None


class Roll(ArrayFunction):
    """y_(i + s mod n) = x_i along each of ``dims`` (None: through all elements);  dx is dy rolled by −s."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, shifts: tuple, dims: tuple | None) -> np.ndarray:
        ctx.shifts, ctx.dims = shifts, dims
        return np.roll(x, shifts if dims else shifts[0], dims or None)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        return Roll.apply(dy, tuple([-s for s in ctx.shifts]), ctx.dims), None, None


class Rot90(ArrayFunction):
    """y = x turned k times by 90° from the first of ``dims`` to the second;  dx is dy turned back."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, k: int, dims: tuple) -> np.ndarray:
        ctx.k, ctx.dims = k, dims
        return np.rot90(x, k, dims).copy()

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        return Rot90.apply(dy, -ctx.k, ctx.dims), None, None


def flip(input: Any, *dims: Any, **keyword: Any) -> Any:
    """The elements in reverse order along ``dims``. dx is dy flipped again."""
    n = values(input, "flip").ndim
    order = wrap_dims(listed(dims, keyword.pop("dims", None)), n)
    if keyword:
        raise TypeError(f"flip() got an unexpected keyword argument {next(iter(keyword))!r}")
    return Flip.apply(input, order) if n else clone(input)


def fliplr(input: Any) -> Any:
    """Columns in reverse order: the second dimension flipped."""
    if values(input, "fliplr").ndim < 2:
        raise RuntimeError("Input must be >= 2-d.")
    return Flip.apply(input, (1,))


def flipud(input: Any) -> Any:
    """Rows in reverse order: the first dimension flipped."""
    if values(input, "flipud").ndim < 1:
        raise RuntimeError("Input must be >= 1-d.")
    return Flip.apply(input, (0,))


def backwards(self: Any) -> Any:
    """``reversed(tensor)``: the first dimension flipped."""
    return Flip.apply(self, (0,)) if self.ndim else self


def roll(input: Any, shifts: Any, dims: Any = None) -> Any:
    """Elements moved on by ``shifts`` along ``dims``; what leaves at the end enters at the start.

    Without ``dims`` the tensor is rolled as if flat. Raises RuntimeError unless shifts and dims are equally many.
    """
    n = values(input, "roll").ndim
    steps = tuple(shifts) if isinstance(shifts, (tuple, list)) else (shifts,)
    axes = () if dims is None else tuple(dims) if isinstance(dims, (tuple, list)) else (dims,)
    if not steps:
        raise RuntimeError("`shifts` required")
    if len(steps) != len(axes) and not (len(steps) == 1 and not axes):
        raise RuntimeError(f"shifts and dimensions must align. shifts: {len(steps)}, dims:{len(axes)}")
    return Roll.apply(input, steps, tuple([wrap_dim(d, n) for d in axes]))


def rot90(input: Any, k: int = 1, dims: Any = (0, 1)) -> Any:
    """Turned ``k`` times by 90° in the plane of two dimensions, from the first to the second."""
    n = values(input, "rot90").ndim
    if len(dims) != 2:
        raise RuntimeError(f"expected total rotation dims == 2, but got dims = {len(dims)}")
    if n < 2:
        raise RuntimeError(f"expected total dims >= 2, but got total dims = {n}")
    d0, d1 = (wrap_dim(d, n) for d in dims)
    if d0 == d1:
        raise RuntimeError(f"expected rotation dims to be different, but got dim0 = {dims[0]} and dim1 = {dims[1]}")
    return Rot90.apply(input, k, (d0, d1))
