"""Reading, writing and adding at places that arrays of numbers name: what every operation with an index is made of.

A place is given by ``dims`` and one array of indices for each of them; the other dimensions are taken whole. With
a: the places, B: the common shape of the arrays,

    read    y = x[a]                      dx = zeros, then dx[a] += dy     (an element read k times gets k gradients)
    write   z = x, then z[a] = v          dx = dz, then dx[a] = 0          dv = dz[a]
    add     z = x, then z[a] += v         dx = dz                          dv = dz[a]

Where a write names one place several times the last value stays, and only that value gets a gradient. (PyTorch
leaves open which value stays, and hands the gradient to all of them.)

As in NumPy and PyTorch, B takes the place of the indexed dimensions if these are neighbours, else it comes first.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ndl.autograd.function import ArrayFunction
from ndl.kernels.add_rows import add_rows
from ndl.ops.promotion import array_of
from ndl.ops.slices import Slice

Key = tuple[Any, ...]


class Index(ArrayFunction):
    """y = x[a];  dx = zeros with dx[a] += dy."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, dims: tuple, *arrays: np.ndarray) -> np.ndarray:
        ctx.save_for_backward(*arrays)
        ctx.shape, ctx.dims = x.shape, dims
        try:
            if len(dims) == 1 and x.flags.c_contiguous:  # the fast form, which copies an x that is not contiguous
                return x.take(arrays[0], dims[0])
            return x[key(x.ndim, dims, arrays)]
        except IndexError as e:
            raise in_our_words(e) from None

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        arrays = ctx.saved_tensors
        return Spread.apply(dy, ctx.shape, ctx.dims, *arrays), None, *[None] * len(arrays)


class Spread(ArrayFunction):
    """z = zeros of ``shape`` with z[a] += y;  dy = dz[a]."""

    @staticmethod
    def forward(ctx: Any, y: np.ndarray, shape: tuple, dims: tuple, *arrays: np.ndarray) -> np.ndarray:
        ctx.save_for_backward(*arrays)
        ctx.dims = dims
        order = _indexed_first(len(shape), dims)
        z = np.zeros([shape[d] for d in order], y.dtype)
        _add(z, y, len(dims), dims, arrays)
        return z if order == tuple(range(z.ndim)) else z.transpose(np.argsort(order))

    @staticmethod
    def backward(ctx: Any, dz: Any) -> tuple:
        arrays = ctx.saved_tensors
        return Index.apply(dz, ctx.dims, *arrays), None, None, *[None] * len(arrays)


class Put(ArrayFunction):
    """x[part][a] = v in place, either of ``part`` (a slice) and a (by ``dims``) may be missing.

    dx = dz with 0 at the places;  dv = dz[part][a], where its value was not written over.
    """

    in_place = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, v: Any, part: Key | None, dims: tuple, *arrays: np.ndarray) -> np.ndarray:
        ctx.save_for_backward(*arrays)
        ctx.part, ctx.dims = part, dims
        _write(x, v, part, dims, arrays)
        return x

    @staticmethod
    def backward(ctx: Any, dz: Any) -> tuple:
        arrays, part, dims = ctx.saved_tensors, ctx.part, ctx.dims
        need_dx, need_dv = ctx.needs_input_grad[:2]
        overwrite = need_dx and ctx.owns_grad  # so that each write of a loop costs its part, not the whole of x
        dx = dv = None
        if need_dv:
            dv = dz if part is None else Slice.apply(dz, part)
            if dims:
                stayed = _stayed(array_of(dv).shape, dims, arrays)
                dv = Index.apply(dv, dims, *arrays)
                dv = dv if stayed is None else dv * stayed
            elif overwrite:
                dv = dv.copy()
        if overwrite:
            dx = dz
            _write(dx, 0, part, dims, arrays)
        elif need_dx:
            dx = Cleared.apply(dz, part, dims, *arrays)
        return dx, dv, None, None, *[None] * len(arrays)


