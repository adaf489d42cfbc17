"""Reading at an index along one dimension: gather, index_select, take, take_along_dim.

For dim = 1 of three,

    gather          y_abc = x_a i(abc) c     an index for every element of the result
    index_select    y_abc = x_a i(b) c       one index for the whole dimension
    take            y_abc = x_i(abc)         x counted through

and the backward of each adds every dy to the dx it was read from. All rest on ``places``: the indices of the other
dimensions are 0, 1, 2, ….
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ndl.autograd.function import ArrayFunction
from ndl.autograd.tensor import Tensor
from ndl.ops.dims import takes_axis, values, wrap_dim
from ndl.ops.places import Index, in_our_words
from ndl.ops.promotion import array_of
from ndl.ops.shape import broadcast_shapes, expand, reshape

__all__ = ["gather", "index_select", "take", "take_along_dim"]


@takes_axis
def gather(input: Any, dim: int, index: Any, *, sparse_grad: bool = False) -> Any:
    """y_abc = x_a i(abc) c for dim = 1: along ``dim`` the element that the index names, elsewhere the same place.

    dx adds dy up at the places it was read from. The index may be smaller than x in other dimensions. Raises
    RuntimeError for indices outside 0 … n − 1.
    """
    x, i = values(input, "gather"), values(index, "gather", "index", 3)
    d = check_index(x, i, dim, "gather", "input")
    if i.size == 0 and i.ndim != x.ndim:
        return input.new_empty(i.shape) if isinstance(input, Tensor) else np.empty(i.shape, x.dtype)
    if x.ndim == 0:
        return reshape(applied(Index, reshape(input, 1), (0,), reshape(index, 1)), ())
    return applied(Index, input, tuple(range(x.ndim)), *grid(d, i, index))


@takes_axis
def index_select(input: Any, dim: int, index: Any) -> Any:
    """The parts of ``input`` at the places of a vector along ``dim``, in new memory. dx adds dy up at these places."""
    x = values(input, "index_select")
    index = vector(index, "index_select", 3)
    d = wrap_dim(dim, x.ndim)
    i = array_of(index)
    if x.ndim == 0:
        if i.size != 1:
            raise RuntimeError(f"index_select(): Index to scalar can have only 1 value, got {i.size} value(s)")
        return reshape(index_select(reshape(input, 1), 0, index), ())
    if d == 0:
        check_rows(i, x.shape[0])
    check_not_negative(i, x.shape[d], d)
    return applied(Index, input, (d,), index)


def take(input: Any, index: Any) -> Any:
    """The elements at the places of ``index`` in ``input`` counted through, in the shape of the index.

    Negative places count from the end. Raises IndexError for places outside.
    """
    x, i = values(input, "take"), values(index, "take", "index", 2)
    check_places(x, i, "take")
    return Index.apply(reshape(input, -1), (0,), index)


@takes_axis
def take_along_dim(input: Any, indices: Any, dim: int | None = None) -> Any:
    """``gather`` where the other dimensions broadcast; without ``dim``, from the elements counted through.

    Made for the results of ``argsort`` and ``argmax(keepdim=True)``. With ``dim``, negative indices count from the end.
    Raises RuntimeError for indices outside, which PyTorch takes modulo the size.
    """
    x, i = values(input, "take_along_dim"), values(indices, "take_along_dim", "indices", 2)
    if dim is None:
        return gather(reshape(input, -1), 0, reshape(indices, -1))
    if x.ndim != i.ndim:
        raise RuntimeError(
            "torch.take_along_dim(): input and indices should have the same number of dimensions, but got "
            f"{x.ndim} dimensions for input, and {i.ndim} dimensions for indices"
        )
    if i.dtype not in (np.int64, np.int32):
        raise RuntimeError(f"torch.take_along_dim(): dtype of indices should be Long but got {i.dtype}")
    d = wrap_dim(dim, x.ndim)
    if x.ndim == 0:
        return gather(input, 0, indices)
    one = (1,)
    shape = broadcast_shapes(x.shape[:d] + one + x.shape[d + 1 :], i.shape[:d] + one + i.shape[d + 1 :])
    wide = expand(indices, (*shape[:d], i.shape[d], *shape[d + 1 :]))
    input = expand(input, (*shape[:d], x.shape[d], *shape[d + 1 :]))
    return applied(Index, input, tuple(range(x.ndim)), *grid(d, array_of(wide), wide))


# -- what an index must be -----------------------------------------------------------------------------------


def grid(d: int, i: np.ndarray, index: Any) -> list:
    """The index for dimension d, and 0, 1, 2, … for each other one, shaped to broadcast with it."""
    return [
        index if axis == d else np.arange(n).reshape(-1, *[1] * (i.ndim - axis - 1)) for axis, n in enumerate(i.shape)
    ]


def check_index(x: np.ndarray, i: np.ndarray, dim: int, name: str, whose: str) -> int:
    """The dimension, counted from the front, for an index that has a place in x for each of its elements."""
    d = wrap_dim(dim, x.ndim)
    if i.dtype not in (np.int64, np.int32):
        raise RuntimeError(f"{name}(): Expected dtype int32/int64 for index, but got {i.dtype}")
    if i.size == 0:
        return d
    if i.ndim != x.ndim:
        raise RuntimeError(
            f"Index tensor must have the same number of dimensions as {whose} tensor, but got {i.ndim} and {x.ndim}"
        )
    if any(n > m for axis, (n, m) in enumerate(zip(i.shape, x.shape)) if axis != d):
        raise RuntimeError(
            f"Size does not match: expected index {list(i.shape)} to be no larger than {whose} {list(x.shape)} apart "
            f"from dimension {d}"
        )
    check_not_negative(i, x.shape[d] if x.ndim else 1, d)
    return d


def check_rows(i: np.ndarray, n: int) -> None:
    """Refuse places outside 0 … n − 1 with IndexError: PyTorch's type along the first dimension, RuntimeError elsewhere."""
    if i.size and not 0 <= (low := i.min()) <= (high := i.max()) < n:
        raise IndexError(f"index {low if low < 0 else high} is out of bounds for dimension 0 with size {n}")


