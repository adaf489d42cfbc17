"""Elements several times: repeat, tile, repeat_interleave, and all combinations: meshgrid, cartesian_prod.

Where an element of x stands k times in y, its gradient is the sum of k gradients.
"""

from __future__ import annotations

import itertools
import operator
from typing import Any

import numpy as np

from ndl.autograd.function import ArrayFunction
from ndl.autograd.tensor import Tensor
from ndl.ops.dims import listed, takes_axis, values, wrap_dim
from ndl.ops.joining import stack
from ndl.ops.places import Index
from ndl.ops.promotion import array_of
from ndl.ops.shape import expand, flatten, reshape

__all__ = ["cartesian_prod", "combinations", "meshgrid", "repeat_interleave", "tile"]


class Repeat(ArrayFunction):
    """y = r_d copies of x side by side along each dimension d;  dx = Σ dy over the copies."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, repeats: tuple) -> np.ndarray:
        y = np.empty([m for r, n in zip(repeats, x.shape) for m in (r, n)], x.dtype)  # (r₀, n₀, r₁, n₁, …)
        y[...] = x.reshape([m for n in x.shape for m in (1, n)])
        ctx.apart = y.shape
        return y.reshape([r * n for r, n in zip(repeats, x.shape)])

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        copies = tuple(range(0, len(ctx.apart), 2))
        return dy.reshape(ctx.apart).sum(copies), None


class RepeatInterleave(ArrayFunction):
    """y = each x_i along ``dim`` r times in a row;  dx_i = Σ of its r dy."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, repeats: int, dim: int) -> np.ndarray:
        ctx.dim = dim
        ctx.apart = x.shape[: dim + 1] + (repeats,) + x.shape[dim + 1 :]
        return x.repeat(repeats, dim)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        return dy.reshape(ctx.apart).sum(ctx.dim + 1), None, None


def repeat(input: Any, *repeats: Any, **keyword: Any) -> Any:
    """Copies of the tensor side by side, ``repeats`` of them along each dimension. dx = Σ dy over the copies.

    There may be more numbers than dimensions: new dimensions lead. Raises RuntimeError for fewer.
    """
    shape = values(input, "repeat").shape
    times = tuple([operator.index(r) for r in listed(repeats, keyword.pop("repeats", None))])
    if keyword:
        raise TypeError(f"repeat() got an unexpected keyword argument {next(iter(keyword))!r}")
    lead = len(times) - len(shape)
    if lead < 0:
        raise RuntimeError(
            "Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor: got "
            f"{list(times)} for shape {list(shape)}"
        )
    if any(r < 0 for r in times):
        sizes = [r * n for r, n in zip(times, (1,) * lead + shape)]
        negative = next(n for n, r in zip(sizes, times) if r < 0)
        raise RuntimeError(f"Trying to create tensor with negative dimension {negative}: {sizes}")
    return Repeat.apply(reshape(input, (1,) * lead + shape) if lead else input, times)


def tile(input: Any, *dims: Any, **keyword: Any) -> Any:
    """``repeat`` where missing numbers at the front count as 1."""
    times = listed(dims, keyword.pop("dims", None))
    if keyword:
        raise TypeError(f"tile() got an unexpected keyword argument {next(iter(keyword))!r}")
    return repeat(input, (1,) * (values(input, "tile").ndim - len(times)) + times)


