"""Running results along one dimension: cumsum, cumprod, cummax, cummin, logcumsumexp, diff.

What is summed from the left on the way forward is summed from the right on the way back. Where factors come in
(cumprod, logcumsumexp), the backward is a linear recurrence, with c the factors between neighbours:

    s_k = c_k s_{k−1} + b_k                         forward   (Scan)
    g_k = c_{k+1} g_{k+1} + ds_k                    backward: the same recurrence from the other end
    db_k = g_k,   dc_k = g_k s_{k−1}

It is right for any factors, zeros too, and is its own second derivative. Its price is a Python loop along the
dimension, so it is taken only where the shorter formulas, divisions of running sums, would divide by 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ndl.autograd.dtypes import as_dtype, as_numpy_dtype
from ndl.autograd.function import ArrayFunction
from ndl.ops import return_types
from ndl.ops.conversion import clone
from ndl.ops.dims import values, wrap_dim
from ndl.ops.joining import cat
from ndl.ops.picking import Pick
from ndl.ops.promotion import array_of, cast
from ndl.ops.reduced_dims import numpy_names

__all__ = ["cummax", "cummin", "cumprod", "cumsum", "diff", "logcumsumexp"]


def _along(axis: int, part: slice) -> tuple:
    """The index that takes ``part`` of one axis and everything of the others."""
    return (*(slice(None),) * axis, part)


_BACKWARDS, _FIRST, _LAST = slice(None, None, -1), slice(None, 1), slice(-1, None)
_BUT_FIRST, _BUT_LAST = slice(1, None), slice(None, -1)


class Scan(ArrayFunction):
    """s_k = c_k s_{k−1} + b_k along an axis;  db_k = g_k,  dc_k = g_k s_{k−1},  where  g_k = c_{k+1} g_{k+1} + ds_k.

    c is one shorter than b: c_k stands between k − 1 and k. With ``reverse`` all goes from the last to the first.
    """

    @staticmethod
    def forward(ctx: Any, c: np.ndarray, b: np.ndarray, axis: int, reverse: bool) -> np.ndarray:
        s = np.array(b)
        lines, factors = np.moveaxis(s, axis, 0), np.moveaxis(c, axis, 0)
        if reverse:
            lines, factors = lines[::-1], factors[::-1]
        for k in range(1, len(lines)):
            lines[k] += factors[k - 1] * lines[k - 1]
        ctx.axis, ctx.reverse = axis, reverse
        ctx.save_for_backward(c, s)
        return s

    @staticmethod
    def backward(ctx: Any, ds: Any) -> tuple:
        c, s = ctx.saved_tensors
        g = Scan.apply(c, ds, ctx.axis, not ctx.reverse)
        here, there = (_BUT_LAST, _BUT_FIRST) if ctx.reverse else (_BUT_FIRST, _BUT_LAST)
        return g[_along(ctx.axis, here)] * s[_along(ctx.axis, there)], g, None, None


def products_before(x: Any, axis: int) -> Any:
    """Π_{j<k} x_j for each k along ``axis`` (1 for the first), whatever is 0."""
    a = array_of(x)
    unit = np.zeros_like(a)
    unit[_along(axis, _FIRST)] = 1
    return Scan.apply(x[_along(axis, _BUT_LAST)], unit, axis, False)


def products_of_others(x: Any, axis: int) -> Any:
    """Π_{j≠k} x_j for each k along ``axis``: those before times those after, whatever is 0."""
    a = array_of(x)
    unit = np.zeros_like(a)
    unit[_along(axis, _LAST)] = 1
    return products_before(x, axis) * Scan.apply(x[_along(axis, _BUT_FIRST)], unit, axis, True)


def _running(ufunc: np.ufunc, x: np.ndarray, axis: int, reverse: bool = False) -> np.ndarray:
    """``ufunc`` accumulated along an axis. float32 and float16 run in a wider type, as in PyTorch, and are rounded
    once: an error would be carried along otherwise."""
    if x.ndim == 0:
        return x.copy()
    wide = {np.dtype(np.float32): np.float64, np.dtype(np.float16): np.float32}.get(x.dtype)
    y = np.empty_like(x)
    part = _along(axis, _BACKWARDS if reverse else slice(None))
    if wide is None:
        ufunc.accumulate(x[part], axis, x.dtype, y[part])
    else:
        y[part] = ufunc.accumulate(x[part], axis, wide)
    return y


class CumSum(ArrayFunction):
    """y_k = Σ_{j≤k} x_j along an axis;  dx_k = Σ_{j≥k} dy_j."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, axis: int, reverse: bool = False) -> np.ndarray:
        ctx.axis, ctx.reverse = axis, reverse
        return _running(np.add, x, axis, reverse)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        return CumSum.apply(dy, ctx.axis, not ctx.reverse), None, None


