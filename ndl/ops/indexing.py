"""Brackets: ``x[…]`` and ``x[…] = v`` with numbers, slices, None, Ellipsis, masks, lists and tensors of indices.

As in PyTorch an index works in two steps, which NumPy mixes in one (with another order of dimensions in the result
of ``x[0, :, [1, 2]]``):

1. numbers, slices, None and Ellipsis select a part, which is a view;
2. masks and tensors of indices pick places in it, which makes a copy. A mask stands for the indices of its True
   elements, and a tensor without dimensions is a number.
"""

from __future__ import annotations

import operator
import warnings
from typing import Any

import numpy as np

from ndl.autograd.inplace import check_writable
from ndl.autograd.tensor import Tensor
from ndl.ops.conversion import clone
from ndl.ops.creation import tensor
from ndl.ops.masking import masked_fill_, masked_select
from ndl.ops.places import AddAt, Index, Put, in_our_words
from ndl.ops.promotion import array_of
from ndl.ops.shape import reshape
from ndl.ops.slices import Slice
from ndl.ops.writing import written

__all__ = ["index_put"]

_SLICE_ENDS = (int, type(None))


# -- reading and writing -------------------------------------------------------------------------------------


def getitem(self: Any, index: Any) -> Any:
    """``self[index]``: a view for numbers, slices, None and Ellipsis; a copy where masks or indices take part."""
    items = index if type(index) is tuple else (index,)
    if _is_basic(items):
        return _part(self, items)
    mask = _whole_mask(self, items)
    if mask is not None:
        return masked_select(self, mask)
    part, dims, arrays = _plan(_items(index), array_of(self).shape)
    if part is not None or not dims:
        self = _part(self, part or (...,))
    return Index.apply(self, dims, *arrays) if dims else self


def setitem(self: Tensor, index: Any, value: Any) -> None:
    """``self[index] = value`` in place, with the value broadcast. dx = dz but 0 there, dvalue = dz[index]."""
    v = array_of(value)
    if not isinstance(v, (int, float, complex, np.ndarray, np.generic)):
        raise TypeError(
            f"can't assign a {type(value).__name__} to a Tensor: make a tensor of it first, or give a number"
        )
    items = index if type(index) is tuple else (index,)
    part: tuple | None
    if _is_basic(items):
        part, dims, arrays = _ended(items), (), ()
    else:
        mask = _whole_mask(self, items)
        if mask is not None and (not isinstance(v, np.ndarray) or v.ndim == 0):
            masked_fill_(self, mask, value)
            return
        part, dims, arrays = _plan(_items(index), array_of(self).shape)
        if dims and isinstance(value, Tensor):
            _same_type(array_of(self), v)
    value = written(array_of(self), value)
    try:
        region = array_of(self) if part is None else array_of(self)[part]
    except IndexError as e:
        raise _complaint(e, array_of(self)) from None
    if dims:
        ndim = region.ndim - len(dims) + max(array_of(a).ndim for a in arrays)
    else:
        if isinstance(value, Tensor) and _is_that_part(value, self, region):
            check_writable(self)
            return  # x[i] += y: the addition has already written into the view x[i]
        ndim = region.ndim
    if isinstance(v, np.ndarray) and v.ndim > ndim:
        value = _without_leading_ones(value, v, ndim)
    try:
        Put.apply(self, value, part, dims, *arrays)
    except ValueError:
        want = region.shape
        if dims:
            want = Index.apply(region, dims, *map(array_of, arrays)).shape
        raise RuntimeError(
            f"shape mismatch: value tensor of shape {list(v.shape)} cannot be broadcast to indexing result of shape "
            f"{list(want)}"
        ) from None


