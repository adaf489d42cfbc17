"""Rung 7: Winograd along the columns of a picture, shifted products along its rows.

Winograd's F(4, 3) computes four results of a 3-tap filter with six multiplications, not twelve (how, is
told in ``winograd_transforms``). Here the filter is the kernel's height: a strip of six picture rows gives
four rows of y. Every product of a tap and a pixel becomes a matrix product over channels and the kernel's
width, which ``shifted`` does without copies. So, for each strip and with Bᵀ, G, Aᵀ acting on the vertical
axis:

    V_k = Σ_h Bᵀ[k, h] x̂[4·strip + h]              k = 0 … 5     6 rows → 6 rows
    U_k = Σ_a G[k, a] W[a]                                       3 rows of the kernel → 6
    M_k = V_k ∗ U_k                                a 1 x kW convolution with all channels: the expensive part
    y[4·strip + i] = Σ_k Aᵀ[i, k] M_k              i = 0 … 3     6 rows → 4 rows

Backward. dx is the same with the kernel turned round and its in- and output channels swapped. For dW the
chain rule goes through the last two lines: dM_k = Σ_i Aᵀ[i, k] dy[4·strip + i], then dU_k = V_kᵀ dM_k
summed over all places, then dW[a] = Σ_k G[k, a] dU_k.

Cost: 6 multiplications where rung 1 has 12; kernels five rows high take F(4, 5), 8 for 20, and those seven
high F(2, 7), 8 for 14. Bytes moved: V and M have 1.5 to 4 times the numbers of x and y and stay in the
cache. Each transform is a product of a 6x6 (4x6) matrix with rows of W·C neighbouring numbers, read through
overlapping strips, so that nothing is gathered first; the last one writes y where it belongs. A piece takes
five calls into NumPy, fewer than on any other fast rung: this one is the best for few channels and small
batches.

Only for kernels 3, 5 or 7 rows high with stride 1 and dilation 1. The rounding error is some three times
that of im2col.

The next rung uses Winograd in both directions: a quarter of the multiplications, but more to transform.
"""

import numpy as np

from ndl.kernels.conv2d.geometry import Pair, Shape4, output_size
from ndl.kernels.conv2d.pieces import (
    Padded,
    add_bias,
    add_up,
    by_group,
    channels_last,
    empty_channels_last,
    grain,
    planned_pieces,
    strided_view,
)
from ndl.kernels.conv2d.winograd_transforms import transforms
from ndl.kernels.short_products import Product, SumOfProducts
from ndl.kernels.threads import parallel_for
from ndl.kernels.workspace import scratch

PIECE_BYTES = 1 << 21  # scratch arrays of one piece: twice a core's L2 cache; the BLAS wants long products more
RESULTS = {3: 4, 5: 4, 7: 2}  # kernel height → rows of y that a strip gives


def applies(W_shape: Shape4, stride: Pair, padding: Pair, dilation: Pair, groups: int) -> bool:
    """Whether this rung computes such a convolution."""
    return W_shape[2] in RESULTS and stride == (1, 1) and dilation == (1, 1)