class Cleared(ArrayFunction):
    """y = x, but 0 at x[part][a];  dx = dy, but 0 there."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, part: Key | None, dims: tuple, *arrays: np.ndarray) -> np.ndarray:
        ctx.save_for_backward(*arrays)
        ctx.part, ctx.dims = part, dims
        y = x.copy("K")
        _write(y, 0, part, dims, arrays)
        return y

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        arrays = ctx.saved_tensors
        return Cleared.apply(dy, ctx.part, ctx.dims, *arrays), None, None, *[None] * len(arrays)


class AddAt(ArrayFunction):
    """x[a] += v in place, where a place named k times gets k values;  dx = dz,  dv = dz[a]."""

    in_place = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, v: Any, dims: tuple, *arrays: np.ndarray) -> np.ndarray:
        ctx.save_for_backward(*arrays)
        ctx.dims = dims
        _check_bounds(x.shape, dims, arrays)
        order = _indexed_first(x.ndim, dims)
        whole = x.transpose(order)
        z = np.ascontiguousarray(whole)
        v = np.asarray(v, x.dtype)
        _add(z, v.copy() if np.may_share_memory(v, x) else v, len(dims), dims, arrays)
        if not np.may_share_memory(z, x):
            whole[...] = z
        return x

    @staticmethod
    def backward(ctx: Any, dz: Any) -> tuple:
        arrays = ctx.saved_tensors
        dv = Index.apply(dz, ctx.dims, *arrays) if ctx.needs_input_grad[1] else None
        return dz, dv, None, *[None] * len(arrays)


# -- on arrays -----------------------------------------------------------------------------------------------


def key(ndim: int, dims: tuple, arrays: tuple) -> Key:
    """What NumPy wants in brackets."""
    index: list[Any] = [slice(None)] * ndim
    for d, a in zip(dims, arrays):
        index[d] = a
    return tuple(index)


def in_our_words(e: IndexError) -> IndexError:
    """NumPy's complaint about an index as PyTorch would word it."""
    text = str(e).replace("for axis", "for dimension")
    if text.startswith("shape mismatch"):
        shapes = text[text.index("(") :].replace(",)", ")").replace(") (", "], [").strip().strip("()")
        text = f"shape mismatch: indexing tensors could not be broadcast together with shapes [{shapes}]"
    elif text.startswith("cannot do a non-empty take"):
        text = "index is out of bounds for dimension with size 0"
    return IndexError(text)


def _write(x: np.ndarray, v: Any, part: Key | None, dims: tuple, arrays: tuple) -> None:
    region = x if part is None else x[part]
    try:
        region[key(region.ndim, dims, arrays) if dims else ...] = v
    except IndexError as e:
        raise in_our_words(e) from None


def _indexed_first(ndim: int, dims: tuple) -> tuple:
    return (*dims, *[d for d in range(ndim) if d not in dims])


def _check_bounds(shape: tuple, dims: tuple, arrays: tuple) -> None:
    for d, a in zip(dims, arrays):
        if a.size and not -shape[d] <= (low := a.min()) <= (high := a.max()) < shape[d]:
            wrong = low if low < -shape[d] else high
            raise IndexError(f"index {wrong} is out of bounds for dimension {d} with size {shape[d]}")


def _flat_places(sizes: tuple, arrays: tuple) -> np.ndarray:
    """The places as numbers in the indexed dimensions counted through, in the shape B. Negative ones from the end."""
    flat: Any = 0
    for n, a in zip(sizes, arrays):
        a = array_of(a).astype(np.int64, copy=False)
        if a.size and a.min() < 0:
            a = np.where(a < 0, a + n, a)
        flat = flat * n + a
    return flat


def _add(z: np.ndarray, v: np.ndarray, k: int, dims: tuple, arrays: tuple) -> None:
    """z[a] += v for a contiguous z whose first k dimensions are the indexed ones."""
    flat = _flat_places(z.shape[:k], arrays)
    rest = z.shape[k:]
    neighbours = dims == tuple(range(dims[0], dims[0] + k))
    start = dims[0] if neighbours else 0
    v = np.broadcast_to(v, rest[:start] + flat.shape + rest[start:])
    if start:
        v = v.transpose(*range(start, start + flat.ndim), *range(start), *range(start + flat.ndim, v.ndim))
    d = math.prod(rest)
    add_rows(z.reshape(math.prod(z.shape[:k]), d), flat.reshape(-1), v.reshape(flat.size, d))


def _stayed(shape: tuple, dims: tuple, arrays: tuple) -> np.ndarray | None:
    """For each value written, whether it was the last one at its place; None if all were."""
    sizes = tuple(shape[d] for d in dims)
    flat = _flat_places(sizes, tuple(np.broadcast_arrays(*[array_of(a) for a in arrays])))
    number = np.arange(flat.size).reshape(flat.shape)
    last = np.empty(math.prod(sizes), np.int64)
    last[flat.reshape(-1)] = number.reshape(-1)
    stayed = last[flat] == number
    if stayed.all():
        return None
    neighbours = dims == tuple(range(dims[0], dims[0] + len(dims)))
    behind = len(shape) - dims[-1] - 1 if neighbours else len(shape) - len(dims)
    return stayed.reshape(stayed.shape + (1,) * behind)
