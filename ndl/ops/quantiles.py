"""Values by rank: median, nanmedian, mode, quantile, nanquantile.

Each result is an element of the input, or lies between two of them, so the gradient goes to those (``Pick``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ndl.autograd.dtypes import as_dtype
from ndl.autograd.function import ArrayFunction
from ndl.autograd.tensor import Tensor
from ndl.ops import return_types
from ndl.ops.axes import movedim
from ndl.ops.combinations import lerp
from ndl.ops.dims import values, wrap_dim
from ndl.ops.elementwise import keep
from ndl.ops.gathering import gather
from ndl.ops.picking import Pick
from ndl.ops.promotion import array_of
from ndl.ops.reduced_dims import numpy_names, outside_graph, require_some
from ndl.ops.reduction import mean
from ndl.ops.sorting import order, place_of_rank

__all__ = ["median", "mode", "nanmedian", "nanquantile", "quantile"]

ROUNDED: dict[str, Callable] = {"lower": np.floor, "higher": np.ceil, "nearest": np.round}


class Middle(ArrayFunction):
    """y = the median of all of x;  dx = dy / m for each of the m elements equal to y (that are nan, if y is)."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, skip_nan: bool) -> np.ndarray:
        line = x.reshape(-1)
        y = np.asarray(line[_median_place(line, 0, skip_nan)[0]])
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        x, y = map(array_of, ctx.saved_tensors)
        equal = np.isnan(x) if np.isnan(y) else x == y
        m = x.dtype.type(np.count_nonzero(equal))
        return keep(dy / m, equal), None


