"""Rung 2: three loops, the whole batch in one call.

The same sums as rung 1, for one filter o and one place (i, j), but for all N pictures together:

    y[:, o, i, j]  = Σ_cab  x̂[:, window at (i, j)] · W[o]              a sum over the last three axes
    dx̂[:, window] += dy[:, o, i, j] · W[o]                             an outer product, N x (C/groups·kH·kW)
    dW[o]         += Σ_n  x̂[n, window at (i, j)] · dy[n, o, i, j]

Cost: as many multiplications as rung 1. Bytes moved: the same windows are read once for every filter, and the
product of windows and filter is written out before it is summed: 3·N·(C/groups)·kH·kW numbers for N results.
There are O·Ho·Wo round trips through the interpreter, so it is fast only where N is large.

The next rung takes all filters at once too. A sum of products over a shared axis for every (picture,
filter) pair is a matrix product, which reads each window once, not O times, and runs at the speed of the
BLAS.
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
    for o in range(y.shape[1]):
        channels = input_channels(o, W.shape, groups)
        for i in range(ho):
            for j in range(wo):
                seen = window(x_hat, i, j, kernel, stride, dilation)[:, channels]  # (N, C/groups, kH, kW)
                y[:, o, i, j] = (seen * W[o]).sum(axis=(1, 2, 3))
    return y if bias is None else y + bias[:, None, None]


def input_grad(
    dy: np.ndarray, W: np.ndarray, x_shape: Shape4, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> np.ndarray:
    """dx. (N, O, Ho, Wo), (O, C/groups, kH, kW) → (N, C, H, W)"""
    dx_hat = pad(np.zeros(x_shape, dy.dtype), padding)  # (N, C, H + 2p, W + 2p)
    for o in range(dy.shape[1]):
        channels = input_channels(o, W.shape, groups)
        for i in range(dy.shape[2]):
            for j in range(dy.shape[3]):
                seen = window(dx_hat, i, j, W.shape[2:], stride, dilation)[:, channels]
                seen += dy[:, o, i, j][:, None, None, None] * W[o]  # seen is a view: this reaches dx_hat
    return crop(dx_hat, padding)


def weight_grad(
    x: np.ndarray, dy: np.ndarray, W_shape: Shape4, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> np.ndarray:
    """dW. (N, C, H, W), (N, O, Ho, Wo) → (O, C/groups, kH, kW)"""
    x_hat = pad(x, padding)
    dW = np.zeros(W_shape, x.dtype)
    for o in range(dy.shape[1]):
        channels = input_channels(o, W_shape, groups)
        for i in range(dy.shape[2]):
            for j in range(dy.shape[3]):
                seen = window(x_hat, i, j, W_shape[2:], stride, dilation)[:, channels]  # (N, C/G, kH, kW)
                dW[o] += (seen * dy[:, o, i, j][:, None, None, None]).sum(axis=0)
    return dW
