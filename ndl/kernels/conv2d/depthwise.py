"""A side path for depthwise convolution: every channel has its own small filter, and channels do not mix.

With as many groups as channels nothing is left of the matrix product: im2col would give every channel a
product with a single column. What is left is

    y[n, i, j, c] = Σ_a Σ_b  x̂[n, i·s + a·d, j·s + b·d, c] · w[a, b, c]

element by element. ``np.einsum`` runs it as one loop that multiplies and adds in one go. Repeating w along
the width makes the innermost loop as long as a row of pixels, W·C numbers, and keeps that row of y in the
fastest cache while the taps pass over it.

Backward. dx is the same with the filters turned round (for strides see ``tap_classes``). dw[a, b, c] is the
product of dy with the picture shifted by (a, b), summed over all places: first over n and i for each (j,
c), then over j.

Cost: kH·kW multiplications for each number of y. Bytes moved: kH·kW + 1 passes over a row, all in the cache.
"""

import numpy as np

from ndl.kernels.conv2d.geometry import Pair, Shape4, output_size
from ndl.kernels.conv2d.pieces import (
    add_bias,
    add_up,
    channels_last,
    empty_channels_last,
    fill_padded,
    grain,
    pieces,
    strided_view,
)
from ndl.kernels.conv2d.tap_classes import class_by_class
from ndl.kernels.threads import parallel_for
from ndl.kernels.workspace import scratch

PIECE_BYTES = 1 << 19


def applies(W_shape: Shape4, stride: Pair, padding: Pair, dilation: Pair, groups: int) -> bool:
    """Whether this path computes such a convolution."""
    return W_shape[1] == 1 and W_shape[0] == groups


def forward(
    x: np.ndarray,
    W: np.ndarray,
    stride: Pair,
    padding: Pair,
    dilation: Pair,
    groups: int,
    bias: np.ndarray | None = None,
) -> np.ndarray:
    """y, plus ``bias`` (C,) if given. (N, C, H, W), (C, 1, kH, kW) → (N, C, Ho, Wo), channels last."""
    _check(W.shape, stride, padding, dilation, groups)
    ho, wo = output_size(x.shape[2:], W.shape[2:], stride, padding, dilation)
    y = empty_channels_last((x.shape[0], W.shape[0], ho, wo), x.dtype)
    _correlate(x, W[:, 0].transpose(1, 2, 0), y, stride, padding, dilation, bias)
    return y


def input_grad(
    dy: np.ndarray, W: np.ndarray, x_shape: Shape4, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> np.ndarray:
    """dx. (N, C, Ho, Wo), (C, 1, kH, kW) → (N, C, H, W), channels last."""
    _check(W.shape, stride, padding, dilation, groups)
    dx = empty_channels_last(x_shape, dy.dtype)

    def correlate(dy: np.ndarray, F: np.ndarray, part: np.ndarray, before: Pair, step: Pair) -> None:
        _correlate(dy, F[:, 0].transpose(1, 2, 0), part, (1, 1), before, step, None)  # (taps, taps, C)

    class_by_class(dx, dy, W, stride, padding, dilation, 1, correlate)
    return dx


def weight_grad(
    x: np.ndarray, dy: np.ndarray, W_shape: Shape4, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> np.ndarray:
    """dW. (N, C, H, W), (N, C, Ho, Wo) → (C, 1, kH, kW)"""
    _check(W_shape, stride, padding, dilation, groups)
    n, c, ho, wo = dy.shape
    kernel = W_shape[2:]

    whole_rows = stride[1] == 1
    runs = (1, wo * c) if whole_rows else (wo, c)

    def share(first: int, last: int) -> np.ndarray:
        dw = np.zeros((*kernel, *runs), x.dtype)
        for part in pieces(first, last, PIECE_BYTES // max(1, x[:1].size * x.itemsize)):
            windows = _windows(x[part], (ho, wo), kernel, stride, padding, dilation, whole_rows)
            dy_here = np.ascontiguousarray(channels_last(dy[part]))  # (n, Ho, Wo, C)
            dy_here = dy_here.reshape(-1, ho, *runs)  # (n, Ho, runs, length)
            for a in range(kernel[0]):
                for b in range(kernel[1]):
                    dw[a, b] += np.einsum("nirl,nirl->rl", windows[:, :, a, b], dy_here)
        return dw.reshape(*kernel, wo, c).sum(axis=2)  # (kH, kW, C)

    parts = parallel_for(n, share, grain=grain(2.0 * ho * wo * c * kernel[0] * kernel[1]))
    return add_up(parts, (*kernel, c), x.dtype).transpose(2, 0, 1).reshape(W_shape)


def _check(W_shape: Shape4, stride: Pair, padding: Pair, dilation: Pair, groups: int) -> None:
    if not applies(W_shape, stride, padding, dilation, groups):
        raise RuntimeError(
            f"depthwise wants as many groups as channels and filters, but got {groups} groups and weights of "
            f"shape {tuple(W_shape)}: use 'tiled', which takes all"
        )


def _windows(
    x: np.ndarray, output: Pair, kernel: Pair, stride: Pair, before: Pair, dilation: Pair, whole_rows: bool
) -> np.ndarray:
    """Every window of the padded pictures as a view. (n, C, H, W) → (n, Ho, kH, kW, runs, length)

    A run is a row of Wo·C neighbouring numbers if ``whole_rows`` (for stride 1), else the C of a pixel.
    """
    n, c = x.shape[:2]
    height, width = ((o - 1) * s + (k - 1) * d + 1 for o, s, k, d in zip(output, stride, kernel, dilation))
    padded = scratch("depthwise.x", (n, height, width, c), x.dtype)
    fill_padded(padded, x, *before)
    runs = (1, output[1] * c) if whole_rows else (output[1], c)
    line = width * c
    steps = (height * line, stride[0] * line, dilation[0] * line, dilation[1] * c, stride[1] * c, 1)
    return strided_view(padded, 0, (n, output[0], *kernel, *runs), steps)


def _correlate(
    x: np.ndarray,
    w: np.ndarray,
    y: np.ndarray,
    stride: Pair,
    before: Pair,
    dilation: Pair,
    bias: np.ndarray | None,
) -> None:
    """y[n, c, i, j] = Σ w[a, b, c] · x[n, c, i·s + a·d - before, j·s + b·d - before] + bias[c].

    w is (kH, kW, C). y is written to, and may be a view; ``before`` counts the zeros above and left of x.
    """
    n, c, ho, wo = y.shape
    if y.size == 0:
        return
    y_last = channels_last(y)
    whole_rows = stride[1] == 1 and y_last.flags.c_contiguous
    runs = (1, wo * c) if whole_rows else (wo, c)
    along_row = np.ascontiguousarray(np.broadcast_to(w[:, :, None, :], (*w.shape[:2], wo, c)))
    along_row = along_row.reshape(*w.shape[:2], *runs)  # (kH, kW, runs, length)
    y_runs = y_last.reshape(n, ho, *runs) if whole_rows else y_last

    def share(first: int, last: int) -> None:
        for part in pieces(first, last, PIECE_BYTES // max(1, x[:1].size * x.itemsize)):
            windows = _windows(x[part], (ho, wo), w.shape[:2], stride, before, dilation, whole_rows)
            np.einsum("niabrl,abrl->nirl", windows, along_row, out=y_runs[part])
            add_bias(y[part], bias)

    parallel_for(n, share, grain=grain(2.0 * ho * wo * w.size))