class CumProd(ArrayFunction):
    """y_k = Π_{j≤k} x_j along an axis;  dx_k = 1/x_k Σ_{j≥k} dy_j y_j.

    Where some x is 0, without division: dx_k = (Π_{j<k} x_j) g_k  with  g_k = x_{k+1} g_{k+1} + dy_k.
    """

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, axis: int) -> np.ndarray:
        ctx.axis = axis
        y = _running(np.multiply, x, axis)
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        x, y = ctx.saved_tensors
        if array_of(x).ndim == 0:
            return dy, None
        if array_of(x).all():
            return CumSum.apply(dy * y, ctx.axis, True) / x, None
        g = Scan.apply(x[_along(ctx.axis, _BUT_FIRST)], dy, ctx.axis, True)
        return products_before(x, ctx.axis) * g, None


def _summable(name: str, input: Any, dim: Any, dtype: Any) -> tuple[Any, int]:
    """The input in the type that is accumulated, int64 for integers, and the axis."""
    x = values(input, name)
    if dtype is not None:
        input = cast(input, as_numpy_dtype(dtype))
    elif x.dtype.kind in "biu":
        input = cast(input, np.dtype(np.int64))
    return input, wrap_dim(dim, x.ndim)


@numpy_names
def cumsum(input: Any, dim: Any, *, dtype: Any = None) -> Any:
    """Running sums along ``dim``; integers give int64. Gradient: running sums of dy from the other end."""
    return CumSum.apply(*_summable("cumsum", input, dim, dtype))


@numpy_names
def cumprod(input: Any, dim: Any, *, dtype: Any = None) -> Any:
    """Running products along ``dim``; integers give int64. Gradient: see ``CumProd``; right with zeros too."""
    return CumProd.apply(*_summable("cumprod", input, dim, dtype))


class LogCumSumExp(ArrayFunction):
    """y_k = log Σ_{j≤k} exp x_j along an axis;  dx_k = Σ_{j≥k} dy_j exp(x_k − y_j).

    With m = y_0 the sum is exp(x_k − m) Σ_{j≥k} dy_j exp(m − y_j). Where y grows by so much that those exponentials
    leave the type's range, dx_k = exp(x_k − y_k) g_k  with  g_k = exp(y_k − y_{k+1}) g_{k+1} + dy_k.
    """

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, axis: int) -> np.ndarray:
        ctx.axis = axis
        y = _running(np.logaddexp, x, axis)
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        x, y = ctx.saved_tensors
        a, axis = array_of(y), ctx.axis
        if a.ndim == 0:
            return dy, None
        m = a[_along(axis, _FIRST)].copy()
        growth = a[_along(axis, _LAST)] - m
        if (growth < 0.9 * np.log(np.finfo(a.dtype).max)).all():
            return np.exp(x - m) * CumSum.apply(dy * np.exp(m - y), axis, True), None
        c = np.exp(y[_along(axis, _BUT_LAST)] - y[_along(axis, _BUT_FIRST)])
        return np.exp(x - y) * Scan.apply(c, dy, axis, True), None


@numpy_names
def logcumsumexp(input: Any, dim: Any) -> Any:
    """log of the running sums of exp(input) along ``dim``, without overflow. Gradient: see ``LogCumSumExp``.

    Raises NotImplementedError for integers and booleans.
    """
    x = values(input, "logcumsumexp")
    if x.dtype.kind != "f":
        raise NotImplementedError(
            f'"logcumsumexp_out_cpu" not implemented for {as_dtype(x.dtype).name}: convert the tensor with .float()'
        )
    return LogCumSumExp.apply(input, wrap_dim(dim, x.ndim))


