"""Max unpooling in 1, 2 and 3 dimensions: values go back to the places where max pooling found them.

    y[n, c, place of o] = x[n, c, o], and 0 elsewhere;       dx[n, c, o] = dy[n, c, place of o]

Places are those that ``max_pool`` returns with ``return_indices``, counted through the plane of one channel. Where two
values go to one place (windows that overlap) the last one stays; as in PyTorch, both get its gradient.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ndl.autograd.function import ArrayFunction
from ndl.kernels.pool2d.windows import Sizes
from ndl.nn.module import Module
from ndl.nn.pool_arguments import option
from ndl.nn.tuples import ntuple
from ndl.ops.dims import values
from ndl.ops.gathering import gather

__all__ = ["MaxUnpool1d", "MaxUnpool2d", "MaxUnpool3d", "max_unpool1d", "max_unpool2d", "max_unpool3d"]


class MaxUnpool(ArrayFunction):
    """y = zeros with y[places] = x, places counted through the last dimensions;  dx = dy[places]."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, indices: np.ndarray, size: Sizes) -> np.ndarray:
        ctx.save_for_backward(indices)
        lead = x.shape[: x.ndim - len(size)]
        ctx.lead, ctx.shape = lead, x.shape
        y = np.zeros((math.prod(lead), math.prod(size)), x.dtype)
        rows = (len(y), math.prod(x.shape[x.ndim - len(size) :]))
        np.put_along_axis(y, indices.reshape(rows), x.reshape(rows), 1)
        return y.reshape(*lead, *size)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        (indices,) = ctx.saved_tensors
        plane = math.prod(ctx.shape[len(ctx.lead) :])
        places = indices.reshape(*ctx.lead, plane)
        dx = gather(dy.reshape(*ctx.lead, math.prod(dy.shape[len(ctx.lead) :])), len(ctx.lead), places)
        return dx.reshape(ctx.shape), None, None


def _unpooled(
    n: int, input: Any, indices: Any, kernel_size: Any, stride: Any, padding: Any, output_size: Sequence[int] | None
) -> Any:
    name = f"max_unpool{n}d"
    x, i = values(input, name), values(indices, name, "indices", 2)
    if x.ndim not in (n + 1, n + 2):
        raise RuntimeError(
            f"Input to {name} should be a {n + 1}d or {n + 2}d Tensor, but got a tensor with {x.ndim} dimensions."
        )
    if i.dtype != np.int64:
        raise RuntimeError(f"{name}: elements in indices should be type int64 but got: {i.dtype}")
    if i.shape != x.shape:
        raise RuntimeError(
            f"{name}: Expected shape of indices to be same as that of the input tensor ({list(x.shape)}) but got indices "
            f"tensor with shape: {list(i.shape)}"
        )
    if 0 in x.shape[-n - 1 :]:
        raise RuntimeError(
            f"{name}: Expected input to have non-zero size for non-batch dimensions, but got {list(x.shape)}"
        )
    if x.dtype.kind in "iub":
        raise NotImplementedError(f'"{name}" not implemented for {x.dtype}; convert the input with .float()')
    k = option(name, "kernel_size", kernel_size, n, False)
    s = k if stride is None or stride in ((), []) else option(name, "stride", stride, n, False)
    p = option(name, "padding", padding, n, False)
    if min(s) < 1:
        raise RuntimeError(f"{name}: strides should be greater than zero, but got stride: {s}")
    size = _size(x.shape[-n:], k, s, p, output_size)
    if min(size) < 1:
        raise RuntimeError(f"{name}: the output would have size {list(size)}: use less padding, or give output_size")
    low, high = i.min(initial=0), i.max(initial=0)
    if low < 0 or high >= math.prod(size):
        raise RuntimeError(
            f"{name}: Found an invalid max index: {low if low < 0 else high} (output volumes are of size "
            f"{'x'.join(map(str, size))})"
        )
    return MaxUnpool.apply(input, indices, size)


def _size(size: Sizes, kernel: Sizes, stride: Sizes, padding: Sizes, wanted: Sequence[int] | None) -> Sizes:
    """The output's size, which may be less than a stride away from the smallest that gives this input."""
    usual = tuple((m - 1) * s + k - 2 * p for m, k, s, p in zip(size, kernel, stride, padding))
    if wanted is None:
        return usual
    n = len(size)
    given = tuple(int(m) for m in wanted)
    if len(given) == n + 2:
        given = given[2:]
    if len(given) != n:
        raise ValueError(
            f"output_size should be a sequence containing {n} or {n + 2} elements, but it has a length of '{len(wanted)}'"
        )
    for d, (m, u, s) in enumerate(zip(given, usual, stride)):
        if not u - s < m < u + s:
            raise ValueError(f'invalid output_size "{given}" (dim {d} must be between {u - s} and {u + s})')
    return given


# -- the functions -----------------------------------------------------------------------------------------------


def max_unpool1d(
    input: Any,
    indices: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    output_size: Sequence[int] | None = None,
) -> Any:
    """Values back to their places along one dimension: (N, C, L) -> (N, C, L'). See ``max_unpool2d``."""
    return _unpooled(1, input, indices, kernel_size, stride, padding, output_size)


def max_unpool2d(
    input: Any,
    indices: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    output_size: Sequence[int] | None = None,
) -> Any:
    """Values back to the places where ``max_pool2d`` found them, zeros elsewhere: (N, C, H, W) -> (N, C, H', W').

    H' = (H − 1)·stride − 2·padding + kH, unless ``output_size`` says otherwise: several sizes pool to the same one.
    Raises ValueError for a size that does not, RuntimeError for indices outside.
    """
    return _unpooled(2, input, indices, kernel_size, stride, padding, output_size)


def max_unpool3d(
    input: Any,
    indices: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    output_size: Sequence[int] | None = None,
) -> Any:
    """Values back to their places: (N, C, D, H, W) -> (N, C, D', H', W'). See ``max_unpool2d``."""
    return _unpooled(3, input, indices, kernel_size, stride, padding, output_size)


# -- the Modules -------------------------------------------------------------------------------------------------


class MaxUnpoolNd(Module):
    """What the max unpooling Modules share: the options of the pooling that they undo."""

    n: int

    def __init__(self, kernel_size: Any, stride: Any = None, padding: Any = 0) -> None:
        super().__init__()
        each = ntuple(self.n)
        self.kernel_size = each(kernel_size)
        self.stride = self.kernel_size if stride is None else each(stride)
        self.padding = each(padding)

    def forward(self, input: Any, indices: Any, output_size: Sequence[int] | None = None) -> Any:
        return _unpooled(self.n, input, indices, self.kernel_size, self.stride, self.padding, output_size)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxUnpool1d(MaxUnpoolNd):
    """Undoes ``MaxPool1d``, but for the values that were not the largest; see ``max_unpool2d``."""

    n = 1


class MaxUnpool2d(MaxUnpoolNd):
    """Undoes ``MaxPool2d``, but for the values that were not the largest; see ``max_unpool2d``."""

    n = 2


class MaxUnpool3d(MaxUnpoolNd):
    """Undoes ``MaxPool3d``, but for the values that were not the largest; see ``max_unpool2d``."""

    n = 3
