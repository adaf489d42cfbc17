"""Rung 5: tiled im2col on threads, columns that never leave the cache.

The same product as im2col, y = X Fᵀ, dX = dy F, dF = dyᵀ X, with three changes:

- **A piece at a time.** The rows of X are independent, so X is built for a few pictures, or a band of rows
  of one picture, multiplied, and overwritten by the next piece. It stays in the core's own cache and is
  never written to memory. (dF is a sum over the rows: each piece adds its part.)
- **Channels last.** A window row is kW·C neighbouring numbers in memory, so im2col is one strided copy with
  long contiguous runs, where N, C, H, W order has runs of kW numbers. y comes out of the product in this
  order too.
- **Threads.** Every thread takes a contiguous share of the pictures, with a BLAS that uses one thread.

dx with stride 1 is the same convolution once more, of dy with the kernel turned round and its in- and
output channels swapped: dx[c, h] = Σ_o Σ_a W[o, c, a] · dy[o, h + p - a·d]. With a longer stride dX is
computed and added into the padded picture, tap by tap, while both are in the cache (col2im).

Cost: as many multiplications as rung 1. Bytes moved through memory: x once and y once; through the cache
still kH·kW times x, which takes 15 to 100 % of the time of the product, the more the fewer output channels
there are.

The next rung leaves out the copies: it finds the columns in the padded picture as they lie.
"""

from collections.abc import Iterator

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
from ndl.kernels.short_products import product, sum_of_products
from ndl.kernels.threads import get_num_threads, parallel_for
from ndl.kernels.workspace import scratch

PIECE_BYTES = 1 << 21  # columns of one piece: twice a core's L2 cache; the BLAS wants long products more


def forward(
    x: np.ndarray,
    W: np.ndarray,
    stride: Pair,
    padding: Pair,
    dilation: Pair,
    groups: int,
    bias: np.ndarray | None = None,
) -> np.ndarray:
    """y, plus ``bias`` (O,) if given. (N, C, H, W), (O, C/groups, kH, kW) → (N, O, Ho, Wo), channels last."""
    ho, wo = output_size(x.shape[2:], W.shape[2:], stride, padding, dilation)
    y = empty_channels_last((x.shape[0], W.shape[0], ho, wo), x.dtype)
    F = _by_group(W, groups).transpose(0, 3, 4, 2, 1)  # (G, kH, kW, C/G, O/G)
    _correlate(x, F, y, stride, padding, dilation, bias)
    return y