@takes_axis
def repeat_interleave(input: Any, repeats: Any = None, dim: int | None = None, *, output_size: Any = None) -> Any:
    """Each element ``repeats`` times in a row, along ``dim`` or flattened. dx = Σ dy over the repeats.

    ``repeats`` is a number, or a tensor with one for each element of the dimension. With one argument only: the
    numbers 0, 1, … each as often as ``input`` says.
    """
    x = values(input, "repeat_interleave")
    if repeats is None:
        return Tensor._wrap(np.arange(x.size).repeat(_counts(x, x.size, 0)))
    if dim is None:
        input, x, dim = flatten(input), x.reshape(-1), 0
    d = wrap_dim(dim, x.ndim)
    if isinstance(repeats, int):
        if repeats < 0:
            raise RuntimeError("Repeats must be non-negative")
        y = RepeatInterleave.apply(input, repeats, d)
    else:
        counts = _counts(values(repeats, "repeat_interleave", "repeats", 2), x.shape[d], d)
        y = Index.apply(input, (d,), np.arange(x.shape[d]).repeat(counts))
    if output_size is not None and array_of(y).shape[d] != output_size:
        raise RuntimeError(
            f"allocated size does not match required size: output_size is {output_size}, but the repeats make "
            f"{array_of(y).shape[d]}"
        )
    return y


def _counts(repeats: np.ndarray, n: int, dim: int) -> np.ndarray:
    if repeats.dtype not in (np.int64, np.int32):
        raise NotImplementedError(f"repeat_interleave needs int64 or int32 repeats, but got {repeats.dtype}")
    if repeats.ndim > 1 or (repeats.size != 1 and repeats.size != n):
        raise RuntimeError(
            "repeats must have the same size as input along dim, but got repeats.size(0) = "
            f"{repeats.size} and input.size({dim}) = {n}"
        )
    if repeats.size and repeats.min() < 0:
        raise RuntimeError("repeats can not be negative")
    return np.broadcast_to(repeats.reshape(-1), (n,))


def meshgrid(*tensors: Any, indexing: str | None = None) -> tuple:
    """For vectors of n₀, n₁, … elements, tensors of shape (n₀, n₁, …); the k-th varies along dimension k only.

    They are expanded views of the vectors. ``indexing="xy"`` exchanges the first two dimensions, as NumPy does by
    default; PyTorch's default, and ours, is "ij".
    """
    vectors = list(tensors[0]) if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)) else list(tensors)
    arrays = [values(x, "meshgrid", "tensors") for x in vectors]
    if not arrays:
        raise RuntimeError("meshgrid expects a non-empty TensorList")
    if indexing not in (None, "ij", "xy"):
        raise RuntimeError(f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}')
    for a in arrays:
        if a.ndim > 1:
            raise RuntimeError(
                f"torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got: shape {list(a.shape)}"
            )
        if a.dtype != arrays[0].dtype:
            raise RuntimeError(
                f"meshgrid expects all tensors to have the same dtype, but got {arrays[0].dtype} and {a.dtype}"
            )
    n = len(arrays)
    axes = list(range(n))
    if indexing == "xy" and n > 1:
        axes[:2] = 1, 0
    shape = [1] * n
    for axis, a in zip(axes, arrays):
        shape[axis] = a.size
    return tuple(
        [expand(reshape(x, (1,) * axis + (-1,) + (1,) * (n - axis - 1)), shape) for axis, x in zip(axes, vectors)]
    )


def cartesian_prod(*tensors: Any) -> Any:
    """All ways to take one element of each vector, as rows; a single vector comes back as it is."""
    vectors = list(tensors[0]) if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)) else list(tensors)
    for x in vectors:
        if values(x, "cartesian_prod", "tensors").ndim != 1:
            raise RuntimeError(f"Expect a 1D vector, but got shape {list(x.shape)}")
    if len(vectors) == 1:
        return vectors[0]
    return stack([reshape(g, -1) for g in meshgrid(*vectors, indexing="ij")], 1)


def combinations(input: Any, r: int = 2, with_replacement: bool = False) -> Any:
    """All ways to take ``r`` elements of a vector in their order, as rows."""
    x = values(input, "combinations")
    if x.ndim != 1:
        raise RuntimeError(f"Expect a 1D vector, but got shape {list(x.shape)}")
    if r < 0:
        raise RuntimeError(f"Expect a non-negative number, but got {r}")
    ways = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    chosen = np.array(list(ways(range(x.size), r)), np.int64)
    return Index.apply(input, (0,), chosen.reshape(-1, r) if r else chosen.reshape(-1))
