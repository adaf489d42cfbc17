"""Rung 9: the batch innermost, for few channels.

With 3, 8 or 16 channels a pixel of channels-last memory is a run of 12 to 64 bytes: every copy and every pooling is
then bound by the starts of NumPy's inner loops. Here an array of logical shape (N, C, H, W) lies in memory as C, H, W,
N: the same pixel of all pictures side by side. A row of pixels is then Wo·N neighbouring numbers whatever the channels,
and so it is for all that comes after the convolution (ReLU, pooling, bias, sums over a channel).

    y[o, i, (j, n)] = Σ_k F[o, k] · X_i[k, (j, n)]       k = (a, b, c) over the kernel's rows, columns and channels

- **A third of im2col.** Only the kernel's width is copied, S[h, b, c, (j, n)] = x̂[c, h, j + b, n]; the columns of
  output row i are the rows i to i + kH of S as they lie, one matrix, and the next output row's matrix overlaps it.
- **Short products.** The matrices are thin, so a row is cut into pieces that are short enough for the BLAS' loops for
  small matrices (``short_products`` tells why): 93 GFLOP/s for 27 x 8 in place of 30.
- **A band of rows at a time**, so that its columns stay in the core's cache; the threads share the rows of y.
- **Turning a batch round** once, where it comes in as N, C, H, W: eight pictures at a time, so that the eight lines of
  memory that one row of results is written to stay in the first-level cache (3.6 times as fast as one big copy).

dx with stride 1 is the same convolution of dy with the kernel turned round; with stride s it falls into s·s classes of
pixels (``tap_classes``). dW = Σ X dyᵀ over the pieces.

Cost: as many multiplications as rung 1. Bytes moved: x and y once through memory, kW times x through the cache.
Below some 16 pictures the runs are too short, and the rungs with the channels innermost win.
"""

from collections.abc import Iterator

import numpy as np

from ndl.kernels.conv2d.geometry import Pair, Shape4, output_size
from ndl.kernels.conv2d.pieces import add_up, by_group, grain, strided_view
from ndl.kernels.conv2d.tap_classes import class_by_class
from ndl.kernels.short_products import SHORT
from ndl.kernels.threads import parallel_for
from ndl.kernels.workspace import scratch

PIECE_BYTES = 1 << 21  # columns of one band: twice a core's L2 cache; fewer pieces, fewer waits for Python's lock
TURNED = 8  # pictures that are turned round at a time
FEW_COLUMNS = 256  # a product over fewer columns than this is too short to be worth a matrix of sums


def forward(
    x: np.ndarray,
    W: np.ndarray,
    stride: Pair,
    padding: Pair,
    dilation: Pair,
    groups: int,
    bias: np.ndarray | None = None,
) -> np.ndarray:
    """y, plus ``bias`` (O,) if given. (N, C, H, W), (O, C/groups, kH, kW) → (N, O, Ho, Wo), batch last."""
    ho, wo = output_size(x.shape[2:], W.shape[2:], stride, padding, dilation)
    y = empty_batch_last((x.shape[0], W.shape[0], ho, wo), x.dtype)
    for c, o in by_group(groups, x.shape[1], W.shape[0]):
        _correlate(x[:, c], W[o], y[:, o], stride, padding, dilation, None if bias is None else bias[o])
    return y


