"""Rung 3: two loops, one small matrix product per place.

For a place (i, j) let X be all N windows, one per row, and let F be all filters, one per row:

    y[:, :, i, j] = X Fᵀ         (N, C·kH·kW) · (C·kH·kW, O)
    dX            = dy F         (N, O) · (O, C·kH·kW), added into the windows of dx̂
    dF           += dyᵀ X        (O, N) · (N, C·kH·kW)

With groups there is one such product per group; ``np.matmul`` takes them as a stack.

Cost: as many multiplications as rung 1, now done by the BLAS. Bytes moved: each window is copied into a row
once, (C·kH·kW) numbers for O results. There are Ho·Wo products of only N rows each, too small to keep the
BLAS busy.

The next rung puts the windows of all places under one another: a single product with N·Ho·Wo rows.
"""

import numpy as np

from ndl.kernels.conv2d.geometry import Pair, Shape4, crop, output_size, pad, window


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
    n, n_out, kernel = x.shape[0], W.shape[0], W.shape[2:]
    ho, wo = output_size(x.shape[2:], kernel, stride, padding, dilation)
    x_hat = pad(x, padding)  # (N, C, H + 2p, W + 2p)
    F = W.reshape(groups, n_out // groups, W[0].size)  # (G, O/G, C/G·kH·kW)
    y = np.empty((n, n_out, ho, wo), x.dtype)
    for i in range(ho):
        for j in range(wo):
            seen = window(x_hat, i, j, kernel, stride, dilation)
            X = seen.reshape(n, groups, W[0].size)  # (N, G, C/G·kH·kW)
            product = X.transpose(1, 0, 2) @ F.transpose(0, 2, 1)  # (G, N, O/G)
            y[:, :, i, j] = product.transpose(1, 0, 2).reshape(n, n_out)
    return y if bias is None else y + bias[:, None, None]


def input_grad(
    dy: np.ndarray, W: np.ndarray, x_shape: Shape4, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> np.ndarray:
    """dx. (N, O, Ho, Wo), (O, C/groups, kH, kW) → (N, C, H, W)"""
    n, n_out, ho, wo = dy.shape
    F = W.reshape(groups, n_out // groups, W[0].size)  # (G, O/G, C/G·kH·kW)
    dx_hat = pad(np.zeros(x_shape, dy.dtype), padding)  # (N, C, H + 2p, W + 2p)
    for i in range(ho):
        for j in range(wo):
            dy_here = dy[:, :, i, j].reshape(n, groups, n_out // groups).transpose(1, 0, 2)  # (G, N, O/G)
            dX = (dy_here @ F).transpose(1, 0, 2)  # (N, G, C/G·kH·kW)
            seen = window(dx_hat, i, j, W.shape[2:], stride, dilation)  # a view: += reaches dx_hat
            seen += dX.reshape(seen.shape)
    return crop(dx_hat, padding)


def weight_grad(
    x: np.ndarray, dy: np.ndarray, W_shape: Shape4, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> np.ndarray:
    """dW. (N, C, H, W), (N, O, Ho, Wo) → (O, C/groups, kH, kW)"""
    n, n_out, ho, wo = dy.shape
    x_hat = pad(x, padding)
    length = W_shape[1] * W_shape[2] * W_shape[3]
    dF = np.zeros((groups, n_out // groups, length), x.dtype)
    for i in range(ho):
        for j in range(wo):
            seen = window(x_hat, i, j, W_shape[2:], stride, dilation)
            X = seen.reshape(n, groups, length).transpose(1, 0, 2)  # (G, N, C/G·kH·kW)
            dy_here = dy[:, :, i, j].reshape(n, groups, n_out // groups)  # (N, G, O/G)
            dF += dy_here.transpose(1, 2, 0) @ X  # (G, O/G, N) · (G, N, C/G·kH·kW)
    return dF.reshape(W_shape)
