"""Average and power-average (LP) pooling in 1, 2 and 3 dimensions, written once.

    y[n, c, o] = Σ_a x[n, c, o·s − p + a] / K[o]            a over the taps of the window, padding counts as 0

Every x has the weight 1 / K[o] in each window that it lies in:

    dx[n, c, i] = Σ dy[n, c, o] / K[o] over the windows o that i lies in

K[o] is the number of places in the window, of which those in the padding may be left out. Both passes are linear and
each other's transposes, so the gradient of the backward pass is the forward pass.

LP pooling is the p-norm of each window, (Σ x^p)^(1/p). Derivation: docs/blocks/avg_pool.md.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ndl.autograd.function import ArrayFunction
from ndl.kernels import poolnd
from ndl.kernels.pool2d.windows import Windows, taps_of
from ndl.nn.activation import relu
from ndl.nn.module import Module
from ndl.nn.pool_arguments import WORDS, check_input, option, windows
from ndl.nn.tuples import single
from ndl.ops.dims import values
from ndl.ops.powers import pow

__all__ = [
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "LPPool1d",
    "LPPool2d",
    "LPPool3d",
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "lp_pool1d",
    "lp_pool2d",
    "lp_pool3d",
]


class AvgPool(ArrayFunction):
    """y = the sum of each window / K;  dx = AvgPoolGrad(dy)."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, w: Windows, K: np.ndarray) -> np.ndarray:
        ctx.w, ctx.K, ctx.order = w, K, poolnd.order_of(x)
        return poolnd.avg_forward(x, w, K) if x.dtype.kind == "f" else _whole_average(x, w, K.astype(x.dtype))

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        return AvgPoolGrad.apply(dy, ctx.w, ctx.K, ctx.order), None, None


class AvgPoolGrad(ArrayFunction):
    """dx = each dy / K at all places of its window;  d(dy) = AvgPool of the gradient of dx."""

    @staticmethod
    def forward(ctx: Any, dy: np.ndarray, w: Windows, K: np.ndarray, order: str) -> np.ndarray:
        ctx.w, ctx.K = w, K
        return poolnd.avg_backward(dy, w, K, order)

    @staticmethod
    def backward(ctx: Any, ddx: Any) -> tuple:
        return AvgPool.apply(ddx, ctx.w, ctx.K), None, None, None


def _whole_average(x: np.ndarray, w: Windows, K: np.ndarray) -> np.ndarray:
    """The windows' sums over K, rounded towards zero, as PyTorch divides integers."""
    sums = np.zeros((*x.shape[:2], *w.output), x.dtype)
    every = (slice(None), slice(None))
    for tap in taps_of(w):
        sums[every + tap.there] += x[every + tap.seen]
    y = sums // K
    return y + ((y < 0) & (y * K != sums))


