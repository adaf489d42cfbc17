"""A side path for 1x1 kernels: the convolution is a matrix product already.

A 1x1 kernel looks at one pixel: with the channels innermost the picture itself is the matrix X of im2col,

    y = X Fᵀ,   dX = dy F,   dF = dyᵀ X            X (N·H·W, C), F (O, C), y (N·H·W, O)

With a stride X are the pixels that are looked at, the others get no gradient.

Cost: as many multiplications as rung 1. Bytes moved: x and y once, nothing else (with a stride, or where
the channels are not innermost, one copy of x in pieces that stay in the cache).
"""

import numpy as np

from ndl.kernels.conv2d.geometry import Pair, Shape4, output_size
from ndl.kernels.conv2d.pieces import (
    add_bias,
    add_up,
    channels_last,
    empty_channels_last,
    grain,
    pieces,
)
from ndl.kernels.threads import parallel_for

PIECE_BYTES = 1 << 20


def applies(W_shape: Shape4, stride: Pair, padding: Pair, dilation: Pair, groups: int) -> bool:
    """Whether this path computes such a convolution."""
    return W_shape[2:] == (1, 1) and padding == (0, 0)


def forward(
    x: np.ndarray,
    W: np.ndarray,
    stride: Pair,
    padding: Pair,
    dilation: Pair,
    groups: int,
    bias: np.ndarray | None = None,
) -> np.ndarray:
    """y, plus ``bias`` (O,) if given. (N, C, H, W), (O, C/groups, 1, 1) → (N, O, Ho, Wo), channels last."""
    _check(W.shape, stride, padding, dilation, groups)
    n, n_out = x.shape[0], W.shape[0]
    ho, wo = output_size(x.shape[2:], (1, 1), stride, padding, dilation)
    seen = x[:, :, :: stride[0], :: stride[1]]
    F = W.reshape(groups, n_out // groups, -1).transpose(0, 2, 1)  # (G, C/G, O/G)
    y = empty_channels_last((n, n_out, ho, wo), x.dtype)

    def share(first: int, last: int) -> None:
        for part in pieces(first, last, _pictures_per_piece(seen, y)):
            np.matmul(_rows(seen[part], groups), F, out=_rows(y[part], groups))
            add_bias(y[part], bias)

    parallel_for(n, share, grain=grain(2.0 * ho * wo * F.size))
    return y


def input_grad(
    dy: np.ndarray, W: np.ndarray, x_shape: Shape4, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> np.ndarray:
    """dx. (N, O, Ho, Wo), (O, C/groups, 1, 1) → (N, C, H, W), channels last."""
    _check(W.shape, stride, padding, dilation, groups)
    F = W.reshape(groups, W.shape[0] // groups, -1)  # (G, O/G, C/G)
    dx = empty_channels_last(x_shape, dy.dtype)
    seen = dx[:, :, :: stride[0], :: stride[1]]

    def share(first: int, last: int) -> None:
        for part in pieces(first, last, _pictures_per_piece(dx, dy)):
            if stride == (1, 1):
                np.matmul(_rows(dy[part], groups), F, out=_rows(dx[part], groups))
            else:
                dx[part] = 0
                product = np.matmul(_rows(dy[part], groups), F).transpose(1, 0, 2)  # (R, G, C/G)
                channels_last(seen[part])[...] = product.reshape(channels_last(seen[part]).shape)

    parallel_for(dy.shape[0], share, grain=grain(2.0 * dy.shape[2] * dy.shape[3] * F.size))
    return dx


def weight_grad(
    x: np.ndarray, dy: np.ndarray, W_shape: Shape4, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> np.ndarray:
    """dW. (N, C, H, W), (N, O, Ho, Wo) → (O, C/groups, 1, 1)"""
    _check(W_shape, stride, padding, dilation, groups)
    seen = x[:, :, :: stride[0], :: stride[1]]
    shape = (groups, W_shape[0] // groups, W_shape[1])

    def share(first: int, last: int) -> np.ndarray:
        dF = np.zeros(shape, x.dtype)
        for part in pieces(first, last, _pictures_per_piece(seen, dy)):
            dY, X = _rows(dy[part], groups), _rows(seen[part], groups)  # (G, R, O/G), (G, R, C/G)
            dF += dY.transpose(0, 2, 1) @ X
        return dF

    parts = parallel_for(x.shape[0], share, grain=grain(2.0 * dy[0].size * shape[2] if x.shape[0] else 1))
    return add_up(parts, shape, x.dtype).reshape(W_shape)


def _check(W_shape: Shape4, stride: Pair, padding: Pair, dilation: Pair, groups: int) -> None:
    if not applies(W_shape, stride, padding, dilation, groups):
        raise RuntimeError(
            f"pointwise wants a 1x1 kernel without padding, but got kernel {W_shape[2:]} and padding "
            f"{padding}: use 'tiled', which takes all"
        )


def _pictures_per_piece(*arrays: np.ndarray) -> int:
    """So many that their pixels stay in the cache."""
    return PIECE_BYTES // max(1, sum(array[:1].size * array.itemsize for array in arrays))


def _rows(x: np.ndarray, groups: int) -> np.ndarray:
    """One row per pixel, per group: a view if x is channels last. (n, C, H, W) → (G, n·H·W, C/G)"""
    last = np.ascontiguousarray(channels_last(x))
    return last.reshape(-1, groups, x.shape[1] // groups).transpose(1, 0, 2)
