"""Views that read an element several times: sliding windows (unfold) and any pattern of strides (as_strided).

An element in k windows gets the sum of k gradients. Where windows overlap the view is read-only: writing to one
would silently write to its neighbours.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided as strided

from ndl.autograd.function import ArrayFunction
from ndl.autograd.tensor import Tensor
from ndl.ops.dims import values, wrap_dim
from ndl.ops.places import Spread

__all__ = ["as_strided"]


class Unfold(ArrayFunction):
    """y_i…k = x_(i · step + k) along one dimension, k last;  dx_j = Σ dy_i…k over i · step + k = j."""

    view = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, dim: int, size: int, step: int) -> np.ndarray:
        ctx.shape, ctx.window = x.shape, (dim, size, step)
        n = (x.shape[dim] - size) // step + 1
        shape = x.shape[:dim] + (n,) + x.shape[dim + 1 :] + (size,)
        strides = x.strides[:dim] + (step * x.strides[dim],) + x.strides[dim + 1 :] + (x.strides[dim],)
        return strided(x, shape, strides, writeable=x.flags.writeable and step >= size)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        return Fold.apply(dy, ctx.shape, *ctx.window), None, None, None


class Fold(ArrayFunction):
    """z_j = Σ y_i…k over i · step + k = j;  dy_i…k = dz_(i · step + k)."""

    @staticmethod
    def forward(ctx: Any, y: np.ndarray, shape: tuple, dim: int, size: int, step: int) -> np.ndarray:
        ctx.window = dim, size, step
        z = np.zeros(shape, y.dtype)
        n = y.shape[dim]
        for k in range(size):  # the k-th elements of all windows never meet
            z[(slice(None),) * dim + (slice(k, k + n * step, step),)] += y[..., k]
        return z

    @staticmethod
    def backward(ctx: Any, dz: Any) -> tuple:
        return Unfold.apply(dz, *ctx.window), None, None, None, None


class AsStrided(ArrayFunction):
    """y_ij… = the element i · stride₀ + j · stride₁ + … + offset of x in memory;  dx_m = Σ dy over the places of m."""

    view = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, size: tuple, stride: tuple, offset: int) -> np.ndarray:
        ctx.shape, ctx.geometry = x.shape, (size, stride, offset)
        flat = x.reshape(-1)[offset:]
        return strided(flat, size, [s * x.itemsize for s in stride], writeable=False)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        size, stride, offset = ctx.geometry
        places: Any = np.full(size, offset)
        for axis, (n, s) in enumerate(zip(size, stride)):
            places += (np.arange(n) * s).reshape(-1, *[1] * (len(size) - axis - 1))
        dx = Spread.apply(dy, (int(np.prod(ctx.shape)),), (0,), places)
        return dx.reshape(ctx.shape), None, None, None


def unfold(input: Any, dimension: int, size: int, step: int) -> Any:
    """All windows of ``size`` neighbours along ``dimension``, ``step`` apart, as a view with the windows last.

    Shape (…, L, …) becomes (…, (L − size) // step + 1, …, size). dx sums dy over the windows an element is in.
    """
    x = values(input, "unfold")
    d, size, step = wrap_dim(dimension, x.ndim), operator.index(size), operator.index(step)
    n = x.shape[d] if x.ndim else 1
    if size < 0:
        raise RuntimeError(f"size is {size} but must be >= 0")
    if size > n:
        raise RuntimeError(f"maximum size for tensor at dimension {d} is {n} but size is {size}")
    if step <= 0:
        raise RuntimeError(f"step is {step} but must be > 0")
    if x.ndim == 0:
        return input.reshape(1)[:size]
    return Unfold.apply(input, d, size, step)


def as_strided(input: Any, size: Any, stride: Any, storage_offset: int | None = None) -> Any:
    """A read-only view of a contiguous tensor's memory with any sizes and strides, counted in elements.

    Raises RuntimeError if the view would leave the tensor's memory, and for tensors that are not contiguous or are
    views from the middle of another one's memory (PyTorch would let them reach the whole of it).
    """
    x = values(input, "as_strided")
    size, stride, offset = tuple(map(int, size)), tuple(map(int, stride)), int(storage_offset or 0)
    if len(size) != len(stride):
        raise RuntimeError(f"mismatch in length of strides and shape: {len(stride)} strides, {len(size)} sizes")
    if any(s < 0 for s in stride):
        raise RuntimeError(f"as_strided: Negative strides are not supported at the moment, got strides: {list(stride)}")
    if not x.flags.c_contiguous or (isinstance(input, Tensor) and input.storage_offset()):
        raise RuntimeError("as_strided needs a contiguous tensor with memory of its own; call .clone() first")
    needed = offset + 1 + sum((n - 1) * s for n, s in zip(size, stride)) if 0 not in size else 0
    if needed > x.size or offset < 0:
        raise RuntimeError(
            f"setStorage: sizes {list(size)}, strides {list(stride)}, storage offset {offset}, and itemsize "
            f"{x.itemsize} requiring a storage size of {needed * x.itemsize} are out of bounds for storage of size "
            f"{x.nbytes}"
        )
    return AsStrided.apply(input, size, stride, offset)
