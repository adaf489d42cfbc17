"""Rung 4: im2col, the convolution as one matrix product.

The windows of all places of all pictures become the rows of one matrix X, "image to columns":

    X[(n, i, j), (c, a, b)] = x̂[n, c, i·s + a·d, j·s + b·d]      N·Ho·Wo rows of C·kH·kW numbers
    y  = X Fᵀ                                                     F: the filters, one per row
    dX = dy F,   dx̂ = col2im(dX)                                  col2im adds every row to where it came from
    dF = dyᵀ X

col2im is the transpose of im2col: a pixel that was copied into several rows gets the sum of their
gradients. It goes over the kH·kW offsets: for a fixed (a, b) all windows touch different pixels, so a plain
``+=`` is safe there. (A single ``+=`` through the overlapping view would keep only one of the terms.)

Cost: as many multiplications as rung 1, in one product that runs at the speed of the BLAS. Bytes moved: X
holds every pixel kH·kW times. For 64 pictures of 64 x 32 x 32 and a 3x3 kernel it has 151 MB: written to
memory, read back by the product, and again in the backward pass. That traffic is now as expensive as the
multiplications.

The next rung never builds the whole of X: a piece at a time, small enough to stay in the cache.
"""

import numpy as np

from ndl.kernels.conv2d.geometry import Pair, Shape4, all_windows, crop, output_size, pad


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
    n, n_out = x.shape[0], W.shape[0]
    ho, wo = output_size(x.shape[2:], W.shape[2:], stride, padding, dilation)
    X = image_to_columns(pad(x, padding), W.shape[2:], stride, dilation, groups)  # (G, N·Ho·Wo, C/G·kH·kW)
    F = W.reshape(groups, n_out // groups, W[0].size)  # (G, O/G, C/G·kH·kW)
    y = X @ F.transpose(0, 2, 1)  # (G, N·Ho·Wo, O/G)
    y = y.reshape(groups, n, ho, wo, n_out // groups).transpose(1, 0, 4, 2, 3).reshape(n, n_out, ho, wo)
    return y if bias is None else y + bias[:, None, None]


def input_grad(
    dy: np.ndarray, W: np.ndarray, x_shape: Shape4, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> np.ndarray:
    """dx. (N, O, Ho, Wo), (O, C/groups, kH, kW) → (N, C, H, W)"""
    F = W.reshape(groups, W.shape[0] // groups, W[0].size)  # (G, O/G, C/G·kH·kW)
    dX = _rows(dy, groups) @ F  # (G, N·Ho·Wo, C/G·kH·kW)
    dx_hat = pad(np.zeros(x_shape, dy.dtype), padding)  # (N, C, H + 2p, W + 2p)
    add_columns_to_image(dX, dx_hat, dy.shape[2:], W.shape[2:], stride, dilation)
    return crop(dx_hat, padding)


def weight_grad(
    x: np.ndarray, dy: np.ndarray, W_shape: Shape4, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> np.ndarray:
    """dW. (N, C, H, W), (N, O, Ho, Wo) → (O, C/groups, kH, kW)"""
    X = image_to_columns(pad(x, padding), W_shape[2:], stride, dilation, groups)  # (G, N·Ho·Wo, C/G·kH·kW)
    dF = _rows(dy, groups).transpose(0, 2, 1) @ X  # (G, O/G, C/G·kH·kW)
    return dF.reshape(W_shape)


def image_to_columns(padded: np.ndarray, kernel: Pair, stride: Pair, dilation: Pair, groups: int) -> np.ndarray:
    """Every window as a row, per group. (N, C, H + 2p, W + 2p) → (G, N·Ho·Wo, C/G·kH·kW)"""
    windows = all_windows(padded, kernel, stride, dilation)  # (N, C, Ho, Wo, kH, kW), no copy yet
    n, c, ho, wo, kh, kw = windows.shape
    by_group = windows.reshape(n, groups, c // groups, ho, wo, kh, kw)
    return by_group.transpose(1, 0, 3, 4, 2, 5, 6).reshape(groups, n * ho * wo, c // groups * kh * kw)


def add_columns_to_image(
    dX: np.ndarray, dx_hat: np.ndarray, output: Pair, kernel: Pair, stride: Pair, dilation: Pair
) -> None:
    """The transpose of ``image_to_columns``: adds the rows of dX (G, N·Ho·Wo, C/G·kH·kW) into dx_hat."""
    groups, (n, c), (ho, wo), (kh, kw) = dX.shape[0], dx_hat.shape[:2], output, kernel
    by_offset = dX.reshape(groups, n, ho, wo, c // groups, kh, kw).transpose(5, 6, 1, 0, 4, 2, 3)
    by_offset = by_offset.reshape(kh, kw, n, c, ho, wo)
    for a in range(kh):
        for b in range(kw):
            top, left = a * dilation[0], b * dilation[1]
            rows = slice(top, top + (ho - 1) * stride[0] + 1, stride[0])
            columns = slice(left, left + (wo - 1) * stride[1] + 1, stride[1])
            dx_hat[:, :, rows, columns] += by_offset[a, b]


def _rows(dy: np.ndarray, groups: int) -> np.ndarray:
    """One row per place, per group. (N, O, Ho, Wo) → (G, N·Ho·Wo, O/G)"""
    n, n_out, ho, wo = dy.shape
    by_group = dy.reshape(n, groups, n_out // groups, ho, wo).transpose(1, 0, 3, 4, 2)
    return by_group.reshape(groups, n * ho * wo, n_out // groups)