class PickLatest(ArrayFunction):
    """y_k = x_{i_k} along an axis, where i never decreases and i_k ≤ k;  dx_j = Σ dy_k over the k with i_k = j.

    i is piecewise constant, so each sum is over one run of dy.
    """

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, i: np.ndarray, axis: int) -> tuple:
        ctx.set_materialize_grads(False)
        ctx.axis = axis
        ctx.save_for_backward(i)
        return np.take_along_axis(x, i, axis), i

    @staticmethod
    def backward(ctx: Any, dy: Any, di: Any) -> tuple:
        (i,) = ctx.saved_tensors
        return SumRuns.apply(dy, array_of(i), ctx.axis), None, None


class SumRuns(ArrayFunction):
    """z_j = Σ y_k over the k with i_k = j, for i as in PickLatest;  dy_k = dz_{i_k}."""

    @staticmethod
    def forward(ctx: Any, y: np.ndarray, i: np.ndarray, axis: int) -> np.ndarray:
        ctx.i, ctx.axis = i, axis
        z = np.zeros_like(y, order="C")
        lines = np.ascontiguousarray(np.moveaxis(y, axis, -1))  # (…, n)
        places = np.moveaxis(i, axis, -1)
        starts = np.flatnonzero(places == np.arange(y.shape[axis]))  # i_k = k where a run begins; i_0 = 0
        sums = np.zeros_like(lines)
        sums.reshape(-1)[starts] = np.add.reduceat(lines.reshape(-1), starts)
        z[...] = np.moveaxis(sums, -1, axis)
        return z

    @staticmethod
    def backward(ctx: Any, dz: Any) -> tuple:
        return Pick.apply(dz, ctx.i, ctx.axis, True)[0], None, None


def _running_extreme(ufunc: np.ufunc, name: str, input: Any, dim: Any) -> Any:
    x = values(input, name)
    axis = wrap_dim(dim, x.ndim)
    if x.ndim == 0:
        y, i = _running_extreme(ufunc, name, input.reshape(1), 0)
        return getattr(return_types, name)(y.reshape(()), i.reshape(()))
    y = ufunc.accumulate(x, axis)
    k = np.arange(x.shape[axis]).reshape(-1, *(1,) * (x.ndim - axis - 1))
    found = (x == y) | (x != x)  # a new extreme, the same one again, or nan, which stays for good
    i = np.maximum.accumulate(np.where(found, k, 0), axis)
    return getattr(return_types, name)(*PickLatest.apply(input, i, axis))


@numpy_names
def cummax(input: Any, dim: Any) -> Any:
    """(values, indices) of the largest element so far along ``dim``, the latest of equal ones; nan is largest.

    Gradient: each dy goes to the element it was taken from.
    """
    return _running_extreme(np.maximum, "cummax", input, dim)


@numpy_names
def cummin(input: Any, dim: Any) -> Any:
    """(values, indices) of the smallest element so far along ``dim``, the latest of equal ones; nan is smallest.

    Gradient: each dy goes to the element it was taken from.
    """
    return _running_extreme(np.minimum, "cummin", input, dim)


@numpy_names
def diff(input: Any, n: int = 1, dim: int = -1, prepend: Any = None, append: Any = None) -> Any:
    """Differences of neighbours along ``dim``, y_k = x_{k+1} − x_k (xor for booleans), taken ``n`` times.

    ``prepend`` and ``append`` are joined to the input first. Gradient: dx_k = dy_{k−1} − dy_k. Raises RuntimeError
    for a tensor without dimensions, a negative ``n``, and joined tensors of another number of dimensions.
    """
    x = values(input, "diff")
    if x.ndim == 0:
        raise RuntimeError("diff expects input to be at least one-dimensional")
    if n < 0:
        raise RuntimeError(f"order must be non-negative but got {n}")
    axis = wrap_dim(dim, x.ndim)
    parts = [t for t in (prepend, input, append) if t is not None]
    if any(array_of(t).ndim != x.ndim for t in parts):
        raise RuntimeError("diff expects prepend or append to be the same dimension as input")
    y = input if len(parts) == 1 else cat(parts, axis)
    for _ in range(n):
        after, before = y[_along(axis, _BUT_FIRST)], y[_along(axis, _BUT_LAST)]
        y = np.not_equal(after, before) if x.dtype.kind == "b" else after - before
    return clone(y) if n == 0 else y
