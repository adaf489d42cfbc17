"""The largest and the smallest: max, min, amax, amin, aminmax, argmax, argmin.

They differ in what happens where several elements are equally large. ``amax`` and the max of everything divide the
gradient evenly among them; ``max`` along a dimension names one place, the first, and gives all of it to that. nan
counts as the largest and as the smallest, the first of several.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ndl.autograd.function import ArrayFunction
from ndl.autograd.tensor import Tensor
from ndl.ops import return_types
from ndl.ops.dims import values, wrap_dim
from ndl.ops.elementwise import keep
from ndl.ops.extrema import maximum, minimum
from ndl.ops.picking import Drop
from ndl.ops.promotion import array_of
from ndl.ops.reduced_dims import kept_shape, numpy_names, outside_graph, reduced_axes, require_some

__all__ = ["amax", "amin", "aminmax", "argmax", "argmin", "max", "min"]


class Extreme(ArrayFunction):
    """y = the extreme of x over axes;  dx = dy / m for each of the m elements equal to y, 0 for the others.

    Where y is nan, none is equal to it, and dx is nan; with ``share_nan`` the elements that are nan share dy.
    """

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, ufunc: np.ufunc, axes: tuple | None, keepdim: bool, share_nan: bool) -> Any:
        y = np.asarray(ufunc.reduce(x, axes, keepdims=keepdim))
        ctx.axes, ctx.kept, ctx.share_nan = axes, kept_shape(x.shape, axes), share_nan
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        x, y = ctx.saved_tensors
        x, y = array_of(x), array_of(y).reshape(ctx.kept)
        equal = x == y
        if ctx.share_nan and np.isnan(y).any():
            equal = np.isnan(x)
        m = np.add.reduce(equal, ctx.axes, x.dtype, keepdims=True)
        share = dy.reshape(ctx.kept) / m
        dx = keep(share, equal) if ctx.share_nan else share * equal.astype(x.dtype)
        return dx, None, None, None, None


def _most(ufunc: np.ufunc, name: str, input: Any, dim: Any, keepdim: bool, share_nan: bool = False) -> Any:
    x = values(input, name)
    axes = reduced_axes(dim, x.ndim)
    require_some(name, x, axes)
    return Extreme.apply(input, ufunc, axes, keepdim, share_nan)


@numpy_names
def amax(input: Any, dim: Any = (), keepdim: bool = False) -> Any:
    """The largest element over ``dim``. Gradient: dy, divided evenly among equal ones.

    Raises IndexError (RuntimeError for everything) if there is nothing to reduce.
    """
    return _most(np.maximum, "amax", input, dim, keepdim)


@numpy_names
def amin(input: Any, dim: Any = (), keepdim: bool = False) -> Any:
    """The smallest element over ``dim``. Gradient: dy, divided evenly among equal ones.

    Raises IndexError (RuntimeError for everything) if there is nothing to reduce.
    """
    return _most(np.minimum, "amin", input, dim, keepdim)


@numpy_names
def aminmax(input: Any, *, dim: Any = None, keepdim: bool = False) -> Any:
    """(min, max) over everything or one ``dim``. Gradients as ``amin`` and ``amax``."""
    x = values(input, "aminmax")
    if dim is None and x.size == 0:
        raise RuntimeError(
            "aminmax(): cannot compute aminmax over an empty dimension as the operation has no identity."
        )
    axis = None if dim is None else wrap_dim(dim, x.ndim)
    return return_types.aminmax(
        _most(np.minimum, "aminmax", input, axis, keepdim), _most(np.maximum, "aminmax", input, axis, keepdim)
    )


class ExtremeAlong(ArrayFunction):
    """y = the extreme of x along an axis, and its place i, the first of several;  dx = 0 but for dy at i."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, ufunc: np.ufunc, find: Callable, axis: int, keepdim: bool) -> tuple:
        y, i = ufunc.reduce(x, axis, keepdims=keepdim), find(x, axis=axis, keepdims=keepdim)
        y, i = np.asarray(y), np.asarray(i)
        ctx.set_materialize_grads(False)  # no zeros for di, which nobody reads
        ctx.size, ctx.axis, ctx.keepdim = x.shape[axis], axis, keepdim
        ctx.save_for_backward(i)
        return y, i

    @staticmethod
    def backward(ctx: Any, dy: Any, di: Any) -> tuple:
        (i,) = ctx.saved_tensors
        return Drop.apply(dy, array_of(i), ctx.axis, ctx.keepdim, ctx.size), None, None, None, None


def _max_or_min(name: str, input: Any, dim: Any, keepdim: bool) -> Any:
    """max and min in their three forms; ``dim`` is a dimension, the other operand, or None."""
    x = values(input, name)
    ufunc, find, pairwise = (np.maximum, np.argmax, maximum) if name == "max" else (np.minimum, np.argmin, minimum)
    if dim is None:
        return _most(ufunc, name, input, None, keepdim, share_nan=True)
    if isinstance(dim, (Tensor, np.ndarray)):
        return pairwise(input, dim)
    axis = wrap_dim(dim, x.ndim)
    named = getattr(return_types, name)
    if x.ndim == 0:
        y = _most(ufunc, name, input, None, False, share_nan=True)
        return named(y, outside_graph(np.zeros((), np.int64), input))
    require_some(name, x, (axis,))
    return named(*ExtremeAlong.apply(input, ufunc, find, axis, keepdim))


@numpy_names
def max(input: Any, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
    """The largest element; with ``dim``, (values, indices) along it; with another tensor, the elementwise maximum.

    Gradient: of everything, dy divided evenly among equal ones; along ``dim``, dy to the one at the index, the first
    of equal ones; of two tensors, see ``maximum``. Raises IndexError (RuntimeError for everything) if there is
    nothing to reduce.
    """
    return _max_or_min("max", input, dim if other is None else other, keepdim)


@numpy_names
def min(input: Any, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
    """The smallest element; with ``dim``, (values, indices) along it; with another tensor, the elementwise minimum.

    Gradient: of everything, dy divided evenly among equal ones; along ``dim``, dy to the one at the index, the first
    of equal ones; of two tensors, see ``minimum``. Raises IndexError (RuntimeError for everything) if there is
    nothing to reduce.
    """
    return _max_or_min("min", input, dim if other is None else other, keepdim)


def _arg(find: Callable, name: str, input: Any, dim: Any, keepdim: bool) -> Any:
    x = values(input, name)
    if x.dtype.kind == "b":
        raise RuntimeError(f"{name}(): does not support bool input; convert it with .int()")
    axis = None if dim is None else wrap_dim(dim, x.ndim)
    if x.size == 0 and axis is None:
        raise IndexError(f"{name}(): Expected reduction dim to be specified for input.numel() == 0.")
    if axis is not None and x.ndim:
        require_some(name, x, (axis,))
    return outside_graph(find(x, axis=axis if x.ndim else None, keepdims=keepdim), input)


@numpy_names
def argmax(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """Where the largest element is, the first of equal ones: along ``dim``, or counted over everything."""
    return _arg(np.argmax, "argmax", input, dim, keepdim)


@numpy_names
def argmin(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """Where the smallest element is, the first of equal ones: along ``dim``, or counted over everything."""
    return _arg(np.argmin, "argmin", input, dim, keepdim)
