"""What occurs: unique, unique_consecutive, isin. The results have no gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

from ndl.autograd.tensor import Tensor
from ndl.ops.dims import values, wrap_dim
from ndl.ops.promotion import array_of, promote
from ndl.ops.reduced_dims import outside_graph

__all__ = ["isin", "unique", "unique_consecutive"]


def unique(
    input: Any,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: Any = None,
) -> Any:
    """The different elements in ascending order, or the different slices along ``dim``.

    With ``return_inverse`` also where each element of input is in them, with ``return_counts`` how often each occurs.
    Every nan is different. ``sorted=False`` permits any order; it is ascending here too.
    """
    x = values(input, "unique")
    if dim is None:
        y, inverse, counts = np.unique(x, return_inverse=True, return_counts=True, equal_nan=False)
        inverse = inverse.reshape(x.shape)
    else:
        axis = _checked_dim("unique", x, dim)
        y, inverse, counts = np.unique(x, return_inverse=True, return_counts=True, axis=axis, equal_nan=False)
        inverse = inverse.reshape(-1)
    return _chosen(input, y, inverse, counts, return_inverse, return_counts)


def unique_consecutive(input: Any, return_inverse: bool = False, return_counts: bool = False, dim: Any = None) -> Any:
    """The elements (or the slices along ``dim``) that differ from the one before them: runs reduced to one.

    With ``return_inverse`` also the run of each element, with ``return_counts`` the length of each run.
    """
    x = values(input, "unique_consecutive")
    if dim is None:
        lines, axis = x.reshape(-1), 0
    else:
        lines, axis = x, _checked_dim("unique_consecutive", x, dim)
    n = lines.shape[axis]
    rows = np.moveaxis(lines, axis, 0).reshape(n, lines.size // max(n, 1))
    begins = np.ones(n, bool)
    begins[1:] = (rows[1:] != rows[:-1]).any(1)
    y = np.compress(begins, lines, axis)
    starts = np.flatnonzero(begins)
    inverse = np.cumsum(begins) - 1
    inverse = inverse.reshape(x.shape) if dim is None else inverse
    return _chosen(input, y, inverse, np.diff(starts, append=n), return_inverse, return_counts)


def _checked_dim(name: str, x: np.ndarray, dim: Any) -> int:
    axis = wrap_dim(dim, x.ndim)
    if x.ndim == 0:
        raise RuntimeError(f"{name}(): a tensor without dimensions has no slices along dim {dim}; leave dim out")
    if any(n == 0 for a, n in enumerate(x.shape) if a != axis):
        raise RuntimeError(f"There are 0 sized dimensions, and they aren't selected, so {name} cannot be applied")
    return axis


def _chosen(input: Any, y: Any, inverse: Any, counts: Any, return_inverse: bool, return_counts: bool) -> Any:
    parts = [y]
    if return_inverse:
        parts.append(inverse.astype(np.int64, copy=False))
    if return_counts:
        parts.append(counts.astype(np.int64, copy=False))
    wrapped = tuple([outside_graph(p, input) for p in parts])
    return wrapped if len(wrapped) > 1 else wrapped[0]


def isin(elements: Any, test_elements: Any, *, assume_unique: bool = False, invert: bool = False) -> Any:
    """For each of ``elements``, whether it is among ``test_elements`` (not, with ``invert``); either may be a number.

    ``assume_unique`` promises that neither has an element twice. Raises TypeError if both are numbers.
    """
    tensors = [t for t in (elements, test_elements) if isinstance(t, (Tensor, np.ndarray))]
    if not tensors:
        raise TypeError("isin() needs a Tensor as elements or as test_elements, but got two numbers")
    x, tests = map(array_of, promote(elements, test_elements))
    found = np.isin(x, tests, assume_unique=assume_unique, invert=invert)
    return outside_graph(found, next((t for t in tensors if isinstance(t, Tensor)), tensors[0]))
