"""Rung 6: shifted products, im2col without columns.

Take a padded picture with its channels innermost as one long row of pixels. A row of the kernel looks at
kW·C *neighbouring* numbers of it. The windows of output columns 0, kW, 2·kW, … lie one behind the other
without overlap: for them the matrix of im2col is there already, as a view with kW·C numbers to the row. The
same holds for columns 1, kW+1, … from one pixel further on. So one kernel row a costs kW matrix products,
one per phase p, and no copy:

    y[:, p + kW·t] = Σ_a  x̂_flat[row i + a, from pixel p + kW·t, kW·C numbers] · W[a]        (kW·C, O)

The rows of a picture, and the pictures, follow one another in memory, so t runs over all of them in one
product. What starts in the padding between rows gives numbers that nobody asked for; they are left out when
y is copied. The zeros to the right of a row serve as the zeros to the left of the next.

With stride s the phases are ⌈kW/s⌉, with s·C numbers from one output column to the next, and every s-th row
of x̂ is put into a plane of its own, so that consecutive output rows are neighbours again. Long kernel rows
may be cut into shorter runs (``_plan`` decides), and with dilation a run is one pixel.

Backward. dx is a convolution of dy with the kernel turned round and its in- and output channels swapped.
With stride s, pixels of dx̂ that differ by s rows or columns see the same taps of the kernel, so dx falls
into s·s pictures, each the result of an ordinary convolution of dy with every s-th tap. dW[a] = Σ_p view(a,
p)ᵀ · dy_p.

Cost: as many multiplications as rung 1, plus the share of the padding (3 % at 32 x 32, 25 % at 8 x 8).
Bytes moved: x is read and written once to pad it, and each kernel row adds one pass over y, all in the
cache; im2col writes and reads kH·kW times x.

The next rung needs fewer multiplications.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from ndl.kernels.conv2d.geometry import Pair, Shape4, output_size
from ndl.kernels.conv2d.pieces import (
    by_group,
    channels_last,
    empty_channels_last,
    fill_padded,
    grain,
    pieces,
    strided_view,
)
from ndl.kernels.conv2d.tap_classes import class_by_class
from ndl.kernels.short_products import product, sum_of_products
from ndl.kernels.threads import parallel_for
from ndl.kernels.workspace import scratch

PIECE_BYTES = 1 << 20  # padded pictures and products of one piece: a core's L2 cache


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
    for c, o in by_group(groups, x.shape[1], W.shape[0]):
        F = W[o].transpose(2, 3, 1, 0)  # (kH, kW, C/G, O/G)
        _correlate(x[:, c], F, y[:, o], stride, padding, dilation, None if bias is None else bias[o])
    return y


def input_grad(
    dy: np.ndarray, W: np.ndarray, x_shape: Shape4, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> np.ndarray:
    """dx. (N, O, Ho, Wo), (O, C/groups, kH, kW) → (N, C, H, W), channels last."""
    dx = empty_channels_last(x_shape, dy.dtype)

    def correlate(dy: np.ndarray, F: np.ndarray, part: np.ndarray, before: Pair, step: Pair) -> None:
        _correlate(dy, F.transpose(2, 3, 0, 1), part, (1, 1), before, step, None)  # (taps, taps, O/G, C/G)

    class_by_class(dx, dy, W, stride, padding, dilation, groups, correlate)
    return dx


def weight_grad(
    x: np.ndarray, dy: np.ndarray, W_shape: Shape4, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> np.ndarray:
    """dW. (N, C, H, W), (N, O, Ho, Wo) → (O, C/groups, kH, kW)"""
    dW = np.zeros(W_shape, x.dtype)
    n, ho, wo = dy.shape[0], *dy.shape[2:]
    n_in, n_out = W_shape[1], W_shape[0] // groups
    plan = _plan(x.shape[2:], (ho, wo), W_shape[2:], stride, padding, dilation, n_in, n_out)
    per_piece = PIECE_BYTES // (plan.numbers_per_picture * x.itemsize)
    for c, o in by_group(groups, x.shape[1], W_shape[0]):

        def share(first: int, last: int, c: slice = c, o: slice = o) -> np.ndarray:
            dF = np.zeros((*W_shape[2:], n_in, n_out), x.dtype)  # (kH, kW, C/G, O/G)
            for part in pieces(first, last, per_piece):
                flat = plan.flatten(x[part, c])
                D = scratch("shifted.y", (part.stop - part.start, *plan.grid, n_out), x.dtype)
                fill_padded(D, dy[part, o], 0, 0)
                D_phases = D.reshape(-1, plan.phases, n_out).transpose(1, 0, 2)  # (phases, R, O/G)
                for a, b, X in plan.views(flat, part.stop - part.start):  # X (phases, R, run·C/G)
                    G = sum_of_products(X, D_phases).sum(axis=0)  # (run·C/G, O/G)
                    dF[a, b] += G.reshape(dF[a, b].shape)
            return dF

        flops = 2.0 * ho * wo * dW[o].size
        for dF in parallel_for(n, share, grain=grain(flops)):
            dW[o] += dF.transpose(3, 2, 0, 1)
    return dW


class _Plan(NamedTuple):
    """How the padded pictures lie in memory, and which views of them the products take."""

    kernel: Pair
    stride: Pair
    before: Pair  # zeros above and to the left
    dilation: Pair
    phases: int
    rows: int  # of a picture in one plane
    columns: int
    slack: int  # pixels that the last views reach beyond the last picture
    numbers_per_picture: int

    @property
    def grid(self) -> Pair:
        """Rows and columns of the products of one picture, wanted and unwanted."""
        return self.rows, self.columns // self.stride[1]

    def flatten(self, x: np.ndarray) -> np.ndarray:
        """Every s-th row of the padded pictures in a plane. (n, C, H, W) → (s, n·rows·columns + slack, C)"""
        n, c = x.shape[:2]
        s, (top, left) = self.stride[0], self.before
        x = x[:, :, max(0, -top) :, max(0, -left) :]
        top, left = max(0, top), max(0, left)
        length = n * self.rows * self.columns
        flat = scratch("shifted.x", (s, length + self.slack, c), x.dtype)
        flat[:, length:] = 0
        for plane in range(s):
            first = (plane - top) % s
            pictures = flat[plane, :length].reshape(n, self.rows, self.columns, c)
            fill_padded(pictures, x[:, :, first::s], (first + top - plane) // s, left)
        return flat

    def views(self, flat: np.ndarray, n: int) -> Iterator[tuple[int, slice, np.ndarray]]:
        """For each run of taps its kernel row, its slice of columns and its matrices (phases, R, run·C)."""
        (kh, kw), (sh, sw), (dh, dw) = self.kernel, self.stride, self.dilation
        length, c = flat.shape[1:]
        run = min(kw, self.phases * sw) if dw == 1 else 1
        R = n * self.rows * self.columns // (self.phases * sw)
        for a in range(kh):
            for b in range(0, kw, run):
                taps = min(run, kw - b)
                first = a * dh % sh * length + a * dh // sh * self.columns + b * dw
                steps = (sw * c, self.phases * sw * c, 1)
                yield a, slice(b, b + taps), strided_view(flat, first * c, (self.phases, R, taps * c), steps)


@lru_cache(maxsize=256)
def _plan(
    size: Pair, output: Pair, kernel: Pair, stride: Pair, before: Pair, dilation: Pair, n_in: int, n_out: int
) -> _Plan:
    # How far wanted windows reach. What lies beyond the last column of the picture is read from the zeros
    # before the next row, so there must be enough of them.
    reach = [s * (o - 1) + d * (k - 1) + 1 for s, o, d, k in zip(stride, output, dilation, kernel)]
    need = [max(p + n, s * o, r - max(0, p)) for p, n, s, o, r in zip(before, size, stride, output, reach)]
    rows = -(-need[0] // stride[0])
    longest = -(-kernel[1] // stride[1]) if dilation[1] == 1 else 1

    def cost(phases: int) -> float:  # of a row: multiplications, and passes over y, each as dear as some 12
        runs = -(-kernel[1] // (phases * stride[1])) if dilation[1] == 1 else kernel[1]
        return _round_up(need[1], phases * stride[1]) * (kernel[1] * n_in + 12 * runs)

    phases = min(range(1, longest + 1), key=cost)
    columns = _round_up(need[1], phases * stride[1])
    slack = (dilation[0] * (kernel[0] - 1) // stride[0] + 1) * columns + dilation[1] * kernel[1]
    numbers = rows * columns * (stride[0] * n_in + 2 * n_out // stride[1])
    return _Plan(kernel, stride, before, dilation, phases, rows, columns, slack, numbers)


def _round_up(n: int, multiple: int) -> int:
    return -(-n // multiple) * multiple


def _correlate(
    x: np.ndarray,
    F: np.ndarray,
    y: np.ndarray,
    stride: Pair,
    before: Pair,
    dilation: Pair,
    bias: np.ndarray | None,
) -> None:
    """y[n, o, i, j] = Σ F[a, b, c, o] · x[n, c, i·s + a·d - before, j·s + b·d - before] + bias[o].

    F is (kH, kW, C, O). y is written to, and may be a view; ``before`` counts the zeros above and left of x.
    """
    (n, n_out, ho, wo), n_in = y.shape, x.shape[1]
    if y.size == 0:
        return
    plan = _plan(x.shape[2:], (ho, wo), F.shape[:2], stride, before, dilation, n_in, n_out)
    F = np.ascontiguousarray(F)
    per_piece = PIECE_BYTES // (plan.numbers_per_picture * x.itemsize)
    y_last = channels_last(y)

    def share(first: int, last: int) -> None:
        for part in pieces(first, last, per_piece):
            count = part.stop - part.start
            flat = plan.flatten(x[part])
            total = None
            for a, b, X in plan.views(flat, count):
                weights = F[a, b].reshape(X.shape[2], n_out)
                name = "shifted.y" if total is None else "shifted.product"
                Y = scratch(name, (*X.shape[:2], n_out), x.dtype)
                product(X, weights, out=Y)  # (phases, R, run·C) · (run·C, O)
                if total is None:
                    total = Y
                else:
                    total += Y
            assert total is not None
            by_phase = total.reshape(plan.phases, count, plan.rows, -1, n_out)[:, :, :ho]
            for phase in range(min(plan.phases, wo)):
                wanted = y_last[part, :, phase :: plan.phases]
                products = by_phase[phase, :, :, : wanted.shape[2]]
                if bias is None:
                    wanted[...] = products
                else:
                    np.add(products, bias, out=wanted)

    parallel_for(n, share, grain=grain(2.0 * ho * wo * F.size))
