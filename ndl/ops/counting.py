"""Counting and looking up: bincount, histc, searchsorted, bucketize. The results have no gradient."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ndl.autograd.dtypes import as_dtype
from ndl.autograd.tensor import Tensor
from ndl.ops.dims import values
from ndl.ops.promotion import array_of
from ndl.ops.reduced_dims import outside_graph

__all__ = ["bincount", "bucketize", "histc", "searchsorted"]


def bincount(input: Any, weights: Any = None, minlength: int = 0) -> Any:
    """How often each of 0, 1, 2, … occurs, up to the largest or ``minlength`` entries: int64.

    With ``weights``, the sum of the weights of each: float32 for float32 weights, else float64. Raises RuntimeError
    unless input is one dimension of integers ≥ 0 and weights are as many, NotImplementedError for other types.
    """
    x = values(input, "bincount")
    if x.dtype.kind not in "iu":
        raise NotImplementedError(
            f'"bincount_cpu" not implemented for {as_dtype(x.dtype).name}: convert the tensor with .long()'
        )
    if x.ndim != 1 or (x.size and x.min() < 0):
        raise RuntimeError(
            "bincount only supports 1-d non-negative integral inputs. Got "
            + (f"{x.ndim} dimensions" if x.ndim != 1 else f"the element {x.min()}")
        )
    if minlength < 0:
        raise RuntimeError(f"minlength should be >= 0, but is {minlength}")
    w = None if weights is None else values(weights, "bincount", "weights", 2)
    if w is not None and w.shape != x.shape:
        raise RuntimeError(f"weights should be 1-d and have the same length as input, but are {list(w.shape)}")
    y = np.bincount(x, w, minlength)
    if w is None or not x.size:
        return outside_graph(y.astype(np.int64, copy=False), input)
    return outside_graph(y.astype(np.float32 if w.dtype == np.float32 else np.float64, copy=False), input)


def histc(input: Any, bins: int = 100, min: float = 0, max: float = 0) -> Any:
    """How many elements fall into each of ``bins`` equal intervals from min to max (included), in input's type.

    min = max = 0 means the smallest and the largest element. Others, and nan, are not counted. Raises RuntimeError
    for bins < 1, an unordered or infinite range, NotImplementedError for integers.
    """
    x = values(input, "histc").reshape(-1)
    if x.dtype.kind != "f":
        raise NotImplementedError(
            f'"histogram_cpu" not implemented for {as_dtype(x.dtype).name}: convert the tensor with .float()'
        )
    if bins < 1:
        raise RuntimeError(f"torch.histogram(): bins must be > 0, but got {bins} for dimension 0")
    low, high = float(min), float(max)
    if low == high and x.size:
        low, high = float(x.min()), float(x.max())
    if low == high:
        low, high = low - 1, high + 1
    if not (math.isfinite(low) and math.isfinite(high)):
        raise RuntimeError(f"torch.histc: range of [{low}, {high}] is not finite: give min and max")
    if low > high:
        raise RuntimeError(f"torch.histc: max must be larger than min, but got min={min}, max={max}")
    inside = x[(x >= low) & (x <= high)]
    place = ((inside - x.dtype.type(low)) * bins / x.dtype.type(high - low)).astype(np.int64)
    counts = np.bincount(np.minimum(place, bins - 1), minlength=bins)  # max itself belongs to the last
    return outside_graph(counts.astype(x.dtype), input)


def searchsorted(
    sorted_sequence: Any,
    input: Any,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: Any = None,
) -> Any:
    """Where each value would be inserted to keep the order: i with s[i−1] < v ≤ s[i], or s[i−1] ≤ v < s[i] with
    ``right`` (``side="right"``). nan is larger than every number.

    A sequence of several dimensions is searched line by line along the last; ``sorter`` holds the indices that sort
    it. Raises RuntimeError if the other dimensions differ.
    """
    if side not in (None, "left", "right"):
        raise RuntimeError(f"torch.searchsorted(): side can only be 'left' or 'right' but got {side}")
    if side == "left" and right:
        raise RuntimeError(
            "torch.searchsorted(): side and right can't be set to opposites, got side of left while right was True"
        )
    s = values(sorted_sequence, "searchsorted", "sorted_sequence")
    v = np.asarray(array_of(input))
    if sorter is not None:
        s = np.take_along_axis(s, values(sorter, "searchsorted", "sorter"), -1)
    if s.ndim != 1 and (v.ndim != s.ndim or v.shape[:-1] != s.shape[:-1]):
        raise RuntimeError(
            "torch.searchsorted(): boundaries tensor should be 1 dimension or the first N-1 dimensions of boundaries "
            f"tensor and input value tensor must match, but we got boundaries tensor {list(s.shape)} and input value "
            f"tensor {list(v.shape)}"
        )
    where: Any = "right" if right or side == "right" else "left"
    if s.ndim == 1:
        y = np.asarray(np.searchsorted(s, v, where))
    else:
        y = np.empty(v.shape, np.int64)
        for line in np.ndindex(s.shape[:-1]):
            y[line] = np.searchsorted(s[line], v[line], where)
    like = input if isinstance(input, Tensor) else sorted_sequence
    return outside_graph(y.astype(np.int32 if out_int32 else np.int64, copy=False), like)


def bucketize(input: Any, boundaries: Any, *, out_int32: bool = False, right: bool = False) -> Any:
    """The interval between ``boundaries`` (one dimension, ascending) that each value falls into; see ``searchsorted``.

    Raises RuntimeError if boundaries have more than one dimension.
    """
    b = values(boundaries, "bucketize", "boundaries", 2)
    if b.ndim != 1:
        raise RuntimeError(f"boundaries tensor must be 1 dimension, but got dim({b.ndim})")
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)
