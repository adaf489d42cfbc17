"""Rung 1: four loops, the definition written down.

Each output number is the sum of one window of the picture times one filter:

    y[n, o, i, j] = Σ_c Σ_a Σ_b  W[o, c, a, b] · x̂[n, c, i·s + a·d, j·s + b·d]

x̂ is x with its zeros around, s the stride, d the dilation; c runs over the channels of o's group. The
loops run over n, o, i, j; the three sums are one NumPy product.

Backward. A number of x̂ or W that takes part in several sums gets the sum of their gradients, hence ``+=``:

    dx̂[n, c, i·s + a·d, j·s + b·d] += W[o, c, a, b] · dy[n, o, i, j]
    dW[o, c, a, b]                 += x̂[n, c, i·s + a·d, j·s + b·d] · dy[n, o, i, j]

Cost of each pass: N·O·Ho·Wo · (C/groups)·kH·kW multiplications, the same on all rungs up to ``tiled``.
Bytes moved: two windows per output number. Neither is the bottleneck: a window is mostly fewer than a
thousand numbers, yet each costs a round trip through the interpreter of some five microseconds, in which a
core could multiply 200,000 times.

The next rung does the whole batch in one call: N times fewer round trips.
"""

import numpy as np

from ndl.kernels.conv2d.geometry import Pair, Shape4, crop, input_channels, output_size, pad, window


def forward(
    x: np.ndarray,
    W: np.ndarray,
    stride: Pair,
    padding: Pair,
    dilation: Pair,
    groups: int,
    bias: np.ndarray | None = None,
) -> np.ndarray:
    """y, plus ``bias`` (O,) if given. (N, C, H, W), (O, C/groups, kH, kW) → (N, O, Ho, Wo)"""
    kernel = W.shape[2:]
    ho, wo = output_size(x.shape[2:], kernel, stride, padding, dilation)
    x_hat = pad(x, padding)  # (N, C, H + 2p, W + 2p)
    y = np.empty((x.shape[0], W.shape[0], ho, wo), x.dtype)
    for n in range(y.shape[0]):
        for o in range(y.shape[1]):
            channels = input_channels(o, W.shape, groups)
            for i in range(ho):
                for j in range(wo):
                    seen = window(x_hat, i, j, kernel, stride, dilation)[n, channels]  # (C/groups, kH, kW)
                    y[n, o, i, j] = (W[o] * seen).sum()
    return y if bias is None else y + bias[:, None, None]


def input_grad(
    dy: np.ndarray, W: np.ndarray, x_shape: Shape4, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> np.ndarray:
    """dx. (N, O, Ho, Wo), (O, C/groups, kH, kW) → (N, C, H, W)"""
    dx_hat = pad(np.zeros(x_shape, dy.dtype), padding)  # (N, C, H + 2p, W + 2p)
    for n in range(dy.shape[0]):
        for o in range(dy.shape[1]):
            channels = input_channels(o, W.shape, groups)
            for i in range(dy.shape[2]):
                for j in range(dy.shape[3]):
                    seen = window(dx_hat, i, j, W.shape[2:], stride, dilation)[n, channels]
                    seen += W[o] * dy[n, o, i, j]  # seen is a view: this reaches dx_hat
    return crop(dx_hat, padding)


def weight_grad(
    x: np.ndarray, dy: np.ndarray, W_shape: Shape4, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> np.ndarray:
    """dW. (N, C, H, W), (N, O, Ho, Wo) → (O, C/groups, kH, kW)"""
    x_hat = pad(x, padding)
    dW = np.zeros(W_shape, x.dtype)
    for n in range(dy.shape[0]):
        for o in range(dy.shape[1]):
            channels = input_channels(o, W_shape, groups)
            for i in range(dy.shape[2]):
                for j in range(dy.shape[3]):
                    dW[o] += window(x_hat, i, j, W_shape[2:], stride, dilation)[n, channels] * dy[n, o, i, j]
    return dW
