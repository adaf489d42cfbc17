"""Adaptive pooling in 1, 2 and 3 dimensions: the number of windows is given, and where they lie follows from it.

Along an axis of n places, window o of m looks at ⌊o·n / m⌋ … ⌈(o + 1)·n / m⌉ − 1. If m divides n these are ordinary
windows without overlap, and forward and backward are those of ``max_pool`` and ``avg_pool``; one window is the whole
picture. Otherwise the windows overlap and their sizes K_o differ by one:

    average   y_o = Σ x_i / K_o,         dx_i = Σ dy_o / K_o over the windows o that i lies in
    maximum   y_o = max x_i,             dx_i = Σ dy_o over the windows o whose (first) maximum is at i

Derivation: docs/blocks/adaptive_pool.md.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from ndl.autograd.function import ArrayFunction
from ndl.autograd.tensor import Tensor
from ndl.kernels import poolnd
from ndl.kernels.pool2d.windows import Sizes
from ndl.nn.avg_pool import AvgPool
from ndl.nn.max_pool import MaxPool
from ndl.nn.module import Module
from ndl.nn.pool_arguments import check_input
from ndl.ops.dims import values
from ndl.ops.gathering import index_select
from ndl.ops.promotion import array_of

__all__ = [
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveAvgPool3d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d",
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "adaptive_max_pool1d",
    "adaptive_max_pool1d_with_indices",
    "adaptive_max_pool2d",
    "adaptive_max_pool2d_with_indices",
    "adaptive_max_pool3d",
    "adaptive_max_pool3d_with_indices",
]


class AdaptiveAvgPool(ArrayFunction):
    """y = the average of each adaptive window;  dx = AdaptiveAvgPoolGrad(dy)."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, output: Sizes) -> np.ndarray:
        ctx.size, ctx.output = x.shape[2:], output
        return poolnd.adaptive_avg_forward(x, output)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        return AdaptiveAvgPoolGrad.apply(dy, ctx.size, ctx.output), None


class AdaptiveAvgPoolGrad(ArrayFunction):
    """dx = each dy / K at all places of its window;  d(dy) = AdaptiveAvgPool of the gradient of dx."""

    @staticmethod
    def forward(ctx: Any, dy: np.ndarray, size: Sizes, output: Sizes) -> np.ndarray:
        ctx.output = output
        return poolnd.adaptive_avg_backward(dy, size)

    @staticmethod
    def backward(ctx: Any, ddx: Any) -> tuple:
        return AdaptiveAvgPool.apply(ddx, ctx.output), None, None


def _output(name: str, output_size: Any, size: Sizes) -> Sizes:
    """The number of windows along each axis. None is the axis's own size (not in one dimension, as in PyTorch)."""
    n = len(size)
    wanted = tuple(output_size) if isinstance(output_size, (tuple, list)) else (output_size,) * n
    if len(wanted) != n:
        raise RuntimeError(f"{name}: output_size must be one number or {n}, but got {output_size}")
    try:
        output = tuple(own if m is None and n > 1 else operator.index(m) for m, own in zip(wanted, size))
    except TypeError:
        raise TypeError(f"{name}(): argument 'output_size' must be tuple of ints, not {output_size!r}") from None
    if any(m < 0 for m in output):
        raise RuntimeError(
            f"{name}: elements of output_size must be greater than or equal to 0 but received {output_size}"
        )
    return output


def _averaged(n: int, input: Any, output_size: Any) -> Any:
    name = f"adaptive_avg_pool{n}d"
    x = values(input, name)
    check_input(name, x, n, channels=False)
    if x.ndim == n + 1:
        return _averaged(n, input[None], output_size)[0]
    output = _output(name, output_size, x.shape[2:])
    if poolnd.divides(x.shape[2:], output):
        w = poolnd.adaptive_windows(x.shape[2:], output)
        return AvgPool.apply(input, w, np.array(float(w.taps)))
    return AdaptiveAvgPool.apply(input, output)


def _maximal(n: int, input: Any, output_size: Any, return_indices: bool, batched: bool = True) -> Any:
    name = f"adaptive_max_pool{n}d"
    x = values(input, name)
    check_input(name, x, n, channels=batched and x.ndim == n + 2)
    if x.ndim == n + 1:
        y = _maximal(n, input[None], output_size, return_indices, False)
        return (y[0][0], y[1][0]) if return_indices else y[0]
    size = x.shape[2:]
    output = _output(name, output_size, size)
    if 0 in output or 0 in x.shape[:2]:
        y = input.reshape(-1)[:0].reshape(*x.shape[:2], *output)
        indices = np.zeros(array_of(y).shape, np.int64)
        return (y, Tensor._wrap(indices) if isinstance(y, Tensor) else indices) if return_indices else y
    tables = [poolnd.adaptive_places(*axis) for axis in zip(size, output)]  # (output, length) each
    for dim, (table, n_places, m) in enumerate(zip(tables, size, output), 2):
        if n_places % m:
            input = index_select(input, dim, table.reshape(-1))
    w = poolnd.adaptive_windows(array_of(input).shape[2:], output)
    return MaxPool.apply(input, w, (tables, size) if return_indices else None)


