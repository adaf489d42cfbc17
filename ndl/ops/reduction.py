"""Reductions: sum, mean, prod, logsumexp and their kin, and all, any, count_nonzero.

Each takes ``dim``: None for everything, one dimension, or (but for prod) several. With ``keepdim`` they stay, with
length 1. The backward of a sum hands dy to every element that was summed, so ``Sum`` and ``Spread`` are each other's
backward; the others multiply by ∂y/∂x_i on the way.
"""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

from ndl.autograd.dtypes import as_dtype, as_numpy_dtype
from ndl.autograd.function import ArrayFunction
from ndl.kernels.summation import sum_over
from ndl.ops.cumulative import products_of_others
from ndl.ops.dims import values, wrap_dim
from ndl.ops.elementwise import keep
from ndl.ops.promotion import array_of, cast, to_float
from ndl.ops.reduced_dims import kept_shape, number_reduced, numpy_names, outside_graph, reduced_axes

__all__ = ["all", "any", "count_nonzero", "logsumexp", "mean", "nanmean", "nansum", "prod", "sum"]


class Sum(ArrayFunction):
    """y = Σ x over axes;  dx = dy for every element that was summed."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, axes: tuple | None, keepdim: bool = False) -> np.ndarray:
        ctx.axes, ctx.shape = axes, x.shape
        y = sum_over(x, axes)
        return y.reshape(kept_shape(x.shape, axes)) if keepdim else y

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        return Spread.apply(dy, ctx.axes, ctx.shape), None, None


class Spread(ArrayFunction):
    """y = x repeated along axes until it has the given shape, without a copy;  dx = Σ dy over axes."""

    view = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, axes: tuple | None, shape: tuple) -> np.ndarray:
        ctx.axes, ctx.shape = axes, x.shape
        if axes is None:  # one number everywhere: np.broadcast_to takes ten times as long
            y = np.ndarray(shape, x.dtype, x, 0, (0,) * len(shape))
            y.flags.writeable = False
            return y
        return np.broadcast_to(x.reshape(kept_shape(shape, axes)), shape)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        return Sum.apply(dy, ctx.axes).reshape(ctx.shape), None, None


@numpy_names
def sum(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """Σ input over ``dim``; 0 for no elements. Gradient: dy for every element.

    Integers and booleans give int64; ``dtype`` converts the input first.
    """
    x = values(input, "sum")
    if dtype is not None:
        input = cast(input, as_numpy_dtype(dtype))
        if array_of(input).dtype != np.int64 and array_of(input).dtype.kind in "biu":
            return cast(sum(input, dim, keepdim), as_numpy_dtype(dtype))
    return Sum.apply(input, None if dim is None else reduced_axes(dim, x.ndim), keepdim)


class Mean(ArrayFunction):
    """y = 1/n Σ x over axes, n elements each;  dx = dy/n for every element."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, axes: tuple | None, keepdim: bool) -> np.ndarray:
        n = number_reduced(x.shape, axes)
        ctx.axes, ctx.shape, ctx.n = axes, x.shape, n
        wide = x.astype(np.float32) if x.dtype == np.float16 else x
        y = (sum_over(wide, axes) / wide.dtype.type(n)).astype(x.dtype, copy=False)
        return np.asarray(y.reshape(kept_shape(x.shape, axes)) if keepdim else y)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        return Spread.apply(dy / ctx.n if ctx.n else dy, ctx.axes, ctx.shape), None, None


