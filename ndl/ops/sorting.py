"""Order along one dimension: sort, argsort, msort, topk, kthvalue.

A sorted tensor is a permutation of the input, y_k = x_{i_k}, so the gradient goes back the way it came: dx_{i_k} =
dy_k (``Pick`` in picking.py). nan is larger than every number.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ndl.ops import return_types
from ndl.ops.dims import values, wrap_dim
from ndl.ops.picking import Pick
from ndl.ops.reduced_dims import numpy_names, outside_graph, require_some

__all__ = ["argsort", "kthvalue", "msort", "sort", "topk"]


def order(x: np.ndarray, axis: int, descending: bool = False) -> np.ndarray:
    """The places that sort x along an axis; equal elements stay in their order, also when descending."""
    if not descending:
        return np.argsort(x, axis, kind="stable")
    # The reverse of an ascending order would turn equal elements round; of the reversed x, it turns them twice.
    return x.shape[axis] - 1 - np.flip(np.argsort(np.flip(x, axis), axis, kind="stable"), axis)


def place_of_rank(x: np.ndarray, k: int, axis: int) -> np.ndarray:
    """The k-th entry of ``order`` along an axis, found without sorting."""
    y = np.partition(x, k, axis).take([k], axis)
    if y.dtype.kind == "f" and np.isnan(y).any():
        return order(x, axis).take([k], axis)
    equal = x == y
    before = k - np.count_nonzero(x < y, axis, keepdims=True)  # how many equal elements come first in the order
    if before.any():
        equal = np.cumsum(equal, axis) > before
    return np.argmax(equal, axis, keepdims=True)


@numpy_names
def sort(input: Any, dim: Any = -1, descending: bool = False, *, stable: Any = None) -> Any:
    """(values, indices): input sorted along ``dim``, equal elements in their order. Gradient: dy, put back in place.

    The sort is stable with and without ``stable``.
    """
    x = values(input, "sort")
    axis = wrap_dim(dim, x.ndim)
    if x.ndim == 0:
        return return_types.sort(*_of_one(input))
    return return_types.sort(*Pick.apply(input, order(x, axis, descending), axis, True))


def _of_one(input: Any) -> tuple:
    """(values, indices) for a tensor without dimensions."""
    y, i = Pick.apply(input.reshape(1), np.zeros(1, np.int64), 0, True)
    return y.reshape(()), i.reshape(())


@numpy_names
def argsort(input: Any, dim: Any = -1, descending: bool = False, *, stable: bool = False) -> Any:
    """The indices that sort input along ``dim``; equal elements stay in their order."""
    x = values(input, "argsort")
    axis = wrap_dim(dim, x.ndim)
    return outside_graph(order(x, axis, descending) if x.ndim else np.zeros((), np.int64), input)


def msort(input: Any) -> Any:
    """The values of ``sort`` along the first dimension."""
    return sort(input, 0).values


@numpy_names
def topk(input: Any, k: int, dim: Any = -1, largest: bool = True, sorted: bool = True) -> Any:
    """(values, indices) of the k largest (or smallest) elements along ``dim``, in order.

    Among equal elements, which ones are taken is not specified. Gradient: dy to the elements taken, 0 to the others.
    Raises RuntimeError if there are not k elements, and for booleans.
    """
    x = values(input, "topk")
    axis = wrap_dim(dim, x.ndim)
    n = x.shape[axis] if x.ndim else 1
    if not 0 <= k <= n:
        raise RuntimeError(f"selected index k out of range: k is {k}, and dimension {dim} has {n} elements")
    if x.dtype.kind == "b":
        raise RuntimeError("topk does not support bool dtypes on CPU; convert the tensor with .int()")
    if x.ndim == 0:
        return return_types.topk(*_of_one(input))
    if n <= 64 or k > n // 4 or k == 0:
        i = order(x, axis, largest)[(*(slice(None),) * axis, slice(k))]
    elif k <= 8 and x.dtype.kind == "f" and np.isfinite(x).all():
        i = _one_by_one(x, k, axis, largest)
    else:
        i = _part(x, k, axis, largest)
    return return_types.topk(*Pick.apply(input, i, axis, True))


def _one_by_one(x: np.ndarray, k: int, axis: int, largest: bool) -> np.ndarray:
    """The places of the k largest: the largest, then the largest of the rest, …: k fast passes beat one slow one."""
    find, taken = (np.argmax, -np.inf) if largest else (np.argmin, np.inf)
    rest = np.moveaxis(x, axis, -1).copy()
    places = np.empty((*rest.shape[:-1], k), np.int64)
    for j in range(k):
        place = find(rest, axis=-1, keepdims=True)
        places[..., j : j + 1] = place
        np.put_along_axis(rest, place, taken, -1)
    return np.moveaxis(places, -1, axis)


def _part(x: np.ndarray, k: int, axis: int, largest: bool) -> np.ndarray:
    """The places of the k largest, found without order and then sorted: saves sorting the rest."""
    n = x.shape[axis]
    there = np.argpartition(x, n - k if largest else k - 1, axis)
    chosen = slice(n - k, None) if largest else slice(k)
    i = np.sort(there[(*(slice(None),) * axis, chosen)], axis)  # so that equal elements come in their order
    return np.take_along_axis(i, order(np.take_along_axis(x, i, axis), axis, largest), axis)


@numpy_names
def kthvalue(input: Any, k: int, dim: Any = -1, keepdim: bool = False) -> Any:
    """(values, indices) of the k-th smallest element (counted from 1) along ``dim``.

    Gradient: dy to that element; of equal ones, to the one that a stable sort puts there. Raises RuntimeError if
    there are not k elements, IndexError if there are none.
    """
    x = values(input, "kthvalue")
    axis = wrap_dim(dim, x.ndim)
    if x.ndim:
        require_some("kthvalue", x, (axis,))
    if not 1 <= k <= (x.shape[axis] if x.ndim else 1):
        raise RuntimeError(f"kthvalue(): selected number k out of range for dimension {axis}: k is {k}")
    if x.ndim == 0:
        return return_types.kthvalue(*_of_one(input))
    return return_types.kthvalue(*Pick.apply(input, place_of_rank(x, k - 1, axis), axis, keepdim))