def savings(output: Pair, kh: int) -> float:
    """How many times fewer multiplications than by definition, for y of this size: up to 2 for kH = 3."""
    strips = -(-output[0] // RESULTS[kh])
    return kh * output[0] / (strips * (RESULTS[kh] + kh - 1))


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
    _check(W.shape, stride, padding, dilation, groups)
    ho, wo = output_size(x.shape[2:], W.shape[2:], stride, padding, dilation)
    y = empty_channels_last((x.shape[0], W.shape[0], ho, wo), x.dtype)
    for c, o in by_group(groups, x.shape[1], W.shape[0]):
        F = W[o].transpose(2, 3, 1, 0)  # (kH, kW, C/G, O/G)
        _correlate(x[:, c], F, y[:, o], padding, None if bias is None else bias[o])
    return y


def input_grad(
    dy: np.ndarray, W: np.ndarray, x_shape: Shape4, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> np.ndarray:
    """dx. (N, O, Ho, Wo), (O, C/groups, kH, kW) → (N, C, H, W), channels last."""
    _check(W.shape, stride, padding, dilation, groups)
    dx = empty_channels_last(x_shape, dy.dtype)
    before = (W.shape[2] - 1 - padding[0], W.shape[3] - 1 - padding[1])
    for c, o in by_group(groups, x_shape[1], W.shape[0]):
        turned = W[o, :, ::-1, ::-1].transpose(2, 3, 0, 1)  # (kH, kW, O/G, C/G)
        _correlate(dy[:, o], turned, dx[:, c], before, None)
    return dx


def weight_grad(
    x: np.ndarray, dy: np.ndarray, W_shape: Shape4, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> np.ndarray:
    """dW. (N, C, H, W), (N, O, Ho, Wo) → (O, C/groups, kH, kW)"""
    _check(W_shape, stride, padding, dilation, groups)
    dW = np.empty(W_shape, x.dtype)
    for c, o in by_group(groups, x.shape[1], W_shape[0]):
        dW[o] = _filter_grad(x[:, c], dy[:, o], W_shape[2:], padding).transpose(3, 2, 0, 1)
    return dW


def _check(W_shape: Shape4, stride: Pair, padding: Pair, dilation: Pair, groups: int) -> None:
    if not applies(W_shape, stride, padding, dilation, groups):
        raise RuntimeError(
            "winograd_rows wants a kernel 3, 5 or 7 rows high with stride 1 and dilation 1, but got kernel "
            f"{W_shape[2:]}, stride {stride} and dilation {dilation}: use 'tiled', which takes all"
        )


class _Strips:
    """How the strips of padded pictures lie in memory: rows of ``columns`` pixels, one after the other."""

    def __init__(self, size: Pair, output: Pair, kernel: Pair, before: Pair) -> None:
        kh, kw = kernel
        self.before, self.kw = before, kw
        self.results = RESULTS[kh]  # rows of y per strip
        self.height = self.results + kh - 1  # rows of x̂ per strip
        self.count = -(-output[0] // self.results)
        # A window at the right end of a row finds the zeros it needs at the beginning of the next row.
        widest = max(before[1] + size[1], output[1], output[1] + kw - 1 - max(0, before[1]))
        self.columns = -(-widest // kw) * kw

    def pictures_per_piece(self, n_in: int, n_out: int, itemsize: int) -> int:
        numbers = self.count * self.columns * ((self.results + self.height) * n_in + self.height * n_out)
        return max(1, PIECE_BYTES // (numbers * itemsize))

    def by_strip(self, planes: np.ndarray, n: int, channels: int, width: int) -> np.ndarray:
        """The same memory seen by strips. (K, n·strips·columns·channels or more) → (n, strips, K, width)"""
        line = self.columns * channels
        steps = (self.count * line, line, planes.shape[1], 1)
        return strided_view(planes, 0, (n, self.count, self.height, width), steps)


class _Inputs:
    """Bᵀ x̂ of ``n`` pictures as overlapping matrices V (K, kW phases, n·strips·columns / kW, kW·C): all views made once.

    In a loop that two threads run at once, every line of Python between two calls is time in which the other waits.
    """

    def __init__(self, strips: _Strips, BT: np.ndarray, n: int, c: int, size: Pair) -> None:
        kw, K, line = strips.kw, strips.height, strips.columns * c
        rows = strips.results * (strips.count - 1) + K
        padded = scratch("winograd.x", (n, rows, strips.columns, c), BT.dtype)
        self.BT, self.padded = BT, Padded(padded, size, *strips.before)
        self.strips = strided_view(padded, 0, (n, strips.count, K, line), (rows * line, strips.results * line, line, 1))
        length = n * strips.count * line
        planes = scratch("winograd.V", (K, length + kw * c), BT.dtype)  # the last windows reach kW pixels further
        planes[:, length:] = 0
        self.by_strip = strips.by_strip(planes, n, c, line)
        self.V = strided_view(planes, 0, (K, kw, length // (kw * c), kw * c), (planes.shape[1], c, kw * c, 1))

    def fill(self, x: np.ndarray) -> None:
        """(n, C, H, W)"""
        self.padded.fill(x)
        np.matmul(self.BT, self.strips, out=self.by_strip)  # (K, K) · (K, columns·C)


def _correlate(x: np.ndarray, F: np.ndarray, y: np.ndarray, before: Pair, bias: np.ndarray | None) -> None:
    """y[n, o, i, j] = Σ F[a, b, c, o] · x[n, c, i + a - before, j + b - before] + bias[o], into y.

    F is (kH, kW, C, O); ``before`` counts the zeros above and left of x.
    """
    (n, n_out, ho, wo), (kh, kw, n_in) = y.shape, F.shape[:3]
    AT, G, BT = transforms(RESULTS[kh], kh, x.dtype)
    size = (x.shape[2], x.shape[3])
    strips = _Strips(size, (ho, wo), (kh, kw), before)
    m, K = strips.results, strips.height
    U = (G @ F.reshape(kh, -1)).reshape(K, 1, kw * n_in, n_out)
    y_last = channels_last(y)
    in_place = ho % m == 0 and y_last.flags.c_contiguous

    def share(first: int, last: int) -> None:
        for part, need_plan in planned_pieces(first, last, strips.pictures_per_piece(n_in, n_out, x.itemsize)):
            if need_plan:
                count = part.stop - part.start
                inputs = _Inputs(strips, BT, count, n_in, size)
                M = scratch("winograd.M", (K, inputs.V.shape[2], kw, n_out), x.dtype)
                products = Product(inputs.V, U, M.transpose(0, 2, 1, 3))  # (K, kW, R, kW·C) · (kW·C, O)
                by_strip = strips.by_strip(M.reshape(K, -1), count, n_out, wo * n_out)  # (n, strips, K, Wo·O)
                rows = scratch("winograd.y", (count, strips.count, m, wo * n_out), x.dtype) if not in_place else None
            inputs.fill(x[part])
            products()
            if rows is None:
                np.matmul(AT, by_strip, out=y_last[part].reshape(count, strips.count, m, wo * n_out))
            else:
                np.matmul(AT, by_strip, out=rows)
                y_last[part] = rows.reshape(count, -1, wo, n_out)[:, :ho]
            add_bias(y[part], bias)

    parallel_for(n, share, grain=grain(1.0 * ho * wo * F.size))


def _filter_grad(x: np.ndarray, dy: np.ndarray, kernel: Pair, before: Pair) -> np.ndarray:
    """dF[a, b, c, o] = Σ x[n, c, i + a - before, j + b - before] · dy[n, o, i, j], (kH, kW, C, O)."""
    (n, n_out, ho, wo), n_in, (kh, kw) = dy.shape, x.shape[1], kernel
    AT, G, BT = transforms(RESULTS[kh], kh, x.dtype)
    A = np.ascontiguousarray(AT.T)
    size = (x.shape[2], x.shape[3])
    strips = _Strips(size, (ho, wo), kernel, before)
    m, K, line = strips.results, strips.height, strips.columns * n_out

    def share(first: int, last: int) -> np.ndarray:
        dU = np.zeros((K, kw, kw * n_in, n_out), x.dtype)
        for part, need_plan in planned_pieces(first, last, strips.pictures_per_piece(n_in, n_out, x.itemsize)):
            if need_plan:
                count = part.stop - part.start
                inputs = _Inputs(strips, BT, count, n_in, size)
                dy_rows = scratch("winograd.y", (count, m * strips.count, strips.columns, n_out), x.dtype)
                grads = Padded(dy_rows, (ho, wo), 0, 0)  # zeros at the places that nobody asked for
                dM = scratch("winograd.M", (K, inputs.V.shape[2], kw, n_out), x.dtype)
                by_strip = strips.by_strip(dM.reshape(K, -1), count, n_out, line)
                products = SumOfProducts(inputs.V, dM.transpose(0, 2, 1, 3))  # (K, kW, kW·C, O)
            inputs.fill(x[part])
            grads.fill(dy[part])
            np.matmul(A, dy_rows.reshape(count, strips.count, m, line), out=by_strip)
            dU += products()
        return dU.sum(axis=1)  # over the phases: (K, kW·C, O)

    parts = parallel_for(n, share, grain=grain(1.0 * ho * wo * kh * kw * n_in * n_out))
    dU = add_up(parts, (K, kw * n_in, n_out), x.dtype)
    return (G.T @ dU.reshape(K, -1)).reshape(kh, kw, n_in, n_out)