@numpy_names
def mean(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The average over ``dim``; nan for no elements. Gradient: dy / n for each of the n elements.

    Raises RuntimeError for integers and booleans, unless ``dtype`` names a float to convert them to.
    """
    x = values(input, "mean")
    if dtype is not None:
        input = cast(input, as_numpy_dtype(dtype))
    if array_of(input).dtype.kind not in "fc":
        raise RuntimeError(
            "mean(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. Got: "
            f"{as_dtype(array_of(input).dtype).name}; convert it with .float(), or give a floating dtype="
        )
    return Mean.apply(input, None if dim is None else reduced_axes(dim, x.ndim), keepdim)


class Numbers(ArrayFunction):
    """y = x, but 0 where x is nan;  dx = dy · 1, or dy · 0 where x is nan."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        there = ~np.isnan(x)
        ctx.there = there.astype(x.dtype)
        return keep(x, there)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        return dy * ctx.there


@numpy_names
def nansum(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """Σ of the elements that are not nan. Gradient: dy for those, 0 for nan."""
    x = values(input, "nansum")
    if x.dtype.kind == "f":
        input = Numbers.apply(input)
    return sum(input, dim, keepdim, dtype=dtype)


@numpy_names
def nanmean(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The average of the elements that are not nan; nan if all are. Gradient: dy / n for the n that count.

    Raises RuntimeError for integers and booleans.
    """
    x = values(input, "nanmean")
    if x.dtype.kind not in "fc":
        raise RuntimeError(
            f"nanmean(): expected input to have floating point or complex dtype but got {as_dtype(x.dtype).name}; "
            "convert it with .float()"
        )
    total = nansum(input, dim, keepdim, dtype=dtype)
    count = np.asarray(sum_over(~np.isnan(x), reduced_axes(dim, x.ndim)), array_of(total).dtype)
    return total / outside_graph(count.reshape(array_of(total).shape), input)


_WIDER = {np.dtype(np.float16): np.float32, np.dtype(np.float32): np.float64}


class Prod(ArrayFunction):
    """y = Π x along an axis;  dx_i = dy Π_{j≠i} x_j, which is dy y / x_i where no x is 0."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, axis: int | None, keepdim: bool) -> np.ndarray:
        kept = kept_shape(x.shape, None if axis is None else (axis,))
        wide: Any = np.int64 if x.dtype.kind in "biu" else _WIDER.get(x.dtype)  # rounding errors would multiply
        y = np.asarray(np.multiply.reduce(x, axis, wide))
        y = y.astype(x.dtype) if wide in (np.float32, np.float64) else y
        y = y.reshape(kept) if keepdim else y
        ctx.axis, ctx.kept = axis, kept
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        x, y = ctx.saved_tensors
        dy, y = dy.reshape(ctx.kept), y.reshape(ctx.kept)
        if array_of(x).all():
            dx = dy * y / x
        elif ctx.axis is None:
            dx = dy * products_of_others(x.reshape(-1), 0).reshape(x.shape)
        else:
            dx = dy * products_of_others(x, ctx.axis)
        return dx, None, None


@numpy_names
def prod(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """Π input over everything or one ``dim``; 1 for no elements. Gradient: dy times the product of the others.

    Integers and booleans give int64; ``dtype`` converts the input first.
    """
    x = values(input, "prod")
    if dtype is not None:
        input = cast(input, as_numpy_dtype(dtype))
    axis = None if dim is None else wrap_dim(dim, x.ndim)
    y = Prod.apply(input, axis if x.ndim else None, keepdim)
    return y if dtype is None else cast(y, as_numpy_dtype(dtype))


class LogSumExp(ArrayFunction):
    """y = log Σ exp x;  dx = dy exp(x − y), the softmax of x.

    Computed as m + log Σ exp(x − m) with m the largest x, so that no exponential overflows.
    """

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, axes: tuple | None, keepdim: bool) -> np.ndarray:
        ctx.kept = kept = kept_shape(x.shape, axes)
        m = np.asarray(np.maximum.reduce(x, axes, keepdims=True, initial=-np.inf))
        m[~np.isfinite(m)] = 0  # all −∞, or one ∞: the sum itself is right then
        total = sum_over(np.exp(x - m), axes)
        y = np.asarray(np.log(total) + m.reshape(total.shape))
        y = y.reshape(kept) if keepdim else y
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        x, y = ctx.saved_tensors
        return dy.reshape(ctx.kept) * np.exp(x - y.reshape(ctx.kept)), None, None


@numpy_names
def logsumexp(input: Any, dim: Any, keepdim: bool = False) -> Any:
    """log Σ exp input over ``dim``; −∞ for no elements. Gradient: dy · softmax(input)."""
    x = values(input, "logsumexp")
    return LogSumExp.apply(to_float(input), reduced_axes(dim, x.ndim), keepdim)


# -- truth: results without a gradient --------------------------------------------------------------------------


def _truth(ufunc: np.ufunc, name: str, input: Any, dim: Any, keepdim: bool) -> Any:
    x = values(input, name)
    axes = reduced_axes(dim, x.ndim) if dim != () else ()
    y = np.asarray(ufunc.reduce(x, axes, bool, keepdims=keepdim))
    return outside_graph(y.astype(np.uint8) if x.dtype == np.uint8 else y, input)


@numpy_names
def all(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """Whether all elements over ``dim`` are nonzero: bool (uint8 for uint8); True for no elements."""
    return _truth(np.logical_and, "all", input, dim, keepdim)


@numpy_names
def any(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """Whether any element over ``dim`` is nonzero: bool (uint8 for uint8); False for no elements."""
    return _truth(np.logical_or, "any", input, dim, keepdim)


@numpy_names
def count_nonzero(input: Any, dim: Any = None) -> Any:
    """How many elements over ``dim`` are nonzero, as int64."""
    x = values(input, "count_nonzero")
    return outside_graph(np.asarray(np.count_nonzero(x, reduced_axes(dim, x.ndim)), np.int64), input)


def sum_to_size(input: Any, *size: Any) -> Any:
    """The sum over what broadcasting from ``size`` to this shape would repeat. dx = dy for every element summed.

    Raises RuntimeError if ``size`` does not broadcast to this shape.
    """
    want = tuple(size[0]) if len(size) == 1 and not isinstance(size[0], int) else size
    have = tuple(input.shape)
    lead = len(have) - len(want)
    if lead < 0 or not builtins.all(n in (1, m) for n, m in zip(want, have[lead:])):
        raise RuntimeError(f"size {{{list(want)}}} is not expandable to size {{{list(have)}}}.")
    axes = (*range(lead), *[lead + k for k, n in enumerate(want) if n == 1 and have[lead + k] != 1])
    return (Sum.apply(input, axes, True) if axes else input).reshape(want)