def _median_place(x: np.ndarray, axis: int, skip_nan: bool) -> np.ndarray:
    """The place of the lower median along an axis, of the first nan if there is one and it is not to be skipped."""
    n = x.shape[axis]
    missing = np.isnan(x) if x.dtype.kind == "f" else None
    if missing is None or not missing.any():
        return place_of_rank(x, (n - 1) // 2, axis)
    counted = n - np.count_nonzero(missing, axis, keepdims=True)
    k = np.maximum(counted - 1, 0) // 2
    if not skip_nan:
        k = np.where(counted < n, counted, k)  # nan is sorted behind all numbers: the first one
    return np.take_along_axis(order(x, axis), k, axis)


def _median(name: str, input: Any, dim: Any, keepdim: bool) -> Any:
    x = values(input, name)
    if x.dtype.kind == "b":
        raise NotImplementedError(f'"{name}_cpu" not implemented for bool: convert the tensor with .int()')
    skip_nan = name == "nanmedian"
    if dim is None:
        if x.size == 0:  # what PyTorch gives: nan, or the smallest integer
            return (
                mean(input) if x.dtype.kind == "f" else outside_graph(np.array(np.iinfo(x.dtype).min, x.dtype), input)
            )
        return Middle.apply(input, skip_nan)
    axis = wrap_dim(dim, x.ndim)
    named = getattr(return_types, name)
    if x.ndim == 0:
        y, i = _median(name, input.reshape(1), 0, False)
        return named(y, i)
    require_some("median", x, (axis,))
    return named(*Pick.apply(input, _median_place(x, axis, skip_nan), axis, keepdim))


@numpy_names
def median(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The median, the lower one of two; with ``dim``, (values, indices) along it. nan if any element is nan.

    Gradient: of everything, dy divided evenly among equal elements; along ``dim``, dy to the one at the index, which
    of equal elements is the one that a stable sort puts in the middle. Raises IndexError if the dimension is empty.
    """
    return _median("median", input, dim, keepdim)


@numpy_names
def nanmedian(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The median of the elements that are not nan; see ``median``. nan if all are."""
    return _median("nanmedian", input, dim, keepdim)


@numpy_names
def mode(input: Any, dim: Any = -1, keepdim: bool = False) -> Any:
    """(values, indices) of the most frequent element along ``dim``, the smallest of several, at its last place.

    Gradient: dy to the element at the index. Raises IndexError if the dimension is empty.
    """
    x = values(input, "mode")
    axis = wrap_dim(dim, x.ndim)
    if x.ndim == 0:
        return return_types.mode(*mode(input.reshape(1), 0, False))
    require_some("mode", x, (axis,))
    places = np.moveaxis(order(x, axis), axis, -1)
    lines = np.take_along_axis(np.moveaxis(x, axis, -1), places, -1)
    k = np.arange(x.shape[axis])
    begins = np.ones(lines.shape, bool)
    begins[..., 1:] = lines[..., 1:] != lines[..., :-1]
    in_run = k - np.maximum.accumulate(np.where(begins, k, 0), -1)  # 0, 1, 2, … within a run of equal elements
    last = np.argmax(in_run, -1, keepdims=True)  # the end of the first longest run
    i = np.moveaxis(np.take_along_axis(places, last, -1), -1, axis)
    return return_types.mode(*Pick.apply(input, i, axis, keepdim))


def _quantile(name: str, input: Any, q: Any, dim: Any, keepdim: bool, interpolation: str) -> Any:
    x = values(input, name)
    _check_quantile(name, x, q, interpolation)
    axis = 0 if dim is None else wrap_dim(dim, x.ndim)
    if dim is None or x.ndim == 0:
        shape = (1,) * x.ndim if keepdim else ()
        input = input.reshape(-1)
    else:
        shape = (*x.shape[:axis], *((1,) if keepdim else ()), *x.shape[axis + 1 :])
    several = isinstance(q, (Tensor, np.ndarray)) and array_of(q).ndim == 1
    q = q.reshape(-1) if isinstance(q, (Tensor, np.ndarray)) else np.array([q], x.dtype)  # (m,)

    lines = np.moveaxis(array_of(input), axis, -1)  # (…, n)
    places = order(lines, lines.ndim - 1)
    n = lines.shape[-1]
    missing = np.count_nonzero(np.isnan(lines), -1, keepdims=True)  # (…, 1)
    if name == "nanquantile":
        rank = q * np.maximum(n - missing - 1, 0).astype(x.dtype)  # (…, m)
    else:  # the last one of a sorted line is nan if any is
        rank = q * np.where(missing > 0, 0, n - 1).astype(x.dtype) + np.where(missing > 0, n - 1, 0).astype(x.dtype)
    y = _between(input, places, rank, axis, interpolation)
    # The quantiles lie along the axis that was reduced; PyTorch wants them in front, or gone if q is one number.
    y = movedim(y, axis, 0)
    return y.reshape((*((len(q),) if several else ()), *shape))


def _between(input: Any, places: np.ndarray, rank: Any, axis: int, interpolation: str) -> Any:
    """The elements of these ranks along an axis, and something between two of them for ranks that are not whole."""
    r = array_of(rank)
    if interpolation in ROUNDED:
        return _of_rank(input, places, ROUNDED[interpolation](r), axis)
    below, above = np.floor(r), np.ceil(r)
    weight = rank - below if interpolation == "linear" else (above - below) / 2
    y, z = (_of_rank(input, places, whole, axis) for whole in (below, above))
    return lerp(y, z, movedim(weight, -1, axis))


def _of_rank(input: Any, places: np.ndarray, rank: np.ndarray, axis: int) -> Any:
    i = np.take_along_axis(places, rank.astype(np.int64), -1)  # (…, m)
    return gather(input, axis, np.moveaxis(i, -1, axis))


def _check_quantile(name: str, x: np.ndarray, q: Any, interpolation: str) -> None:
    if x.size == 0:
        raise RuntimeError(f"{name}() input tensor must be non-empty")
    if x.dtype not in (np.float32, np.float64):
        raise RuntimeError(
            f"{name}() input tensor must be either float or double dtype, but is {as_dtype(x.dtype).name}"
        )
    if isinstance(q, (Tensor, np.ndarray)):
        ranks = array_of(q)
        if ranks.ndim > 1:
            raise RuntimeError(f"{name}() q must be a scalar or 1D tensor, but has {ranks.ndim} dimensions")
        if ranks.dtype != x.dtype:
            raise RuntimeError(f"{name}() q tensor must be same dtype as the input tensor: {as_dtype(x.dtype).name}")
    if not np.all((np.asarray(array_of(q)) >= 0) & (np.asarray(array_of(q)) <= 1)):
        raise RuntimeError(f"{name}() q must be in the range [0, 1] but got {q}")
    if interpolation not in (*ROUNDED, "linear", "midpoint"):
        raise RuntimeError(
            f"{name}() interpolation must be one of linear, lower, higher, midpoint or nearest, but got {interpolation}"
        )


@numpy_names
def quantile(input: Any, q: Any, dim: Any = None, keepdim: bool = False, *, interpolation: str = "linear") -> Any:
    """The q-quantiles, at rank q (n − 1) of the sorted elements over ``dim``; nan if any element is nan.

    ``q`` is a number, or a tensor of one dimension, which comes first in the result. Between two elements a ≤ b with
    weight w: a + w (b − a) (linear), a, b, their mean, or the nearer one. Gradients: dy (1 − w) to a, dy w to b, and
    dy (b − a) (n − 1) to a tensor q.
    Raises RuntimeError for an empty or integer input, and for a q outside [0, 1].
    """
    return _quantile("quantile", input, q, dim, keepdim, interpolation)


@numpy_names
def nanquantile(input: Any, q: Any, dim: Any = None, keepdim: bool = False, *, interpolation: str = "linear") -> Any:
    """The q-quantiles of the elements that are not nan; nan where all are. See ``quantile``."""
    return _quantile("nanquantile", input, q, dim, keepdim, interpolation)
