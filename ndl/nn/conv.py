"""Convolution and transposed convolution in 1, 2 and 3 dimensions, written once.

    y[n, o, t] = b[o] + Σ_c Σ_k W[o, c, k] x[n, c, s·t + d·k − p]          t, k over all spatial axes at once

For each term of this sum dy[n, o, t] reaches the x and the W that it multiplied, so

    dx[n, c, i] = Σ_o Σ_{t,k: s·t + d·k − p = i} W[o, c, k] dy[n, o, t]    a transposed convolution
    dW[o, c, k] = Σ_n Σ_t x[n, c, s·t + d·k − p] dy[n, o, t]               a correlation of x with dy
    db[o]       = Σ_n Σ_t dy[n, o, t]

The three are linear in each of their two arguments, and the gradients of each are the other two: that is all there
is to second derivatives, and a *transposed convolution* is the second one taken as a forward pass.

How they are computed is floor 0's business: ``ndl.kernels.conv2d`` has the ladder from four loops to Winograd.
Derivation: docs/blocks/conv2d.md, conv_transpose.md.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ndl.autograd.function import ArrayFunction
from ndl.autograd.tensor import Tensor
from ndl.kernels import convnd
from ndl.kernels.summation import sum_over
from ndl.nn.conv_arguments import (
    PADDING_MODES,
    Sizes,
    as_arrays,
    check,
    check_channels,
    describe_convolution,
    reset_convolution,
    spatial,
)
from ndl.nn.module import Module
from ndl.nn.padding import pad
from ndl.nn.parameter import Parameter
from ndl.ops.creation import empty
from ndl.ops.promotion import array_of

__all__ = ["Conv1d", "Conv2d", "Conv3d", "conv1d", "conv2d", "conv3d"]

How = tuple[Sizes, Sizes, Sizes, int]  # stride, padding, dilation, groups


class Convolution(ArrayFunction):
    """y = W ∗ x + b;  dx = ConvInputGrad(dy, W),  dW = ConvWeightGrad(x, dy),  db = Σ dy."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, W: np.ndarray, b: np.ndarray | None, how: How) -> np.ndarray:
        need_dx, need_dW = ctx.needs_input_grad[:2]
        ctx.save_for_backward(x if need_dW else None, W if need_dx else None)
        ctx.x_shape, ctx.W_shape, ctx.how = x.shape, W.shape, how
        return convnd.forward(x, W, *how, bias=b)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> tuple:
        x, W = ctx.saved_tensors
        need_dx, need_dW, need_db, _ = ctx.needs_input_grad
        dx = ConvInputGrad.apply(dy, W, ctx.x_shape, ctx.how) if need_dx else None
        dW = ConvWeightGrad.apply(x, dy, ctx.W_shape, ctx.how) if need_dW else None
        db = total(dy, (0, *range(2, dy.ndim))) if need_db else None
        return dx, dW, db, None


class ConvInputGrad(ArrayFunction):
    """dx = Wᵀ ∗ dy, linear in dy and W;  d(dy) = W ∗ g,  dW = ConvWeightGrad(g, dy) for the gradient g of dx."""

    @staticmethod
    def forward(ctx: Any, dy: np.ndarray, W: np.ndarray, x_shape: Sizes, how: How) -> np.ndarray:
        need_ddy, need_dW = ctx.needs_input_grad[:2]
        ctx.save_for_backward(dy if need_dW else None, W if need_ddy else None)
        ctx.W_shape, ctx.how = W.shape, how
        return convnd.input_grad(dy, W, x_shape, *how)

    @staticmethod
    def backward(ctx: Any, g: Any) -> tuple:
        dy, W = ctx.saved_tensors
        ddy = Convolution.apply(g, W, None, ctx.how) if ctx.needs_input_grad[0] else None
        dW = ConvWeightGrad.apply(g, dy, ctx.W_shape, ctx.how) if ctx.needs_input_grad[1] else None
        return ddy, dW, None, None


