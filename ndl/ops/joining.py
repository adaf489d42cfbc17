"""Joining: cat, stack and their kin.

    z = cat(x, y)      dx, dy = dz split at the seams
    x, y = split(z)    dz = cat(dx, dy)

Each is the other's backward, so both are here; the functions that split are in ``splitting``.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from ndl.autograd.dtypes import result_numpy_dtype
from ndl.autograd.function import ArrayFunction
from ndl.autograd.tensor import Tensor
from ndl.ops.dims import takes_axis, wrap_dim
from ndl.ops.promotion import array_of, cast
from ndl.ops.shape import atleast_1d, atleast_2d, atleast_3d

__all__ = [
    "block_diag",
    "cat",
    "column_stack",
    "concat",
    "concatenate",
    "dstack",
    "hstack",
    "row_stack",
    "stack",
    "vstack",
]


class Cat(ArrayFunction):
    """z = the x_i one after the other along ``dim``;  dx_i = dz between its seams."""

    @staticmethod
    def forward(ctx: Any, dim: int, *xs: np.ndarray) -> np.ndarray:
        ctx.dim, ctx.sizes = dim, tuple([x.shape[dim] for x in xs])
        return np.concatenate(xs, dim)

    @staticmethod
    def backward(ctx: Any, dz: Any) -> tuple:
        return None, *Split.apply(dz, ctx.dim, ctx.sizes)


class Split(ArrayFunction):
    """x_i = z between its seams along ``dim``, as views;  dz = the dx_i one after the other."""

    view = True

    @staticmethod
    def forward(ctx: Any, z: np.ndarray, dim: int, sizes: tuple) -> tuple:
        ctx.dim = dim
        lead = (slice(None),) * dim
        ends = tuple(itertools.accumulate(sizes))
        return tuple([z[(*lead, slice(end - n, end))] for n, end in zip(sizes, ends)])

    @staticmethod
    def backward(ctx: Any, *dxs: Any) -> tuple:
        return Cat.apply(ctx.dim, *dxs), None, None


class Stack(ArrayFunction):
    """z_…i… = x_i along a new dimension;  dx_i = dz_…i…."""

    @staticmethod
    def forward(ctx: Any, dim: int, *xs: np.ndarray) -> np.ndarray:
        ctx.dim = dim
        new = (slice(None),) * dim + (None,)
        return np.concatenate([x[new] for x in xs], dim)

    @staticmethod
    def backward(ctx: Any, dz: Any) -> tuple:
        return None, *Unbind.apply(dz, ctx.dim)


class Unbind(ArrayFunction):
    """x_i = z_…i… along ``dim``, as views;  dz_…i… = dx_i."""

    view = True

    @staticmethod
    def forward(ctx: Any, z: np.ndarray, dim: int) -> tuple:
        ctx.dim = dim
        lead: tuple = (slice(None),) * dim
        return tuple([z[(*lead, i, ...)] for i in range(z.shape[dim])])

    @staticmethod
    def backward(ctx: Any, *dxs: Any) -> tuple:
        return Stack.apply(ctx.dim, *dxs), None


class BlockDiag(ArrayFunction):
    """Z = the matrices X_i along the diagonal, 0 elsewhere;  dX_i = its block of dZ."""

    @staticmethod
    def forward(ctx: Any, *Xs: np.ndarray) -> np.ndarray:
        rows, columns = (list(itertools.accumulate([0] + [X.shape[d] for X in Xs])) for d in (0, 1))
        Z = np.zeros((rows[-1], columns[-1]), Xs[0].dtype)
        ctx.blocks = blocks = tuple(zip(map(slice, rows, rows[1:]), map(slice, columns, columns[1:])))
        for X, block in zip(Xs, blocks):
            Z[block] = X
        return Z

    @staticmethod
    def backward(ctx: Any, dZ: Any) -> tuple:
        return tuple([dZ[block] for block in ctx.blocks])


@takes_axis
def cat(tensors: Any, dim: int = 0) -> Any:
    """The tensors one after the other along ``dim``, in their common type. dx_i = dz between its seams.

    Raises ValueError for none, RuntimeError if sizes differ in another dimension. Empty vectors are left out.
    """
    xs, arrays = _sequence(tensors, "cat")
    if not xs:
        raise ValueError("torch.cat(): expected a non-empty list of Tensors")
    first = arrays[0]
    for a in arrays:
        if a.dtype is not first.dtype or a.ndim != first.ndim or a.ndim == 0:
            xs, arrays = _alike(xs, arrays)
            first = arrays[0]
            break
    d = 0 if all(a.shape == (0,) for a in arrays) else wrap_dim(dim, first.ndim)
    try:
        return Cat.apply(d, *xs)
    except ValueError:
        raise _cat_error(d, arrays) from None


def _alike(xs: list, arrays: list) -> tuple[list, list]:
    """The tensors in one type, and without empty vectors, which fit anywhere."""
    xs, arrays = _common_type(xs, arrays)
    if any(a.ndim > 1 for a in arrays):
        kept = [i for i, a in enumerate(arrays) if a.shape != (0,)]
        xs, arrays = [xs[i] for i in kept], [arrays[i] for i in kept]
    for i, a in enumerate(arrays):
        if a.ndim == 0:
            raise RuntimeError(f"zero-dimensional tensor (at position {i}) cannot be concatenated")
    return xs, arrays


def _cat_error(d: int, arrays: list) -> RuntimeError:
    first = arrays[0]
    for i, a in enumerate(arrays):
        if a.ndim != first.ndim:
            return RuntimeError(f"Tensors must have same number of dimensions: got {first.ndim} and {a.ndim}")
        for n, m, j in zip(first.shape, a.shape, range(a.ndim)):
            if n != m and j != d:
                return RuntimeError(
                    f"Sizes of tensors must match except in dimension {d}. Expected size {n} but got size {m} for "
                    f"tensor number {i} in the list."
                )
    return RuntimeError(f"cat(): cannot join the shapes {[list(a.shape) for a in arrays]} along dimension {d}")


def _sequence(tensors: Any, name: str) -> tuple[list, list]:
    """The tensors as a list, and their arrays."""
    if not isinstance(tensors, (list, tuple)):
        raise TypeError(
            f"{name}(): argument 'tensors' (position 1) must be tuple of Tensors, not {type(tensors).__name__}"
        )
    arrays = [array_of(x) for x in tensors]
    for i, a in enumerate(arrays):
        if not isinstance(a, (np.ndarray, np.generic)):
            raise TypeError(f"expected Tensor as element {i} in argument 0, but got {type(a).__name__}")
    return list(tensors), arrays


def _common_type(xs: list, arrays: list) -> tuple[list, list]:
    d = result_numpy_dtype(*arrays)
    xs = [cast(x, d) for x in xs]
    return xs, [array_of(x) for x in xs]


concat = concatenate = cat


@takes_axis
def stack(tensors: Any, dim: int = 0) -> Any:
    """Tensors of one shape along a new dimension ``dim``, counted in the result. dx_i = dz at i.

    Raises RuntimeError for none, and for shapes that differ.
    """
    xs, arrays = _sequence(tensors, "stack")
    if not xs:
        raise RuntimeError("stack expects a non-empty TensorList")
    first = arrays[0]
    d = wrap_dim(dim, first.ndim + 1)
    for i, a in enumerate(arrays):
        if a.shape != first.shape:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {list(first.shape)} at entry 0 and "
                f"{list(a.shape)} at entry {i}"
            )
    if any(a.dtype is not first.dtype for a in arrays):
        xs, arrays = _common_type(xs, arrays)
    return Stack.apply(d, *xs)


def hstack(tensors: Any) -> Any:
    """Side by side: along the second dimension, or the first of vectors."""
    xs = _at_least(1, tensors, "hstack")
    return cat(xs, 0 if array_of(xs[0]).ndim == 1 else 1)


def vstack(tensors: Any) -> Any:
    """One below the other: along the first dimension, vectors as rows."""
    return cat(_at_least(2, tensors, "vstack"), 0)


def row_stack(tensors: Any) -> Any:
    """``vstack`` under another name."""
    return cat(_at_least(2, tensors, "row_stack"), 0)


def dstack(tensors: Any) -> Any:
    """One behind the other: along the third dimension."""
    return cat(_at_least(3, tensors, "dstack"), 2)


def column_stack(tensors: Any) -> Any:
    """Side by side, vectors as columns."""
    xs = _at_least(1, tensors, "column_stack")
    return cat([x.reshape(-1, 1) if array_of(x).ndim == 1 else x for x in xs], 1)


def _at_least(n: int, tensors: Any, name: str) -> list:
    xs, _ = _sequence(tensors, name)
    if not xs:
        raise RuntimeError(f"{name} expects a non-empty TensorList")
    return list((atleast_1d, atleast_2d, atleast_3d)[n - 1](xs))


def block_diag(*tensors: Any) -> Any:
    """A matrix with the tensors along its diagonal and 0 elsewhere; numbers and vectors count as one row."""
    if not tensors:
        return Tensor(1, 0)
    xs, arrays = _sequence(tensors, "block_diag")
    for i, a in enumerate(arrays):
        if a.ndim > 2:
            raise RuntimeError(
                f"torch.block_diag: Input tensors must have 2 or fewer dimensions. Input {i} has {a.ndim} dimensions"
            )
    if any(a.dtype is not arrays[0].dtype for a in arrays):
        xs, _ = _common_type(xs, arrays)
    return BlockDiag.apply(*[atleast_2d(x) for x in xs])
