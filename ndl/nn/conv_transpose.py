"""Transposed convolution: the input gradient of a convolution, taken as a forward pass.

    y[n, o, i] = b[o] + Σ_c Σ_{t,k: s·t + d·k − p = i} W[c, o, k] x[n, c, t]

    dx = W ∗ dy  (a convolution),   dW = ConvWeightGrad(dy, x),   db = Σ dy

Derivation: docs/blocks/conv_transpose.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ndl.autograd.tensor import Tensor
from ndl.nn.conv import ConvInputGrad
from ndl.nn.conv_arguments import (
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

__all__ = [
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
]


def transposed(
    n: int,
    input: Any,
    weight: Any,
    bias: Any,
    stride: Any,
    padding: Any,
    output_padding: Any,
    groups: int,
    dilation: Any,
) -> Any:
    name = f"conv_transpose{n}d"
    x, W = as_arrays(name, input, weight)
    check(name, x, W, None if bias is None else array_of(bias), n, groups, True)
    s, d = spatial(name, "stride", stride, n, 1), spatial(name, "dilation", dilation, n, 1)
    p, extra = spatial(name, "padding", padding, n, 0), spatial(name, "output_padding", output_padding, n, 0)
    for e, si, di in zip(extra, s, d):
        if e >= max(si, di):
            raise RuntimeError(
                f"output padding must be smaller than either stride or dilation, but got output_padding {extra}, stride "
                f"{s}, dilation {d}"
            )
    if x.ndim == n + 1:
        return transposed(n, input[None], weight, bias, s, p, extra, groups, d)[0]
    size = tuple(
        (i - 1) * si - 2 * pi + di * (k - 1) + e + 1
        for i, k, si, pi, di, e in zip(x.shape[2:], W.shape[2:], s, p, d, extra)
    )
    if any(m < 1 for m in size):
        raise RuntimeError(
            f"Given input size per channel: {list(x.shape[2:])}. Calculated output size per channel: {list(size)}. Output "
            "size is too small: use less padding"
        )
    y_shape = (x.shape[0], W.shape[1] * groups, *size)
    if all(e < si for e, si in zip(extra, s)):
        y = ConvInputGrad.apply(input, weight, y_shape, (s, p, d, groups))
    else:  # then a convolution of y would give more than x: make all there is without padding, and cut or fill that
        everything = tuple((i - 1) * si + di * (k - 1) + 1 for i, k, si, di in zip(x.shape[2:], W.shape[2:], s, d))
        y = ConvInputGrad.apply(input, weight, (*y_shape[:2], *everything), (s, (0,) * n, d, groups))
        y = pad(y, [w for pi, e in zip(reversed(p), reversed(extra)) for w in (-pi, e - pi)])
    return y if bias is None else y + bias.reshape(-1, *[1] * n)


def conv_transpose1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Any:
    """Transposed convolution over one dimension; see ``conv_transpose2d``."""
    return transposed(1, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Any:
    """The input gradient of ``conv2d`` as a forward pass: (N, C, H, W), (C, O/groups, kH, kW) -> (N, O, H', W').

    H' = (H − 1)·stride − 2·padding + dilation·(kH − 1) + output_padding + 1; ``output_padding`` chooses among the sizes
    that the convolution maps to one.
    """
    return transposed(2, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose3d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Any:
    """Transposed convolution over three dimensions; see ``conv_transpose2d``."""
    return transposed(3, input, weight, bias, stride, padding, output_padding, groups, dilation)


def output_padding_for(
    output_size: Sequence[int],
    size: Sequence[int],
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    kernel: Sizes,
) -> Sizes:
    """The ``output_padding`` that gives ``output_size``. Raises ValueError naming the sizes that can be reached."""
    smallest = [(i - 1) * s - 2 * p + d * (k - 1) + 1 for i, s, p, d, k in zip(size, stride, padding, dilation, kernel)]
    largest = [m + s - 1 for m, s in zip(smallest, stride)]
    if any(not low <= m <= high for m, low, high in zip(output_size, smallest, largest)):
        raise ValueError(
            f"requested an output size of {list(output_size)}, but valid sizes range from {smallest} to {largest} (for an "
            f"input of {list(size)})"
        )
    return tuple(m - low for m, low in zip(output_size, smallest))


class ConvTransposeNd(Module):
    """What the transposed convolution Modules share: weight (C, O/groups, *kernel), bias (O), and the options."""

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
        output_padding: Any = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Any = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        check_channels(name, in_channels, out_channels, groups)
        if padding_mode != "zeros":
            raise ValueError(f'Only "zeros" padding mode is supported for {name}, but got {padding_mode!r}')
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size = spatial(name, "kernel_size", kernel_size, self.n, 1)
        self.stride = spatial(name, "stride", stride, self.n, 1)
        self.dilation = spatial(name, "dilation", dilation, self.n, 1)
        self.padding = spatial(name, "padding", padding, self.n, 0)
        self.output_padding = spatial(name, "output_padding", output_padding, self.n, 0)
        self.padding_mode = padding_mode
        self.weight = Parameter(empty(in_channels, out_channels // groups, *self.kernel_size, dtype=dtype))
        self.register_parameter("bias", Parameter(empty(out_channels, dtype=dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new values."""
        reset_convolution(self)

    def forward(self, input: Any, output_size: Sequence[int] | None = None) -> Any:
        extra = self.output_padding
        if output_size is not None:
            shape, n = array_of(input).shape, self.n
            if len(output_size) not in (n, len(shape)):
                raise ValueError(
                    f"{type(self).__name__}: for {len(shape)}D input, output_size must have {n} or {len(shape)} elements "
                    f"(got {len(output_size)})"
                )
            options = (self.stride, self.padding, self.dilation, self.kernel_size)
            extra = output_padding_for(output_size[-n:], shape[-n:], *options)
        return transposed(
            self.n,
            input,
            self.weight,
            self.bias,
            self.stride,
            self.padding,
            extra,
            self.groups,
            self.dilation,
        )

    def extra_repr(self) -> str:
        return describe_convolution(self)


class ConvTranspose1d(ConvTransposeNd):
    """Transposed convolution of (N, C, L) or (C, L); see ``conv_transpose2d``."""

    n = 1


class ConvTranspose2d(ConvTransposeNd):
    """Transposed convolution of (N, C, H, W) or (C, H, W); see ``conv_transpose2d``."""

    n = 2


class ConvTranspose3d(ConvTransposeNd):
    """Transposed convolution of (N, C, D, H, W) or (C, D, H, W); see ``conv_transpose2d``."""

    n = 3