class ConvWeightGrad(ArrayFunction):
    """dW = x ⋆ dy, linear in x and dy;  dx = ConvInputGrad(dy, G),  d(dy) = G ∗ x for the gradient G of dW."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, dy: np.ndarray, W_shape: Sizes, how: How) -> np.ndarray:
        need_dx, need_ddy = ctx.needs_input_grad[:2]
        ctx.save_for_backward(x if need_ddy else None, dy if need_dx else None)
        ctx.x_shape, ctx.how = x.shape, how
        return convnd.weight_grad(x, dy, W_shape, *how)

    @staticmethod
    def backward(ctx: Any, G: Any) -> tuple:
        x, dy = ctx.saved_tensors
        dx = ConvInputGrad.apply(dy, G, ctx.x_shape, ctx.how) if ctx.needs_input_grad[0] else None
        ddy = Convolution.apply(x, G, None, ctx.how) if ctx.needs_input_grad[1] else None
        return dx, ddy, None, None


def total(dy: Any, axes: tuple[int, ...]) -> Any:
    """Σ dy over ``axes``; arrays by the kernel that is fast in any memory order."""
    return sum_over(dy, axes) if isinstance(dy, np.ndarray) else np.sum(dy, axis=axes)


# -- the functions -----------------------------------------------------------------------------------------------


def convolve(n: int, input: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any, groups: int) -> Any:
    name = f"conv{n}d"
    x, W = as_arrays(name, input, weight)
    check(name, x, W, None if bias is None else array_of(bias), n, groups, False)
    s, d = spatial(name, "stride", stride, n, 1), spatial(name, "dilation", dilation, n, 1)
    if x.ndim == n + 1:
        return convolve(n, input[None], weight, bias, s, padding, d, groups)[0]
    kernel = W.shape[2:]
    if isinstance(padding, str):
        input, p = _named_padding(name, input, padding, kernel, s, d)
        x = array_of(input)
    else:
        p = spatial(name, "padding", padding, n, 0)
    convnd.output_size(x.shape[2:], kernel, s, p, d)  # raises where the kernel does not fit
    return Convolution.apply(input, weight, bias, (s, p, d, groups))


def _named_padding(
    name: str, input: Any, padding: str, kernel: Sizes, stride: Sizes, dilation: Sizes
) -> tuple[Any, Sizes]:
    """'valid' or 'same' as numbers; where 'same' is uneven, the odd zero goes to the end, as in PyTorch."""
    if padding == "valid":
        return input, (0,) * len(kernel)
    if padding != "same":
        raise RuntimeError(
            f"Invalid padding string: {name}: padding must be numbers, 'same' or 'valid', not {padding!r}"
        )
    if any(s != 1 for s in stride):
        raise RuntimeError("padding='same' is not supported for strided convolutions: give the padding as numbers")
    total = [d * (k - 1) for d, k in zip(dilation, kernel)]
    odd = [t % 2 for t in total]
    if any(odd):
        input = pad(input, [amount for o in reversed(odd) for amount in (0, o)])
    return input, tuple(t // 2 for t in total)


def conv1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """Convolution over one dimension: (N, C, L), (O, C/groups, k) -> (N, O, L'). See ``conv2d``."""
    return convolve(1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """Convolution over two dimensions: (N, C, H, W), (O, C/groups, kH, kW) -> (N, O, H', W').

    H' = ⌊(H + 2·padding − dilation·(kH − 1) − 1) / stride⌋ + 1. ``padding`` is numbers, 'valid' or 'same'. An input
    without N is taken as one sample. Gradients: see the module's text.

    Raises RuntimeError for shapes, types, strides or groups that do not fit, or a kernel larger than the padded input.
    """
    return convolve(2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """Convolution over three dimensions: (N, C, D, H, W), (O, C/groups, kD, kH, kW) -> (N, O, D', H', W')."""
    return convolve(3, input, weight, bias, stride, padding, dilation, groups)


# -- the Modules -------------------------------------------------------------------------------------------------


class ConvNd(Module):
    """What the convolution Modules share: weight (O, C/groups, *kernel), bias (O), and the options.

    Weights start uniform in ±1/√(C/groups · kernel size), as in PyTorch. ``padding_mode`` is 'zeros', 'reflect',
    'replicate' or 'circular'.
    """

    n: int
    weight: Tensor
    bias: Tensor | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        check_channels(name, in_channels, out_channels, groups)
        if padding_mode not in PADDING_MODES:
            raise ValueError(f"padding_mode must be one of {PADDING_MODES}, but got padding_mode={padding_mode!r}")
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size = spatial(name, "kernel_size", kernel_size, self.n, 1)
        self.stride = spatial(name, "stride", stride, self.n, 1)
        self.dilation = spatial(name, "dilation", dilation, self.n, 1)
        if isinstance(padding, str):
            if padding not in ("same", "valid"):
                raise ValueError(f"Invalid padding string {padding!r}, should be one of 'valid', 'same'")
            if padding == "same" and any(s != 1 for s in self.stride):
                raise ValueError("padding='same' is not supported for strided convolutions")
            self.padding: Any = padding
        else:
            self.padding = spatial(name, "padding", padding, self.n, 0)
        self.output_padding = (0,) * self.n
        self.padding_mode = padding_mode
        self.weight = Parameter(empty(out_channels, in_channels // groups, *self.kernel_size, dtype=dtype))
        self.register_parameter("bias", Parameter(empty(out_channels, dtype=dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new values."""
        reset_convolution(self)

    def _border(self) -> list[int]:
        """The padding as ``pad`` wants it: pairs from the last dimension to the first."""
        if self.padding == "valid":
            return [0] * 2 * self.n
        if self.padding == "same":
            total = [d * (k - 1) for d, k in zip(self.dilation, self.kernel_size)]
            return [w for t in reversed(total) for w in (t // 2, t - t // 2)]
        return [w for p in reversed(self.padding) for w in (p, p)]

    def forward(self, input: Any) -> Any:
        padding = self.padding
        if self.padding_mode != "zeros":
            input, padding = pad(input, self._border(), self.padding_mode), 0
        return convolve(self.n, input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)

    def extra_repr(self) -> str:
        return describe_convolution(self)


class Conv1d(ConvNd):
    """Convolution of (N, C, L) or (C, L); see ``conv1d`` and ``ConvNd``."""

    n = 1


class Conv2d(ConvNd):
    """Convolution of (N, C, H, W) or (C, H, W); see ``conv2d`` and ``ConvNd``."""

    n = 2


class Conv3d(ConvNd):
    """Convolution of (N, C, D, H, W) or (C, D, H, W); see ``conv3d`` and ``ConvNd``."""

    n = 3
