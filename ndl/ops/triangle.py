"""Triangles and diagonals of matrices: tril, triu, diag, diag_embed, diagflat, trace."""

from __future__ import annotations

from typing import Any

import numpy as np

from ndl.autograd.dtypes import as_numpy_dtype, int64
from ndl.autograd.function import ArrayFunction
from ndl.autograd.tensor import Tensor
from ndl.ops.conversion import clone
from ndl.ops.dims import values, wrap_dim
from ndl.ops.shape import reshape
from ndl.ops.slices import Diagonal, Placed, diagonal

__all__ = ["diag", "diag_embed", "diagflat", "trace", "tril", "tril_indices", "triu", "triu_indices"]


class Tril(ArrayFunction):
    """y_ij = x_ij for j − i ≤ k, else 0;  dx_ij = dy_ij there, else 0."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, k: int) -> np.ndarray:
        ctx.k = k
        y = np.zeros(x.shape, x.dtype)
        for i in range(max(-k, 0), x.shape[-2]):  # rows, since a product with a mask would turn inf into nan
            y[..., i, : i + k + 1] = x[..., i, : i + k + 1]
        return y

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        return Tril.apply(dy, ctx.k), None


class Triu(ArrayFunction):
    """y_ij = x_ij for j − i ≥ k, else 0;  dx_ij = dy_ij there, else 0."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, k: int) -> np.ndarray:
        ctx.k = k
        y = np.zeros(x.shape, x.dtype)
        for i in range(min(x.shape[-1] - k, x.shape[-2])):
            y[..., i, max(i + k, 0) :] = x[..., i, max(i + k, 0) :]
        return y

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        return Triu.apply(dy, ctx.k), None


def tril(input: Any, diagonal: int = 0) -> Any:
    """The lower triangle of each matrix, up to the given diagonal; 0 above it. The gradient likewise."""
    _at_least_2d(input, "tril")
    return Tril.apply(input, diagonal)


def triu(input: Any, diagonal: int = 0) -> Any:
    """The upper triangle of each matrix, from the given diagonal on; 0 below it. The gradient likewise."""
    _at_least_2d(input, "triu")
    return Triu.apply(input, diagonal)


def _at_least_2d(x: Any, name: str) -> None:
    if values(x, name).ndim < 2:
        raise RuntimeError(f"{name}: input tensor must have at least 2 dimensions")


def diag(input: Any, diagonal: int = 0) -> Any:
    """A matrix with the vector on its diagonal, or the diagonal of a matrix in new memory.

    The one is the other's backward: dx = diag(dy).
    """
    n = values(input, "diag").ndim
    if n == 1:
        return diag_embed(input, diagonal)
    if n != 2:
        raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {n}D")
    return clone(Diagonal.apply(input, diagonal, 0, 1))


def diag_embed(input: Any, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    """Matrices over the dimensions ``dim1`` and ``dim2`` of the result, with the last dimension as their diagonal.

    Shape (…, n) becomes (…, n + |offset|, n + |offset|). dx = the diagonal of dy.
    """
    x = values(input, "diag_embed")
    d1, d2 = wrap_dim(dim1, x.ndim + 1), wrap_dim(dim2, x.ndim + 1)
    if d1 == d2:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    n = x.shape[-1] + abs(offset)
    shape = list(x.shape[:-1])
    for d in sorted((d1, d2)):
        shape.insert(d, n)
    return Placed.apply(input, tuple(shape), Diagonal, offset, d1, d2)


def diagflat(input: Any, offset: int = 0) -> Any:
    """A matrix with all elements on its diagonal."""
    return diag_embed(reshape(input, -1), offset)


def trace(input: Any) -> Any:
    """Σ_i x_ii of a matrix. dx = dy on the diagonal, 0 elsewhere."""
    x = values(input, "trace")
    if x.ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, but got tensor with dim {x.ndim}")
    if x.dtype.kind == "b":
        raise NotImplementedError("trace is not defined for bool: convert the tensor first, for example with .long()")
    return diagonal(input).sum()


def tril_indices(
    row: int, col: int, offset: int = 0, *, dtype: Any = int64, device: Any = None, layout: Any = None
) -> Tensor:
    """The places (2, n) of the lower triangle of a (row, col) matrix, row by row: row numbers, then columns."""
    return _places("tril_indices", row, col, dtype, lambda i, j: j - i <= offset)


def triu_indices(
    row: int, col: int, offset: int = 0, *, dtype: Any = int64, device: Any = None, layout: Any = None
) -> Tensor:
    """The places (2, n) of the upper triangle of a (row, col) matrix, row by row: row numbers, then columns."""
    return _places("triu_indices", row, col, dtype, lambda i, j: j - i >= offset)


def _places(name: str, row: int, col: int, dtype: Any, inside: Any) -> Tensor:
    d = as_numpy_dtype(dtype)
    if d not in (np.int32, np.int64):
        raise NotImplementedError(f"{name} makes int64 or int32 numbers, not {dtype}")
    for what, n in (("row", row), ("col", col)):
        if n < 0:
            raise RuntimeError(f"{what} must be non-negative, got {n}")
    return Tensor._wrap(np.stack(np.nonzero(np.fromfunction(inside, (row, col), dtype=np.int64))).astype(d))