def index_put_(self: Tensor, indices: Any, values: Any, accumulate: bool = False) -> Tensor:
    """``self[indices] = values``, or ``+=`` with ``accumulate``, where a place named k times gets k values."""
    if not isinstance(indices, (tuple, list)):
        raise TypeError(f"index_put_(): argument 'indices' must be tuple of Tensors, not {type(indices).__name__}")
    if not isinstance(values, (Tensor, np.ndarray)):
        raise TypeError(f"index_put_(): argument 'values' must be Tensor, not {type(values).__name__}")
    if not accumulate:
        setitem(self, tuple(indices), values)
        return self
    _same_type(array_of(self), array_of(values))
    part, dims, arrays = _plan(list(indices), array_of(self).shape)
    target = self if part is None else _part(self, part)
    try:
        AddAt.apply(target, written(array_of(self), values), dims, *arrays)
    except ValueError:
        raise RuntimeError(
            f"shape mismatch: value tensor of shape {list(values.shape)} cannot be broadcast to the indexing result"
        ) from None
    return self


def index_put(input: Any, indices: Any, values: Any, accumulate: bool = False) -> Any:
    """A copy of ``input`` with ``values`` written to ``indices``, or added there. See ``index_put_``."""
    z = clone(input)
    return index_put_(z, indices, values, accumulate)


def contains(self: Tensor, element: Any) -> bool:
    """``element in self``: whether an element of the tensor equals it."""
    if not isinstance(element, (Tensor, int, float, complex)):
        raise RuntimeError(f"Tensor.__contains__ only supports Tensor or scalar, but you passed in a {type(element)}.")
    equal: Any = self == element
    return bool(equal.any())


# -- what an index means -------------------------------------------------------------------------------------


def _is_basic(items: tuple) -> bool:
    """Whether there are only numbers, slices between numbers, None and one Ellipsis: the common case, known quickly."""
    dots = 0
    for i in items:
        kind = type(i)
        if kind is slice:
            if type(i.start) not in _SLICE_ENDS or type(i.stop) not in _SLICE_ENDS or i.step is not None:
                return False
        elif i is ...:
            dots += 1
        elif kind is not int and i is not None:
            return False
    return dots < 2


def _ended(items: tuple) -> tuple:
    """With an Ellipsis, so that NumPy gives a view even of a single element."""
    for i in items:
        if i is ...:
            return items
    return (*items, ...)


def _part(x: Any, items: tuple) -> Any:
    try:
        return Slice.apply(x, _ended(items))
    except IndexError as e:
        raise _complaint(e, array_of(x)) from None


def _complaint(e: IndexError, x: np.ndarray) -> IndexError:
    if not str(e).startswith("too many"):
        return in_our_words(e)
    if x.ndim == 0:
        return IndexError(
            "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to convert a "
            "0-dim tensor to a number"
        )
    return IndexError(f"too many indices for tensor of dimension {x.ndim}")


def _whole_mask(x: Any, items: tuple) -> Any:
    """The index if it is one mask of the tensor's own shape."""
    mask = array_of(items[0]) if len(items) == 1 else None
    if isinstance(mask, np.ndarray) and mask.dtype == bool and mask.ndim and mask.shape == array_of(x).shape:
        return items[0]
    return None


def _items(index: Any) -> list:
    """The index of each dimension. A short list of more than numbers stands for a tuple, as (still) in PyTorch."""
    if isinstance(index, tuple):
        return list(index)
    inner = (list, tuple, range, slice, type(None), type(...), Tensor, np.ndarray)
    if isinstance(index, list) and len(index) < 32 and any(isinstance(i, inner) for i in index):
        warnings.warn(
            "Using a non-tuple sequence for multidimensional indexing is deprecated: x[[a, b]] is read as x[a, b]. "
            "Write x[a, b], or x[ndl.tensor([a, b])] to index the first dimension.",
            stacklevel=3,
        )
        return index
    return [index]


