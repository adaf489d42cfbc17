"""Masks: masked_fill, masked_select, masked_scatter, and where the nonzero elements are.

With a mask m that broadcasts against x,

    masked_fill     z = v where m, else x     dx = 0 where m, else dz     dv = Σ dz over m
    masked_select   y = the x where m         dx = dy where m, else 0
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ndl.autograd.function import ArrayFunction
from ndl.autograd.tensor import Tensor
from ndl.ops.conversion import clone
from ndl.ops.dims import values
from ndl.ops.places import Index, Put
from ndl.ops.promotion import array_of
from ndl.ops.shape import broadcast_shapes, expand, reshape
from ndl.ops.slices import Slice
from ndl.ops.writing import written

__all__ = ["argwhere", "masked_fill", "masked_scatter", "masked_select", "nonzero"]


class MaskedFill(ArrayFunction):
    """x = v where m, in place;  dx = 0 where m, else dz;  dv = Σ dz over m."""

    in_place = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, m: np.ndarray, v: Any) -> np.ndarray:
        ctx.save_for_backward(m)
        np.copyto(x, v, where=m, casting="unsafe")
        return x

    @staticmethod
    def backward(ctx: Any, dz: Any) -> tuple:
        (m,) = ctx.saved_tensors
        need_dx, _, need_dv = ctx.needs_input_grad
        return (
            Kept.apply(dz, m, False) if need_dx else None,
            None,
            Kept.apply(dz, m, True) if need_dv else None,
        )


class Kept(ArrayFunction):
    """y = x where m is ``value``, else 0;  dx = dy there, else 0."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, m: np.ndarray, value: bool) -> np.ndarray:
        ctx.save_for_backward(m)
        ctx.value = value
        y = x.copy("K")
        np.copyto(y, 0, where=~m if value else m)  # a product with the mask would turn inf into nan
        return y

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        return Kept.apply(dy, *ctx.saved_tensors, ctx.value), None, None


def _mask(mask: Any, name: str) -> np.ndarray:
    m = values(mask, name, "mask", 2)
    if m.dtype != bool:
        raise RuntimeError(f"{name} only supports boolean masks, but got mask with dtype {m.dtype}")
    return m


def masked_fill_(self: Tensor, mask: Any, value: Any) -> Tensor:
    """``value``, a number or a tensor without dimensions, wherever the mask is True. dx = 0 there, dvalue = Σ dz."""
    m = _mask(mask, "masked_fill_")
    v = array_of(value)
    if isinstance(v, np.ndarray) and v.ndim:
        raise RuntimeError(
            f"masked_fill_ only supports a 0-dimensional value tensor, but got tensor with {v.ndim} dimension(s)."
        )
    if isinstance(v, complex) and array_of(self).dtype.kind != "c":
        raise RuntimeError(f"value {v} cannot be converted to type {array_of(self).dtype}")
    if m.shape != array_of(self).shape:
        both = broadcast_shapes(array_of(self).shape, m.shape)
        if both != array_of(self).shape:
            raise RuntimeError(
                f"output with shape {list(array_of(self).shape)} doesn't match the broadcast shape {list(both)}"
            )
    return MaskedFill.apply(self, mask, written(array_of(self), value))


def fill_diagonal_(self: Tensor, fill_value: Any, wrap: bool = False) -> Tensor:
    """``fill_value`` wherever all indices are equal. dx = 0 there.

    Of a tall matrix, ``wrap`` begins the diagonal anew after one row is left out. Raises RuntimeError for fewer than
    two dimensions, and for more than two that are not of equal length.
    """
    shape = array_of(self).shape
    if len(shape) < 2:
        raise RuntimeError(f"dimensions must larger than 1, but got a tensor of shape {list(shape)}")
    if len(shape) > 2 and len(set(shape)) > 1:
        raise RuntimeError(f"all dimensions of input must be of equal length, but got {list(shape)}")
    mask = np.zeros(shape, bool)
    np.fill_diagonal(mask, True, wrap)
    return masked_fill_(self, Tensor._wrap(mask), fill_value)


def masked_fill(input: Any, mask: Any, value: Any) -> Any:
    """A copy with ``value`` wherever the mask is True. dx = dz where it is False, dvalue = Σ dz where it is True."""
    return masked_fill_(_broadcast_copy(input, mask, "masked_fill"), mask, value)


def _broadcast_copy(input: Any, mask: Any, name: str) -> Tensor:
    x, m = values(input, name), values(mask, name, "mask", 2)
    if x.shape != m.shape:
        shape = broadcast_shapes(x.shape, m.shape)
        input = input if shape == x.shape else expand(input, shape)
    return clone(input)


def masked_select(input: Any, mask: Any) -> Any:
    """The elements where the mask is True, in one dimension. dx = dy there, 0 elsewhere."""
    x, m = values(input, "masked_select"), _mask(mask, "masked_select")
    if x.shape != m.shape:
        shape = broadcast_shapes(x.shape, m.shape)
        input = input if x.shape == shape else expand(input, shape)
        m = np.broadcast_to(m, shape)
    return Index.apply(reshape(input, -1), (0,), np.flatnonzero(m))


def masked_scatter_(self: Tensor, mask: Any, source: Any) -> Tensor:
    """Where the mask is True, the elements of ``source`` one after the other. dx = 0 there; dsource = dz, then 0."""
    x, m, s = array_of(self), _mask(mask, "masked_scatter_"), values(source, "masked_scatter_", "source", 3)
    if s.dtype != x.dtype:
        raise RuntimeError(
            f"masked_scatter: expected self and source to have same dtypes but got {x.dtype} and {s.dtype}"
        )
    both = broadcast_shapes(x.shape, m.shape)
    if both != x.shape:
        raise RuntimeError(f"output with shape {list(x.shape)} doesn't match the broadcast shape {list(both)}")
    places = np.broadcast_to(m, x.shape).reshape(x.shape or (1,)).nonzero()
    n = len(places[0])
    if n > s.size:
        raise RuntimeError(
            f"Number of elements of source < number of ones in mask: there are {s.size} elements for {n} places"
        )
    taken = Slice.apply(reshape(source, -1), (slice(0, n),))
    target = self if x.ndim else reshape(self, 1)
    Put.apply(target, taken, None, tuple(range(len(places))), *places)
    return self


def masked_scatter(input: Any, mask: Any, source: Any) -> Any:
    """A copy with the elements of ``source``, one after the other, where the mask is True."""
    return masked_scatter_(_broadcast_copy(input, mask, "masked_scatter"), mask, source)


def nonzero(input: Any, *, as_tuple: bool = False) -> Any:
    """The indices of the elements that are not 0: a row for each, or a tuple with a vector for each dimension."""
    x = values(input, "nonzero")
    if as_tuple:
        return tuple([Tensor._wrap(i) for i in np.atleast_1d(x).nonzero()])
    return Tensor._wrap(np.argwhere(x))


def argwhere(input: Any) -> Tensor:
    """The indices of the elements that are not 0, a row for each."""
    return nonzero(input)