def check_not_negative(i: np.ndarray, n: int, d: int, error: type[Exception] = RuntimeError) -> None:
    """Refuse indices that NumPy would count from the end; those that are too large it finds itself."""
    if i.size and (low := i.min()) < 0:
        raise error(f"index {low} is out of bounds for dimension {d} with size {n}")


def applied(function: type[ArrayFunction], *args: Any) -> Any:
    """``function.apply`` whose complaint about an index is a RuntimeError, as PyTorch's is for these operations."""
    try:
        return function.apply(*args)
    except IndexError as e:
        raise RuntimeError(str(in_our_words(e))) from None


def vector(index: Any, name: str, position: int) -> Any:
    i = values(index, name, "index", position)
    if i.dtype not in (np.int64, np.int32):
        raise RuntimeError(f"{name}(): Expected dtype int32 or int64 for index, but got {i.dtype}")
    if i.ndim > 1:
        raise IndexError(f"{name}(): Index is supposed to be a vector, but it has shape {list(i.shape)}")
    return reshape(index, 1) if i.ndim == 0 else index


def check_places(x: np.ndarray, i: np.ndarray, name: str) -> None:
    if i.dtype != np.int64:
        raise RuntimeError(f"{name}(): Expected a long tensor for index, but got {i.dtype}")
    if i.size and x.size == 0:
        raise IndexError(f"{name}(): tried to take from an empty tensor")
    low, high = i.min(initial=0), i.max(initial=-1)
    if low < -x.size or high >= x.size:
        raise IndexError(
            f"out of range: tried to access index {high if high >= x.size else low} on a tensor of {x.size} elements."
        )