def input_grad(
    dy: np.ndarray, W: np.ndarray, x_shape: Shape4, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> np.ndarray:
    """dx. (N, O, Ho, Wo), (O, C/groups, kH, kW) → (N, C, H, W), channels last."""
    dx = empty_channels_last(x_shape, dy.dtype)
    if stride == (1, 1):
        before = (dilation[0] * (W.shape[2] - 1) - padding[0], dilation[1] * (W.shape[3] - 1) - padding[1])
        turned = _by_group(W, groups)[..., ::-1, ::-1].transpose(0, 3, 4, 1, 2)  # (G, kH, kW, O/G, C/G)
        _correlate(dy, turned, dx, stride, before, dilation, None)
    else:
        _add_columns(dy, _by_group(W, groups).transpose(0, 1, 3, 4, 2), dx, stride, padding, dilation)
    return dx


def weight_grad(
    x: np.ndarray, dy: np.ndarray, W_shape: Shape4, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> np.ndarray:
    """dW. (N, C, H, W), (N, O, Ho, Wo) → (O, C/groups, kH, kW)"""
    n, n_out, ho, wo = dy.shape
    kernel, length = W_shape[2:], W_shape[1] * W_shape[2] * W_shape[3]
    bands = _bands(n, ho, wo * length * groups * x.itemsize)
    per_piece = PIECE_BYTES // max(1, ho * wo * length * groups * x.itemsize)

    def share(first: int, last: int) -> np.ndarray:
        dF = np.zeros((groups, n_out // groups, length), x.dtype)
        for part, rows in _walk(first, last, bands, ho, per_piece):
            X = _columns(x[part], rows, wo, groups, kernel, stride, padding, dilation)  # (G, R, kH·kW·C/G)
            dY = _rows(dy[part, :, rows], groups)  # (G, R, O/G)
            dF += sum_of_products(dY, X)
        return dF

    parts = parallel_for(n * bands, share, grain=grain(2.0 * ho * wo * n_out * length / bands))
    dF = add_up(parts, (groups, n_out // groups, length), x.dtype)
    dW = np.empty(W_shape, x.dtype)
    dW[...] = dF.reshape(n_out, *kernel, W_shape[1]).transpose(0, 3, 1, 2)
    return dW


def _by_group(W: np.ndarray, groups: int) -> np.ndarray:
    """(O, C/G, kH, kW) → (G, O/G, C/G, kH, kW)"""
    return W.reshape(groups, W.shape[0] // groups, *W.shape[1:])


def _rows(dy: np.ndarray, groups: int) -> np.ndarray:
    """One row per pixel, per group. (n, O, Ho, Wo) → (G, n·Ho·Wo, O/G)"""
    last = np.ascontiguousarray(channels_last(dy))
    return last.reshape(-1, groups, dy.shape[1] // groups).transpose(1, 0, 2)


def _bands(n: int, ho: int, bytes_per_row: int) -> int:
    """Into how many bands of rows a picture is cut: until one fits the cache and every thread gets work."""
    fitting = -(-ho * bytes_per_row // PIECE_BYTES)
    return max(1, min(ho, max(fitting, -(-get_num_threads() // n) if n else 1)))


def _walk(first: int, last: int, bands: int, ho: int, per_piece: int) -> Iterator[tuple[slice, slice]]:
    """The pieces of a share: ``per_piece`` whole pictures, or bands ``first`` to ``last`` of all pictures."""
    if bands == 1:
        for part in pieces(first, last, per_piece):
            yield part, slice(0, ho)
    else:
        for band in range(first, last):
            picture, number = divmod(band, bands)
            yield slice(picture, picture + 1), slice(number * ho // bands, (number + 1) * ho // bands)


def _columns(
    x: np.ndarray, rows: slice, wo: int, groups: int, kernel: Pair, stride: Pair, before: Pair, dilation: Pair
) -> np.ndarray:
    """The windows of these output rows as rows of a matrix. (n, C, H, W) → (G, n·rows·Wo, kH·kW·C/G)"""
    (n, c), (kh, kw), (sh, sw), (dh, dw) = x.shape[:2], kernel, stride, dilation
    count = rows.stop - rows.start
    height, width = (count - 1) * sh + (kh - 1) * dh + 1, (wo - 1) * sw + (kw - 1) * dw + 1
    padded = scratch("tiled.x", (n, height, width, c), x.dtype)
    fill_padded(padded, x, before[0] - rows.start * sh, before[1])
    shape = (groups, n, count, wo, kh, kw, c // groups)
    line = width * c
    steps = (c // groups, height * line, sh * line, sw * c, dh * line, dw * c, 1)
    windows = strided_view(padded, 0, shape, steps)
    columns = scratch("tiled.columns", shape, x.dtype)
    columns[...] = windows
    return columns.reshape(groups, n * count * wo, kh * kw * (c // groups))


def _correlate(
    x: np.ndarray,
    F: np.ndarray,
    y: np.ndarray,
    stride: Pair,
    before: Pair,
    dilation: Pair,
    bias: np.ndarray | None,
) -> None:
    """y[n, o, i, j] = Σ F[g, a, b, c, o] · x[n, c, i·s + a·d - before, j·s + b·d - before] + bias[o].

    F is (G, kH, kW, C/G, O/G); ``before`` counts the zeros above and left of x.
    """
    groups, kh, kw, per_group, out_per_group = F.shape
    (n, _, ho, wo), length = y.shape, kh * kw * per_group
    F = F.reshape(groups, length, out_per_group)
    bands = _bands(n, ho, wo * length * groups * x.itemsize)
    per_piece = PIECE_BYTES // max(1, ho * wo * length * groups * x.itemsize)
    y_last = channels_last(y)

    def share(first: int, last: int) -> None:
        for part, rows in _walk(first, last, bands, ho, per_piece):
            X = _columns(x[part], rows, wo, groups, (kh, kw), stride, before, dilation)
            Y = y_last[part, rows].reshape(-1, groups, out_per_group).transpose(1, 0, 2)  # still a view of y
            product(X, F, out=Y)
            add_bias(y[part, :, rows], bias)

    parallel_for(n * bands, share, grain=grain(2.0 * ho * wo * F.size / bands))


def _add_columns(dy: np.ndarray, F: np.ndarray, dx: np.ndarray, stride: Pair, padding: Pair, dilation: Pair) -> None:
    """dx by col2im: the rows of dX = dy F are added to where they came from. F is (G, O/G, kH, kW, C/G)."""
    groups, _, kh, kw, per_group = F.shape
    (n, c, h, w), (ho, wo) = dx.shape, dy.shape[2:]
    (sh, sw), (dh, dw) = stride, dilation
    height = max(padding[0] + h, (ho - 1) * sh + (kh - 1) * dh + 1)
    width = max(padding[1] + w, (wo - 1) * sw + (kw - 1) * dw + 1)
    run = min(sw, kw) if dw == 1 else 1  # so many taps side by side never touch the same pixel
    F = F.reshape(groups, F.shape[1], kh * kw * per_group)
    dx_last = channels_last(dx)

    def share(first: int, last: int) -> None:
        for part in pieces(first, last, PIECE_BYTES // max(1, ho * wo * kh * kw * c * dy.itemsize)):
            count = part.stop - part.start
            dX = scratch("tiled.columns", (groups, count * ho * wo, F.shape[2]), dy.dtype)
            product(_rows(dy[part], groups), F, out=dX)
            by_tap = dX.reshape(groups, count, ho, wo, kh, kw, per_group).transpose(4, 1, 2, 3, 5, 0, 6)
            padded = scratch("tiled.x", (count, height, width, c), dy.dtype)
            padded[...] = 0
            line = width * c
            for a in range(kh):
                for b in range(0, kw, run):
                    taps = min(run, kw - b)
                    shape = (count, ho, wo, taps, groups, per_group)
                    steps = (height * line, sh * line, sw * c, c, per_group, 1)
                    pixels = strided_view(padded, a * dh * line + b * dw * c, shape, steps)
                    pixels += by_tap[a, :, :, :, b : b + taps]
            dx_last[part] = padded[:, padding[0] : padding[0] + h, padding[1] : padding[1] + w]

    parallel_for(n, share, grain=grain(2.0 * ho * wo * F.size))