# -- the functions -----------------------------------------------------------------------------------------------


def adaptive_avg_pool1d(input: Any, output_size: Any) -> Any:
    """The averages of ``output_size`` windows: (N, C, L) -> (N, C, L'). See ``adaptive_avg_pool2d``."""
    return _averaged(1, input, output_size)


def adaptive_avg_pool2d(input: Any, output_size: Any) -> Any:
    """The averages of H' x W' windows: (N, C, H, W) -> (N, C, H', W').

    ``output_size`` is H' for both, or (H', W'), where None keeps the input's own size. 1 averages the whole picture.
    An input without N is taken as one sample. Raises RuntimeError for shapes that do not fit.
    """
    return _averaged(2, input, output_size)


def adaptive_avg_pool3d(input: Any, output_size: Any) -> Any:
    """The averages of D' x H' x W' windows: (N, C, D, H, W) -> (N, C, D', H', W'). See ``adaptive_avg_pool2d``."""
    return _averaged(3, input, output_size)


def adaptive_max_pool1d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """The maxima of ``output_size`` windows: (N, C, L) -> (N, C, L'). See ``adaptive_max_pool2d``."""
    return _maximal(1, input, output_size, return_indices)


def adaptive_max_pool2d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """The maxima of H' x W' windows: (N, C, H, W) -> (N, C, H', W').

    ``output_size`` as in ``adaptive_avg_pool2d``. With ``return_indices`` also where each maximum lies in its plane of
    H·W numbers, counted through. Gradients as in ``max_pool2d``.
    """
    return _maximal(2, input, output_size, return_indices)


def adaptive_max_pool3d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """The maxima of D' x H' x W' windows: (N, C, D, H, W) -> (N, C, D', H', W'). See ``adaptive_max_pool2d``."""
    return _maximal(3, input, output_size, return_indices)


def adaptive_max_pool1d_with_indices(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """``adaptive_max_pool1d`` with indices, whatever ``return_indices`` says (as in PyTorch)."""
    return _maximal(1, input, output_size, True)


def adaptive_max_pool2d_with_indices(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """``adaptive_max_pool2d`` with indices, whatever ``return_indices`` says (as in PyTorch)."""
    return _maximal(2, input, output_size, True)


def adaptive_max_pool3d_with_indices(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """``adaptive_max_pool3d`` with indices, whatever ``return_indices`` says (as in PyTorch)."""
    return _maximal(3, input, output_size, True)


# -- the Modules -------------------------------------------------------------------------------------------------


class AdaptiveAvgPoolNd(Module):
    """What the adaptive average pooling Modules share: the size of the output."""

    n: int

    def __init__(self, output_size: Any) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, input: Any) -> Any:
        return _averaged(self.n, input, self.output_size)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(AdaptiveAvgPoolNd):
    """Averages of (N, C, L) or (C, L) over a given number of windows; see ``adaptive_avg_pool2d``."""

    n = 1


class AdaptiveAvgPool2d(AdaptiveAvgPoolNd):
    """Averages of (N, C, H, W) or (C, H, W) over a given number of windows; see ``adaptive_avg_pool2d``."""

    n = 2


class AdaptiveAvgPool3d(AdaptiveAvgPoolNd):
    """Averages of (N, C, D, H, W) or (C, D, H, W) over a given number of windows; see ``adaptive_avg_pool2d``."""

    n = 3


class AdaptiveMaxPoolNd(Module):
    """What the adaptive max pooling Modules share: the size of the output, and whether to return the places."""

    n: int

    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        super().__init__()
        self.output_size, self.return_indices = output_size, return_indices

    def forward(self, input: Any) -> Any:
        return _maximal(self.n, input, self.output_size, self.return_indices)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveMaxPool1d(AdaptiveMaxPoolNd):
    """Maxima of (N, C, L) or (C, L) over a given number of windows; see ``adaptive_max_pool2d``."""

    n = 1


class AdaptiveMaxPool2d(AdaptiveMaxPoolNd):
    """Maxima of (N, C, H, W) or (C, H, W) over a given number of windows; see ``adaptive_max_pool2d``."""

    n = 2


class AdaptiveMaxPool3d(AdaptiveMaxPoolNd):
    """Maxima of (N, C, D, H, W) or (C, D, H, W) over a given number of windows; see ``adaptive_max_pool2d``."""

    n = 3