def averaged(
    name: str,
    n: int,
    input: Any,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Any:
    x = values(input, name)
    check_input(name, x, n, ("f", "int64"))
    if divisor_override == 0:
        raise RuntimeError(f"{name}: divisor must be not zero")
    if x.ndim == n + 1:
        window = (kernel_size, stride, padding)
        return averaged(name, n, input[None], *window, ceil_mode, count_include_pad, divisor_override)[0]
    w = windows(name, input, n, kernel_size, stride, padding, 1, ceil_mode)
    K = poolnd.divisors(w, count_include_pad) if divisor_override is None else np.array(float(divisor_override))
    return AvgPool.apply(input, w, K)


# -- the functions -----------------------------------------------------------------------------------------------


def avg_pool1d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Any:
    """The average of each window: (N, C, L) -> (N, C, L'). See ``avg_pool2d``."""
    return averaged("avg_pool1d", 1, input, kernel_size, stride, padding, ceil_mode, count_include_pad, None)


def avg_pool2d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Any:
    """The average of each window: (N, C, H, W) -> (N, C, H', W').

    H' = ⌊(H + 2·padding − kH) / stride⌋ + 1, with ``ceil_mode`` rounded up. ``stride`` is the kernel size unless given.
    Sums are divided by the places in the window: with those in the padding, without them if ``count_include_pad`` is
    False, or by ``divisor_override``. An input without N is taken as one sample.

    dx: dy, so divided, at all places of the window. Raises RuntimeError for options that do not fit.
    """
    window = (kernel_size, stride, padding)
    return averaged("avg_pool2d", 2, input, *window, ceil_mode, count_include_pad, divisor_override)


def avg_pool3d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Any:
    """The average of each window: (N, C, D, H, W) -> (N, C, D', H', W'). See ``avg_pool2d``."""
    window = (kernel_size, stride, padding)
    return averaged("avg_pool3d", 3, input, *window, ceil_mode, count_include_pad, divisor_override)


def _lp_pooled(n: int, input: Any, norm_type: float, kernel_size: Any, stride: Any, ceil_mode: bool) -> Any:
    # As PyTorch composes it, for the same gradients where a sum is zero or negative: 0 · ∞ = nan.
    if n > 1 and isinstance(kernel_size, (tuple, list)) and len(kernel_size) != n:
        raise ValueError(f"lp_pool{n}d: kernel_size must be one int or {WORDS[n]}, but got {kernel_size}")
    mean = averaged(f"lp_pool{n}d", n, pow(input, norm_type), kernel_size, stride, 0, ceil_mode, True, None)
    places = math.prod(option(f"lp_pool{n}d", "kernel_size", kernel_size, n))
    return pow(np.sign(mean) * relu(np.abs(mean)) * places, 1.0 / norm_type)


def lp_pool1d(input: Any, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> Any:
    """(Σ x^p)^(1/p) of each window: (N, C, L) -> (N, C, L'). See ``lp_pool2d``."""
    return _lp_pooled(1, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool2d(input: Any, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> Any:
    """(Σ x^p)^(1/p) of each window, p = ``norm_type``: (N, C, H, W) -> (N, C, H', W').

    p = 1 is the sum. A window that ``ceil_mode`` cuts off is scaled up to the full size. dx = dy (x / y)^(p − 1); where
    the sum is zero it is nan, as in PyTorch.
    """
    return _lp_pooled(2, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool3d(input: Any, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> Any:
    """(Σ x^p)^(1/p) of each window: (N, C, D, H, W) -> (N, C, D', H', W'). See ``lp_pool2d``."""
    return _lp_pooled(3, input, norm_type, kernel_size, stride, ceil_mode)


# -- the Modules -------------------------------------------------------------------------------------------------


class AvgPoolNd(Module):
    """What the average pooling Modules share: the options, kept as they were given."""

    n: int

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.ceil_mode = padding, ceil_mode
        self.count_include_pad, self.divisor_override = count_include_pad, divisor_override

    def forward(self, input: Any) -> Any:
        window = (self.kernel_size, self.stride, self.padding)
        how = (self.ceil_mode, self.count_include_pad, self.divisor_override)
        return averaged(f"avg_pool{self.n}d", self.n, input, *window, *how)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool1d(AvgPoolNd):
    """Average pooling of (N, C, L) or (C, L); see ``avg_pool2d``."""

    n = 1

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        stride = None if stride is None else single(stride)
        super().__init__(single(kernel_size), stride, single(padding), ceil_mode, count_include_pad)


class AvgPool2d(AvgPoolNd):
    """Average pooling of (N, C, H, W) or (C, H, W); see ``avg_pool2d``."""

    n = 2


class AvgPool3d(AvgPoolNd):
    """Average pooling of (N, C, D, H, W) or (C, D, H, W); see ``avg_pool2d``."""

    n = 3


class LPPoolNd(Module):
    """What the LP pooling Modules share: the options, kept as they were given."""

    n: int

    def __init__(self, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> None:
        super().__init__()
        self.norm_type, self.kernel_size = norm_type, kernel_size
        self.stride, self.ceil_mode = stride, ceil_mode

    def forward(self, input: Any) -> Any:
        return _lp_pooled(self.n, input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)

    def extra_repr(self) -> str:
        return (
            f"norm_type={self.norm_type}, kernel_size={self.kernel_size}, stride={self.stride}, "
            f"ceil_mode={self.ceil_mode}"
        )


class LPPool1d(LPPoolNd):
    """Power-average pooling of (N, C, L) or (C, L); see ``lp_pool2d``."""

    n = 1


class LPPool2d(LPPoolNd):
    """Power-average pooling of (N, C, H, W) or (C, H, W); see ``lp_pool2d``."""

    n = 2


class LPPool3d(LPPoolNd):
    """Power-average pooling of (N, C, D, H, W) or (C, D, H, W); see ``lp_pool2d``."""

    n = 3
