"""Spread around the mean: var, std, var_mean, std_mean.

    y = 1/(n − c) Σ (x − m)²,  m = 1/n Σ x

The correction c is 1 by default (Bessel: unbiased if x is a sample), 0 for the variance of x itself. In the backward
the part through m vanishes, because Σ (x − m) = 0:

    dx_i = dy 2/(n − c) (x_i − m)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ndl.autograd.function import ArrayFunction
from ndl.kernels.summation import sum_over
from ndl.ops.dims import values
from ndl.ops.elementwise import keep
from ndl.ops.reduced_dims import kept_shape, number_reduced, numpy_names, reduced_axes
from ndl.ops.reduction import Mean, mean

__all__ = ["std", "std_mean", "var", "var_mean"]


class Var(ArrayFunction):
    """y = Σ (x − m)² / (n − c) over axes;  dx = 2 dy (x − m) / (n − c)."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, axes: tuple | None, c: float, keepdim: bool) -> np.ndarray:
        y = _variance(ctx, x, axes, c, keepdim).astype(x.dtype, copy=False)
        ctx.save_for_backward(x)
        return y

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        (x,) = ctx.saved_tensors
        return dy.reshape(ctx.kept) * (2 / ctx.dof) * _centred(ctx, x), None, None, None


class Std(ArrayFunction):
    """y = √(Σ (x − m)² / (n − c)) over axes;  dx = dy (x − m) / ((n − c) y), 0 where y is 0."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, axes: tuple | None, c: float, keepdim: bool) -> np.ndarray:
        y = np.sqrt(_variance(ctx, x, axes, c, keepdim))
        y = np.asarray(y).astype(x.dtype, copy=False)
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        x, y = ctx.saved_tensors
        slope = keep(dy / y, y != 0).reshape(ctx.kept)
        return slope * (1 / ctx.dof) * _centred(ctx, x), None, None, None


def _variance(ctx: Any, x: np.ndarray, axes: tuple | None, c: float, keepdim: bool) -> np.ndarray:
    """The variance, in float32 for float16; leaves in ``ctx`` what both backward passes need."""
    kept, n = kept_shape(x.shape, axes), number_reduced(x.shape, axes)
    wide = x.astype(np.float32) if x.dtype == np.float16 else x
    dtype = wide.dtype.type
    m = sum_over(wide, axes).reshape(kept) / dtype(n)
    squares = np.asarray(wide - m)
    np.square(squares, out=squares)
    y = np.asarray(sum_over(squares, axes) / dtype(max(n - c, 0) if n else 0))  # of nothing: 0 / 0
    if (y.reshape(kept) <= np.square(m * n * np.finfo(dtype).eps)).any():  # equal values, of which m is a rounding?
        equal = np.ptp(wide, axes, keepdims=True) == 0
        m = np.where(equal, np.maximum.reduce(wide, axes, keepdims=True), m)
        y = np.where(equal.reshape(y.shape), dtype(0), y)
    ctx.axes, ctx.kept, ctx.dof, ctx.mean = axes, kept, dtype(n - c), m
    return y.reshape(kept) if keepdim else y


def _centred(ctx: Any, x: Any) -> Any:
    return x - (Mean.apply(x, ctx.axes, True) if ctx.recording else ctx.mean)


def _arguments(name: str, input: Any, dim: Any, unbiased: Any, correction: Any) -> tuple:
    """(axes, correction) from PyTorch's two signatures, in the first of which ``dim`` may be left out."""
    x = values(input, name)
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    if unbiased is not None and correction is not None:
        raise TypeError(f"{name}() takes unbiased or correction, not both: correction=1 is unbiased=True")
    if x.dtype.kind not in "fc":
        raise RuntimeError("std and var only support floating point and complex dtypes; convert it with .float()")
    if correction is None:
        correction = 0 if unbiased is False else 1
    return reduced_axes(dim, x.ndim), correction


@numpy_names
def var(input: Any, dim: Any = None, unbiased: Any = None, keepdim: bool = False, *, correction: Any = None) -> Any:
    """Σ (x − mean)² / (n − correction) over ``dim``. Gradient: 2 dy (x − mean) / (n − correction).

    ``var(input, unbiased)`` and ``var(input, dim, unbiased)`` are the older form. Raises RuntimeError for integers.
    """
    return Var.apply(input, *_arguments("var", input, dim, unbiased, correction), keepdim)


@numpy_names
def std(input: Any, dim: Any = None, unbiased: Any = None, keepdim: bool = False, *, correction: Any = None) -> Any:
    """√var over ``dim``. Gradient: dy (x − mean) / ((n − correction) std), 0 where std is 0.

    ``std(input, unbiased)`` and ``std(input, dim, unbiased)`` are the older form. Raises RuntimeError for integers.
    """
    return Std.apply(input, *_arguments("std", input, dim, unbiased, correction), keepdim)


@numpy_names
def var_mean(
    input: Any, dim: Any = None, unbiased: Any = None, keepdim: bool = False, *, correction: Any = None
) -> tuple:
    """(var, mean) over ``dim``; see ``var``."""
    axes, c = _arguments("var_mean", input, dim, unbiased, correction)
    return Var.apply(input, axes, c, keepdim), mean(input, axes, keepdim)


@numpy_names
def std_mean(
    input: Any, dim: Any = None, unbiased: Any = None, keepdim: bool = False, *, correction: Any = None
) -> tuple:
    """(std, mean) over ``dim``; see ``std``."""
    axes, c = _arguments("std_mean", input, dim, unbiased, correction)
    return Std.apply(input, axes, c, keepdim), mean(input, axes, keepdim)


def with_ddof(function: Callable) -> Callable:
    """``function`` under NumPy's arguments, whose correction is called ddof and is 0 by default."""

    def as_in_numpy(a: Any, axis: Any = None, *, ddof: float = 0, keepdims: bool = False) -> Any:
        return function(a, axis, correction=ddof, keepdim=keepdims)

    return as_in_numpy