def input_grad(
    dy: np.ndarray, W: np.ndarray, x_shape: Shape4, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> np.ndarray:
    """dx. (N, O, Ho, Wo), (O, C/groups, kH, kW) → (N, C, H, W), batch last."""
    dx = empty_batch_last(x_shape, dy.dtype)

    def correlate(dy: np.ndarray, F: np.ndarray, part: np.ndarray, before: Pair, step: Pair) -> None:
        _correlate(dy, F.transpose(1, 0, 2, 3), part, (1, 1), before, step, None)  # (C/G, O/G, taps, taps)

    class_by_class(dx, dy, W, stride, padding, dilation, groups, correlate)
    return dx


def weight_grad(
    x: np.ndarray, dy: np.ndarray, W_shape: Shape4, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> np.ndarray:
    """dW. (N, C, H, W), (N, O, Ho, Wo) → (O, C/groups, kH, kW)"""
    if x.size == 0:
        return np.zeros(W_shape, x.dtype)
    dW = np.empty(W_shape, x.dtype)
    n, _, ho, wo = dy.shape
    per_group, kh, kw = W_shape[1:]
    K = per_group * kh * kw
    for c, o in by_group(groups, x.shape[1], W_shape[0]):
        x_g, dy_g = x[:, c], batch_last(dy[:, o])  # (O/G, Ho, Wo, N)
        n_out = dy_g.shape[0]
        width = _short_width(wo, n, dW[o].size, FEW_COLUMNS)

        def share(first: int, last: int, x_g=x_g, dy_g=dy_g, n_out=n_out, width=width) -> np.ndarray:
            dF = np.zeros((K, n_out), x.dtype)
            for rows, X in _windows(x_g, first, last, wo, (kh, kw), stride, padding, dilation, width):
                dY = dy_g[:, rows]  # (O/G, rows, Wo, N)
                in_memory = dY[0].flags.c_contiguous
                if not in_memory:
                    dY = _turned_copy("batch_last.dy", dY)
                D = dY.reshape(n_out, *X.shape[:2], width * n).transpose(1, 2, 3, 0)  # (rows, Wo/width, width·N, O/G)
                dF += np.add.reduce(np.matmul(X, D), axis=(0, 1))
            return dF

        parts = parallel_for(ho, share, grain=grain(2.0 * wo * n * K * n_out))
        dF = add_up(parts, (K, n_out), x.dtype)
        dW[o] = dF.T.reshape(n_out, kh, kw, per_group).transpose(0, 3, 1, 2)
    return dW


def batch_last(x: np.ndarray) -> np.ndarray:
    """The same numbers with the batch as last axis, as a view. (N, C, H, W) → (C, H, W, N)"""
    return x.transpose(1, 2, 3, 0)


def empty_batch_last(shape: Shape4, dtype: np.dtype) -> np.ndarray:
    """An uninitialised array of logical shape (N, C, H, W) whose memory runs C, H, W, N."""
    n, c, h, w = shape
    return np.empty((c, h, w, n), dtype).transpose(3, 0, 1, 2)


def _short_width(wo: int, n: int, K_times_O: int, fewest: int = 0) -> int:
    """How many output columns, a divisor of Wo, make a short product; all if that is over ``fewest`` columns of n."""
    most = max(1, SHORT // max(1, K_times_O * n))
    width = next(width for width in range(min(wo, most), 0, -1) if wo % width == 0)
    return width if width * n >= fewest else wo


def _turn(to: np.ndarray, x: np.ndarray) -> None:
    """to = x, both (C, H, W, N); x in any memory order."""
    if x.strides[3] == x.itemsize:
        to[...] = x
        return
    for n in range(0, x.shape[3], TURNED):
        to[..., n : n + TURNED] = x[..., n : n + TURNED]


def _turned_copy(name: str, x: np.ndarray) -> np.ndarray:
    """(C, H, W, N) in any memory order as a contiguous array."""
    copy = scratch(name, x.shape, x.dtype)
    _turn(copy, x)
    return copy


def _padded(x: np.ndarray, rows: int, columns: int, top: int, left: int) -> np.ndarray:
    """Zeros, and x from row ``top`` and column ``left`` on: (N, C, H, W) → (C, rows, columns, N).

    ``top`` and ``left`` may be negative and x may reach beyond the end: only the overlap is copied.
    """
    x = batch_last(x)
    P = scratch("batch_last.x", (x.shape[0], rows, columns, x.shape[3]), x.dtype)
    r0, r1 = min(max(0, top), rows), max(0, min(rows, top + x.shape[1]))
    c0, c1 = min(max(0, left), columns), max(0, min(columns, left + x.shape[2]))
    if r0 >= r1 or c0 >= c1:
        P[...] = 0
        return P
    P[:, :r0] = 0
    P[:, r1:] = 0
    P[:, r0:r1, :c0] = 0
    P[:, r0:r1, c1:] = 0
    _turn(P[:, r0:r1, c0:c1], x[:, r0 - top : r1 - top, c0 - left : c1 - left])
    return P


def _windows(
    x: np.ndarray,
    first: int,
    last: int,
    wo: int,
    kernel: Pair,
    stride: Pair,
    before: Pair,
    dilation: Pair,
    width: int,
) -> Iterator[tuple[slice, np.ndarray]]:
    """Bands of the output rows ``first`` to ``last`` with their windows. (N, C, H, W) → (rows, Wo/width, K, width·N)

    K runs over (kH, kW, C). In S[h, b, c, (j, n)] = x̂[c, h, j·s + b·d, n] the rows of a window follow one another, so
    that the windows of an output row are S[i·s : i·s + kH] as it lies: only the kernel's width is copied.
    """
    (n, c), (kh, kw), (sh, sw), (dh, dw) = x.shape[:2], kernel, stride, dilation
    wide = (wo - 1) * sw + (kw - 1) * dw + 1
    P = _padded(x, (last - first - 1) * sh + (kh - 1) * dh + 1, wide, before[0] - first * sh, before[1])
    line, plane = wide * n, P.shape[1] * wide * n
    block = kw * c * wo * n  # numbers of a row of S
    count = max(1, PIECE_BYTES // (block * sh * x.itemsize))
    for start in range(first, last, count):
        rows = min(count, last - start)
        height = (rows - 1) * sh + (kh - 1) * dh + 1
        S = scratch("batch_last.S", (height, kw, c, wo, n), x.dtype)
        S[...] = strided_view(P, (start - first) * sh * line, S.shape, (line, dw * n, plane, sw * n, 1))
        if dh == 1:
            X = strided_view(S, 0, (rows, kh * kw * c, wo * n), (sh * block, wo * n, 1))
        else:
            apart = strided_view(S, 0, (rows, kh, kw * c * wo * n), (sh * block, dh * block, 1))
            X = np.ascontiguousarray(apart).reshape(rows, kh * kw * c, wo * n)
        cut = X.reshape(rows, X.shape[1], wo // width, width * n)  # cutting one axis in two is a view
        yield slice(start, start + rows), cut.transpose(0, 2, 1, 3)


def _correlate(
    x: np.ndarray,
    F: np.ndarray,
    y: np.ndarray,
    stride: Pair,
    before: Pair,
    dilation: Pair,
    bias: np.ndarray | None,
) -> None:
    """y[n, o, i, j] = Σ F[o, c, a, b] · x[n, c, i·s + a·d - before, j·s + b·d - before] + bias[o].

    y is written to, and may be a view; ``before`` counts the zeros above and left of x.
    """
    (n, n_out, ho, wo), (kh, kw) = y.shape, F.shape[2:]
    if y.size == 0:
        return
    F = np.ascontiguousarray(F.transpose(0, 2, 3, 1)).reshape(n_out, -1)  # (O, kH·kW·C)
    y_last = batch_last(y)  # (O, Ho, Wo, N)
    width = _short_width(wo, n, F.size)
    in_place = y_last.strides[2] == n * y.itemsize
    column = None if bias is None else bias.reshape(n_out, 1, 1, 1)

    def share(first: int, last: int) -> None:
        for rows, X in _windows(x, first, last, wo, (kh, kw), stride, before, dilation, width):
            wanted = y_last[:, rows]  # (O, rows, Wo, N)
            Y = wanted if in_place else scratch("batch_last.y", wanted.shape, y.dtype)
            cut = Y.reshape(n_out, Y.shape[1], wo // width, width * n).transpose(1, 2, 0, 3)
            np.matmul(F, X, out=cut)  # (O, K) · (K, width·N), rows · Wo/width times
            if column is not None:
                np.add(Y, column, out=wanted)
            elif not in_place:
                wanted[...] = Y

    parallel_for(ho, share, grain=grain(2.0 * wo * n * F.size))
