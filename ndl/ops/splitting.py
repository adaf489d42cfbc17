"""Splitting: split, chunk, tensor_split, unbind and their kin.

    x, y = split(z)    dz = cat(dx, dy)

The parts are views of one tensor. Writing to one of them in place is refused, as in PyTorch.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from ndl.ops.dims import takes_axis, values, wrap_dim
from ndl.ops.joining import Split, Unbind
from ndl.ops.promotion import array_of

__all__ = [
    "chunk",
    "dsplit",
    "hsplit",
    "split",
    "split_with_sizes",
    "tensor_split",
    "unbind",
    "vsplit",
]


def split(tensor: Any, split_size_or_sections: Any, dim: int = 0) -> tuple:
    """Parts of one size (the last may be smaller), or of the sizes in a list, as views. dz = cat(dx).

    Raises RuntimeError if a size is negative or the sizes do not add up.
    """
    if isinstance(split_size_or_sections, (list, tuple)):
        return split_with_sizes(tensor, split_size_or_sections, dim)
    d, n = _length(tensor, dim, "split")
    size = operator.index(split_size_or_sections)
    if size < 0:
        raise RuntimeError(f"split expects split_size be non-negative, but got split_size={size}")
    if size == 0 and n:
        raise RuntimeError(f"split_size can only be 0 if dimension size is 0, but got dimension size of {n}")
    starts = range(0, n, size) if n else [0]
    return Split.apply(tensor, d, tuple([min(size, n - start) for start in starts]))


def split_with_sizes(input: Any, split_sizes: Sequence[int], dim: int = 0) -> tuple:
    """Parts of the given sizes, as views."""
    d, n = _length(input, dim, "split_with_sizes")
    sizes = [operator.index(s) for s in split_sizes]
    if any(s < 0 for s in sizes):
        raise RuntimeError(
            f"split_with_sizes expects split_sizes have only non-negative entries, but got split_sizes={sizes}"
        )
    if sum(sizes) != n:
        raise RuntimeError(
            f"split_with_sizes expects split_sizes to sum exactly to {n} (input tensor's size at dimension {d}), but "
            f"got split_sizes={sizes}"
        )
    return Split.apply(input, d, tuple(sizes))


@takes_axis
def chunk(input: Any, chunks: int, dim: int = 0) -> tuple:
    """At most ``chunks`` parts, all of the size ⌈n / chunks⌉ but the last, as views."""
    d, n = _length(input, dim, "chunk")
    if chunks <= 0:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    if n == 0:
        return Split.apply(input, d, (0,) * chunks)
    return split(input, -(-n // chunks), d)


@takes_axis
def tensor_split(input: Any, indices_or_sections: Any, dim: int = 0) -> tuple:
    """Parts whose sizes differ by at most one, or split before the given indices, as views."""
    shape = values(input, "tensor_split").shape
    if not shape:
        raise RuntimeError("tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims")
    d = wrap_dim(dim, len(shape))
    n = shape[d]
    where = array_of(indices_or_sections)
    if isinstance(where, np.ndarray):
        if where.dtype != np.int64 or where.ndim > 1:
            raise RuntimeError(
                f"tensor_split expected a 0- or 1-dimensional tensor of int64, but got {where.dtype} of shape "
                f"{list(where.shape)}"
            )
        where = where.tolist()
    if not isinstance(where, (list, tuple)):
        sections = operator.index(where)
        if sections <= 0:
            raise RuntimeError(f"number of sections must be larger than 0, got {sections}")
        small, larger = divmod(n, sections)
        return Split.apply(input, d, (small + 1,) * larger + (small,) * (sections - larger))
    # Indices may lie outside or go back; each part is the slice between two of them, as in Python.
    ends = [*where, None]
    lead = (slice(None),) * d
    return tuple([input[(*lead, slice(a, b))] for a, b in zip([0, *where], ends)])


def hsplit(input: Any, indices_or_sections: Any) -> tuple:
    """``tensor_split`` along the second dimension, or the first of a vector."""
    n = values(input, "hsplit").ndim
    if n == 0:
        raise RuntimeError(
            "torch.hsplit requires a tensor with at least 1 dimension, but got a tensor with 0 dimensions!"
        )
    return _equal_split(input, indices_or_sections, min(n - 1, 1), "hsplit")


def vsplit(input: Any, indices_or_sections: Any) -> tuple:
    """``tensor_split`` along the first dimension."""
    return _equal_split(input, indices_or_sections, 0, "vsplit", 2)


def dsplit(input: Any, indices_or_sections: Any) -> tuple:
    """``tensor_split`` along the third dimension."""
    return _equal_split(input, indices_or_sections, 2, "dsplit", 3)


def _equal_split(input: Any, where: Any, dim: int, name: str, ndim: int = 1) -> tuple:
    shape = values(input, name).shape
    if len(shape) < ndim:
        raise RuntimeError(
            f"torch.{name} requires a tensor with at least {ndim} dimension, but got a tensor with {len(shape)} "
            "dimensions!"
        )
    if isinstance(where, int) and where > 0 and shape[dim] % where:
        raise RuntimeError(
            f"torch.{name} attempted to split along dimension {dim}, but the size of the dimension {shape[dim]} is not "
            f"divisible by the split_size {where}!"
        )
    return tensor_split(input, where, dim)


@takes_axis
def unbind(input: Any, dim: int = 0) -> tuple:
    """The parts at every index of ``dim``, without that dimension, as views. dz = stack(dx)."""
    n = values(input, "unbind").ndim
    if n == 0:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    return Unbind.apply(input, wrap_dim(dim, n))


def _length(x: Any, dim: int, name: str) -> tuple[int, int]:
    shape = values(x, name).shape
    if not shape:
        raise RuntimeError(f"{name} expects at least a 1-dimensional tensor")
    d = wrap_dim(dim, len(shape))
    return d, shape[d]


def iterate(self: Any) -> Any:
    """``for row in tensor``: the parts along the first dimension."""
    if self.ndim == 0:
        raise TypeError("iteration over a 0-d tensor")
    return iter(unbind(self, 0))