def _plan(items: list, shape: tuple) -> tuple[tuple | None, tuple, tuple]:
    """The two steps: what to slice (None: nothing), then in which dimensions of that to take which indices."""
    read = [_read(i) for i in items]
    taken = sum(max(i.ndim, 0) if _is_mask(i) else i is not None and i is not ... for i in read)
    if taken > len(shape):
        raise _complaint(IndexError("too many"), np.empty(shape, "V0"))
    missing = len(shape) - taken
    if not any(i is ... for i in read):
        read.append(...)
    part: list[Any] = []
    dims: list[int] = []
    arrays: list[Any] = []
    axis = 0  # of the tensor
    at = 0  # of the part

    def take(array: Any, new: Any) -> None:
        nonlocal at
        part.append(new)
        dims.append(at)
        arrays.append(array)
        at += 1

    for i in read:
        if i is ...:
            part.extend([slice(None)] * missing)
            at, axis, missing = at + missing, axis + missing, 0
        elif i is None:
            part.append(None)
            at += 1
        elif isinstance(i, slice):
            part.append(i)
            at, axis = at + 1, axis + 1
        elif isinstance(i, int):
            part.append(i)
            axis += 1
        elif not _is_mask(i):
            take(i, slice(None))
            axis += 1
        elif i.ndim == 0:
            take(np.zeros(int(i), np.int64), None)  # True takes all of a new dimension of size 1, False nothing
        else:
            for j, n in enumerate(i.shape):
                if n != shape[axis + j]:
                    raise IndexError(
                        f"The shape of the mask {list(i.shape)} at index {j} does not match the shape of the indexed "
                        f"tensor {list(shape)} at index {axis + j}"
                    )
            for places in i.nonzero():
                take(places, slice(None))
            axis += i.ndim
    whole = all(isinstance(p, slice) and p == slice(None) for p in part)
    return None if whole else (*part, ...), tuple(dims), tuple(arrays)


def _is_mask(i: Any) -> bool:
    return isinstance(i, np.ndarray) and i.dtype == bool


def _read(i: Any) -> Any:
    """One item as an int, a slice of ints, None, Ellipsis, a mask (array) or indices (a Tensor, or an array)."""
    if i is None or i is ...:
        return i
    if isinstance(i, (bool, np.bool_)):
        return np.asarray(i)
    if isinstance(i, (int, np.integer)):
        return int(i)
    if isinstance(i, slice):
        start, stop, step = (None if n is None else operator.index(n) for n in (i.start, i.stop, i.step))
        if step is not None and step <= 0:
            raise ValueError("slice step cannot be zero" if step == 0 else "step must be greater than zero")
        return slice(start, stop, step)
    if isinstance(i, np.ndarray):
        i = i.astype(np.int64) if i.dtype.kind == "i" else i.copy()  # what is kept for backward must not change
    elif isinstance(i, (list, tuple, range)):
        i = np.zeros(0, np.int64) if len(i) == 0 else tensor(i)._array
    a = array_of(i)
    if not isinstance(a, np.ndarray):
        raise IndexError(
            "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices "
            f"(got {type(i).__name__})"
        )
    if a.dtype == np.uint8:
        warnings.warn("indexing with dtype uint8 is now deprecated, please use a dtype bool instead.", stacklevel=2)
        return a.astype(bool)
    if a.dtype == bool:
        return a
    if a.dtype not in (np.int64, np.int32):
        raise IndexError(f"tensors used as indices must be long, int, byte or bool tensors, but this one is {a.dtype}")
    return int(a) if a.ndim == 0 else i


# -- what a value must be ------------------------------------------------------------------------------------


def _same_type(x: np.ndarray, v: np.ndarray) -> None:
    if x.dtype != v.dtype:
        raise RuntimeError(
            f"Index put requires the source and destination dtypes match, got {x.dtype} for the destination and "
            f"{v.dtype} for the source."
        )


def _without_leading_ones(value: Any, v: np.ndarray, ndim: int) -> Any:
    """A value with more dimensions than its place: leading sizes of 1 do not count."""
    extra = v.ndim - ndim
    return reshape(value, v.shape[extra:]) if v.shape[:extra] == (1,) * extra else value


def _is_that_part(value: Tensor, x: Tensor, region: np.ndarray) -> bool:
    """Whether ``value`` is the very view of ``x`` that it is about to be written to, history and all."""
    a = value._array
    return (
        value._base is not None
        and value._base is (x if x._base is None else x._base)
        and a.shape == region.shape
        and a.strides == region.strides
        and a.dtype == region.dtype
        and a.__array_interface__["data"] == region.__array_interface__["data"]
        and value.requires_grad == x.requires_grad
    )
