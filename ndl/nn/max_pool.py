"""Max pooling in 1, 2 and 3 dimensions, written once.

    y[n, c, o] = max over the window of o: x[n, c, o·s − p + a·d] for all taps a      (what lies outside takes no part)

The gradient goes to the place where the maximum was found, the first in reading order of those that are equal:

    dx[n, c, i] = Σ dy[n, c, o] over the windows o whose maximum was found at i

The places are constants almost everywhere, so this is linear in dy, and its own gradient picks values at these places:
ddy[n, c, o] = ddx[n, c, place of o].

How it is computed is floor 0's business: ``ndl.kernels.pool2d`` has the ladder from four loops to strided views.
Derivation: docs/blocks/max_pool.md.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ndl.autograd.function import ArrayFunction
from ndl.kernels import poolnd
from ndl.kernels.pool2d.windows import Windows
from ndl.nn.module import Module
from ndl.nn.pool_arguments import check_input, windows
from ndl.ops.dims import values
from ndl.ops.gathering import gather
from ndl.ops.promotion import array_of

__all__ = [
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
    "max_pool1d",
    "max_pool1d_with_indices",
    "max_pool2d",
    "max_pool2d_with_indices",
    "max_pool3d",
    "max_pool3d_with_indices",
]


class MaxPool(ArrayFunction):
    """y = the maximum of each window, and its place if wanted;  dx = MaxPoolGrad(dy).

    ``places`` is None, or (tables, size): the place of each tap along each axis, and the sizes to count them through.
    """

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, w: Windows, places: tuple | None) -> Any:
        y, winners = poolnd.max_forward(x, w, winners=ctx.needs_input_grad[0] or places is not None)
        ctx.winners, ctx.w, ctx.order = winners, w, poolnd.order_of(x)
        return y if winners is None or places is None else (y, poolnd.indices(winners, *places))

    @staticmethod
    def backward(ctx: Any, dy: Any, *_: Any) -> tuple:
        return MaxPoolGrad.apply(dy, ctx.winners, ctx.w, ctx.order), None, None


class MaxPoolGrad(ArrayFunction):
    """dx = dy at the winners' places, added up;  d(dy) = the gradient of dx, read at the winners' places."""

    @staticmethod
    def forward(ctx: Any, dy: np.ndarray, winners: np.ndarray, w: Windows, order: str) -> np.ndarray:
        ctx.winners, ctx.w = winners, w
        return poolnd.max_backward(dy, winners, w, order)

    @staticmethod
    def backward(ctx: Any, ddx: Any) -> tuple:
        w, winners = ctx.w, array_of(ctx.winners)
        places = poolnd.indices(winners, poolnd.tables(w), w.size).reshape(*winners.shape[:2], -1)
        ddy = gather(ddx.reshape(*winners.shape[:2], -1), 2, places)
        return ddy.reshape(winners.shape), None, None, None


def pooled(
    name: str,
    n: int,
    input: Any,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    ceil_mode: bool,
    return_indices: bool,
) -> Any:
    x = values(input, name)
    check_input(name, x, n, ("f", "i", "u"))
    if x.ndim == n + 1:
        y = pooled(name, n, input[None], kernel_size, stride, padding, dilation, ceil_mode, return_indices)
        return (y[0][0], y[1][0]) if return_indices else y[0]
    w = windows(name, input, n, kernel_size, stride, padding, dilation, ceil_mode)
    return MaxPool.apply(input, w, (poolnd.tables(w), w.size) if return_indices else None)


# -- the functions -----------------------------------------------------------------------------------------------


def max_pool1d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest number of each window: (N, C, L) -> (N, C, L'). See ``max_pool2d``."""
    return pooled("max_pool1d", 1, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool2d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest number of each window: (N, C, H, W) -> (N, C, H', W').

    H' = ⌊(H + 2·padding − dilation·(kH − 1) − 1) / stride⌋ + 1, with ``ceil_mode`` rounded up. ``stride`` is the kernel
    size unless given. Padding counts as −∞, and is at most half of the kernel. With ``return_indices`` also where each
    maximum lies in its plane of H·W numbers, counted through. An input without N is taken as one sample; nan wins.

    dx: dy at the place of the maximum, at the first of several. Raises RuntimeError for options that do not fit.
    """
    return pooled("max_pool2d", 2, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool3d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest number of each window: (N, C, D, H, W) -> (N, C, D', H', W'). See ``max_pool2d``."""
    return pooled("max_pool3d", 3, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool1d_with_indices(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """``max_pool1d`` with ``return_indices``, whatever the argument of that name says (as in PyTorch)."""
    return max_pool1d(input, kernel_size, stride, padding, dilation, ceil_mode, return_indices=True)


def max_pool2d_with_indices(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """``max_pool2d`` with ``return_indices``, whatever the argument of that name says (as in PyTorch)."""
    return max_pool2d(input, kernel_size, stride, padding, dilation, ceil_mode, return_indices=True)


def max_pool3d_with_indices(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """``max_pool3d`` with ``return_indices``, whatever the argument of that name says (as in PyTorch)."""
    return max_pool3d(input, kernel_size, stride, padding, dilation, ceil_mode, return_indices=True)


# -- the Modules -------------------------------------------------------------------------------------------------


class MaxPoolNd(Module):
    """What the max pooling Modules share: the options, kept as they were given."""

    n: int

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.dilation = padding, dilation
        self.return_indices, self.ceil_mode = return_indices, ceil_mode

    def forward(self, input: Any) -> Any:
        window = (self.kernel_size, self.stride, self.padding, self.dilation)
        return pooled(f"max_pool{self.n}d", self.n, input, *window, self.ceil_mode, self.return_indices)

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, dilation={self.dilation}, "
            f"ceil_mode={self.ceil_mode}"
        )


class MaxPool1d(MaxPoolNd):
    """Max pooling of (N, C, L) or (C, L); see ``max_pool1d``."""

    n = 1


class MaxPool2d(MaxPoolNd):
    """Max pooling of (N, C, H, W) or (C, H, W); see ``max_pool2d``."""

    n = 2


class MaxPool3d(MaxPoolNd):
    """Max pooling of (N, C, D, H, W) or (C, D, H, W); see ``max_pool2d``."""

    n = 3
