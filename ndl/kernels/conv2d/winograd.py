"""Rung 8: Winograd's F(4x4, 3x3), a quarter of the multiplications.

The picture is cut into tiles of 6 x 6 pixels that overlap by 2; each gives 4 x 4 pixels of y. With the
matrices of ``winograd_transforms`` acting on both axes of a tile d, of the kernel g, and of the result:

    V = Bᵀ d B              6x6 → 6x6, for every tile and input channel
    U = G g Gᵀ              3x3 → 6x6, for every pair of channels, once per call
    M_k = V_k U_k           for each of the 36 places k a matrix product (tiles, C) · (C, O)
    y = Aᵀ M A              6x6 → 4x4, for every tile and output channel

Backward. dx is the same with the kernel turned round and its in- and output channels swapped. For dW the
chain rule goes through the last three lines: dM = A dy Aᵀ, then dU_k = dM_kᵀ V_k summed over all tiles,
then dW = Gᵀ dU G.

Cost: 36 multiplications per tile and pair of channels, where rung 1 has 144. What is left to pay are the
transforms, a price per channel, not per pair of channels: so this pays from some 40 channels on. They are
matrix products, too, and each reads its operand where the previous one left it. First the vertical axis: Bᵀ
times six rows of W·C numbers, through overlapping strips. Then the horizontal one: Bᵀ times six pixels of C
numbers, through overlapping windows, written to where the 36 products want it. On the way back the same in
opposite order; the last product writes four finished rows of y. One product with the 36x36 matrix Bᵀ⊗Bᵀ on
gathered tiles would take four times as long. Bytes moved: V and M have 2.25 times the numbers of x and y
and stay in the cache; U has 4 times those of W.

Only for 3x3 kernels with stride 1 and dilation 1. The rounding error is some four times that of im2col: in
float32 1e-6 to 3e-6 of the largest output for 64 to 256 channels.

With few channels the transforms cost more than they save, and every pixel is a short run of memory: the next rung
lays the batch innermost, which makes all runs long.
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

PIECE_BYTES = 3 << 20  # transformed tiles of one piece, at least: fewer pieces, fewer waits for Python's lock
SIDE = 4  # results per direction; a tile of the input is 6 wide
GRAIN = 8192  # filters whose transform is worth a thread


def applies(W_shape: Shape4, stride: Pair, padding: Pair, dilation: Pair, groups: int) -> bool:
    """Whether this rung computes such a convolution."""
    return W_shape[2:] == (3, 3) and stride == (1, 1) and dilation == (1, 1)


def savings(output: Pair) -> float:
    """How many times fewer multiplications than by definition, for y of this size: 4 if the tiles fit."""
    tiles = _Tiles(output)
    return 9.0 * output[0] * output[1] / (36 * tiles.down * tiles.across)


def forward(
    x: np.ndarray,
    W: np.ndarray,
    stride: Pair,
    padding: Pair,
    dilation: Pair,
    groups: int,
    bias: np.ndarray | None = None,
) -> np.ndarray:
    """y, plus ``bias`` (O,) if given. (N, C, H, W), (O, C/groups, 3, 3) → (N, O, Ho, Wo), channels last."""
    _check(W.shape, stride, padding, dilation, groups)
    ho, wo = output_size(x.shape[2:], W.shape[2:], stride, padding, dilation)
    y = empty_channels_last((x.shape[0], W.shape[0], ho, wo), x.dtype)
    for c, o in by_group(groups, x.shape[1], W.shape[0]):
        U = _transform_filters(W[o].transpose(1, 0, 2, 3), turned=False)  # (36, C/G, O/G)
        _correlate(x[:, c], U, y[:, o], padding, None if bias is None else bias[o])
    return y


def input_grad(
    dy: np.ndarray, W: np.ndarray, x_shape: Shape4, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> np.ndarray:
    """dx. (N, O, Ho, Wo), (O, C/groups, 3, 3) → (N, C, H, W), channels last."""
    _check(W.shape, stride, padding, dilation, groups)
    dx = empty_channels_last(x_shape, dy.dtype)
    for c, o in by_group(groups, x_shape[1], W.shape[0]):
        U = _transform_filters(W[o], turned=True)  # (36, O/G, C/G)
        _correlate(dy[:, o], U, dx[:, c], (2 - padding[0], 2 - padding[1]), None)
    return dx


def weight_grad(
    x: np.ndarray, dy: np.ndarray, W_shape: Shape4, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> np.ndarray:
    """dW. (N, C, H, W), (N, O, Ho, Wo) → (O, C/groups, 3, 3)"""
    _check(W_shape, stride, padding, dilation, groups)
    dW = np.empty(W_shape, x.dtype)
    for c, o in by_group(groups, x.shape[1], W_shape[0]):
        _filter_grad(x[:, c], dy[:, o], dW[o], padding)
    return dW


def _check(W_shape: Shape4, stride: Pair, padding: Pair, dilation: Pair, groups: int) -> None:
    if not applies(W_shape, stride, padding, dilation, groups):
        raise RuntimeError(
            "winograd wants a 3x3 kernel with stride 1 and dilation 1, but got kernel "
            f"{W_shape[2:]}, stride {stride} and dilation {dilation}: use 'tiled', which takes all"
        )


def _transform_filters(W: np.ndarray, turned: bool) -> np.ndarray:
    """G g Gᵀ for every filter g, turned round or not. (in, out, 3, 3) → (36, in, out)"""
    G = transforms(SIDE, 3, W.dtype).G
    if turned:
        G = G[:, ::-1]
    GG = np.kron(G, G)  # (36, 9): both axes in one product
    n_in, n_out = W.shape[:2]
    U = np.empty((36, n_in, n_out), W.dtype)

    def share(first: int, last: int) -> None:
        flat = W[first:last].reshape(-1, 9)
        np.matmul(GG, flat.T, out=U[:, first:last].reshape(36, -1))

    parallel_for(n_in, share, grain=GRAIN // n_out + 1)
    return U


class _Tiles:
    """How many tiles cover a picture, and how many pictures make a piece."""

    def __init__(self, output: Pair) -> None:
        self.down, self.across = -(-output[0] // SIDE), -(-output[1] // SIDE)
        self.fit = (SIDE * self.down, SIDE * self.across) == output

    def pictures_per_piece(self, n_in: int, n_out: int, itemsize: int) -> int:
        numbers = 36 * self.down * self.across * (n_in + n_out)
        filters = 36 * n_in * n_out  # read again for every piece: make it worth it
        return max(PIECE_BYTES // itemsize, 3 * filters // 4) // numbers


class _Inputs:
    """V = Bᵀ d B of every tile of ``n`` pictures, (36, n·tiles, C): buffers and views made once.

    In a loop that two threads run at once, every line of Python between two calls is time in which the other waits.
    """

    def __init__(self, tiles: _Tiles, n: int, c: int, size: Pair, before: Pair, dtype: np.dtype) -> None:
        self.BT = transforms(SIDE, 3, dtype).BT
        down, across = tiles.down, tiles.across
        height, width = SIDE * down + 2, SIDE * across + 2
        line = width * c
        padded = scratch("winograd.x", (n, height, width, c), dtype)
        self.padded = Padded(padded, size, *before)
        self.strips = strided_view(padded, 0, (n, down, 6, line), (height * line, SIDE * line, line, 1))
        self.rows = scratch("winograd.rows", (n, down, 6, line), dtype)
        steps = (down * 6 * line, 6 * line, line, SIDE * c, c, 1)
        self.windows = strided_view(self.rows, 0, (n, down, 6, across, 6, c), steps)
        self.V, self.places = _places("winograd.V", n, tiles, c, dtype)

    def fill(self, x: np.ndarray) -> None:
        """(n, C, H, W)"""
        self.padded.fill(x)
        np.matmul(self.BT, self.strips, out=self.rows)  # (6, 6) · (6, width·C)
        np.matmul(self.BT, self.windows, out=self.places)  # (6, 6) · (6, C)


class _OutputGrads:
    """dM = A dy Aᵀ of every tile of ``n`` pictures, (36, n·tiles, O): buffers and views made once."""

    def __init__(self, tiles: _Tiles, n: int, c: int, size: Pair, dtype: np.dtype) -> None:
        self.A = np.ascontiguousarray(transforms(SIDE, 3, dtype).AT.T)
        down, width = tiles.down, tiles.across * SIDE * c
        self.strips = (n, down, SIDE, width)
        self.fit = tiles.fit
        dy = scratch("winograd.y", (n, SIDE * down, SIDE * tiles.across, c), dtype)
        self.padded, self.copy = Padded(dy, size, 0, 0), dy.reshape(self.strips)
        self.rows = scratch("winograd.rows", (n, down, 6, width), dtype)
        self.windows = self.rows.reshape(n, down, 6, tiles.across, SIDE, c)
        self.M, self.places = _places("winograd.M", n, tiles, c, dtype)

    def fill(self, dy: np.ndarray) -> None:
        """(n, O, Ho, Wo)"""
        last = channels_last(dy)
        in_memory = last.flags.c_contiguous
        if self.fit and in_memory:
            strips = last.reshape(self.strips)
        else:
            self.padded.fill(dy)
            strips = self.copy
        np.matmul(self.A, strips, out=self.rows)  # (6, 4) · (4, width·O)
        np.matmul(self.A, self.windows, out=self.places)  # (6, 4) · (4, O)


class _Outputs:
    """y = Aᵀ M A of every tile of ``n`` pictures, (n, O, Ho, Wo): buffers and views made once."""

    def __init__(self, tiles: _Tiles, n: int, n_out: int, dtype: np.dtype) -> None:
        self.AT = transforms(SIDE, 3, dtype).AT
        down, width = tiles.down, tiles.across * SIDE * n_out
        self.strips = (n, down, SIDE, width)
        self.M, self.places = _places("winograd.M", n, tiles, n_out, dtype)
        self.windows = scratch("winograd.rows", (n, down, 6, tiles.across, SIDE, n_out), dtype)
        self.rows = self.windows.reshape(n, down, 6, width)
        self.copy = None if tiles.fit else scratch("winograd.y", self.strips, dtype)
        self.grid = (n, SIDE * down, SIDE * tiles.across, n_out)

    def write(self, y: np.ndarray) -> None:
        """Into y (n, O, Ho, Wo)."""
        np.matmul(self.AT, self.places, out=self.windows)  # (4, 6) · (6, O)
        last = channels_last(y)
        if self.copy is None and last.flags.c_contiguous:
            np.matmul(self.AT, self.rows, out=last.reshape(self.strips))  # (4, 6) · (6, width·O)
        else:
            product = np.matmul(self.AT, self.rows, out=self.copy)
            last[...] = product.reshape(self.grid)[:, : y.shape[2], : y.shape[3]]


def _places(name: str, n: int, tiles: _Tiles, c: int, dtype: np.dtype) -> tuple[np.ndarray, np.ndarray]:
    """Scratch memory (36, n·tiles, c), and the same as (n, down, 6, across, 6, c), as the transforms go over it."""
    places = scratch(name, (6, 6, n, tiles.down, tiles.across, c), dtype)
    return places.reshape(36, n * tiles.down * tiles.across, c), places.transpose(2, 3, 0, 4, 1, 5)


def _correlate(x: np.ndarray, U: np.ndarray, y: np.ndarray, before: Pair, bias: np.ndarray | None) -> None:
    """x convolved with transformed filters U (36, C, O), into y; ``before``: zeros above and left of x."""
    n_in, (n, n_out, ho, wo) = x.shape[1], y.shape
    tiles = _Tiles((ho, wo))

    def share(first: int, last: int) -> None:
        for part, need_plan in planned_pieces(first, last, tiles.pictures_per_piece(n_in, n_out, x.itemsize)):
            if need_plan:
                count = part.stop - part.start
                inputs = _Inputs(tiles, count, n_in, (x.shape[2], x.shape[3]), before, x.dtype)
                outputs = _Outputs(tiles, count, n_out, x.dtype)
                products = Product(inputs.V, U, outputs.M)  # 36 products (tiles, C) · (C, O)
            inputs.fill(x[part])
            products()
            outputs.write(y[part])
            add_bias(y[part], bias)

    parallel_for(n, share, grain=grain(4.5 * ho * wo * n_in * n_out))


def _filter_grad(x: np.ndarray, dy: np.ndarray, dW: np.ndarray, before: Pair) -> None:
    """dW = Gᵀ dU G into dW (O, C, 3, 3), where dU is the sum over all tiles."""
    n_in, (n, n_out, ho, wo) = x.shape[1], dy.shape
    tiles = _Tiles((ho, wo))

    def share(first: int, last: int) -> np.ndarray:
        dU = np.zeros((36, n_out, n_in), x.dtype)
        for part, need_plan in planned_pieces(first, last, tiles.pictures_per_piece(n_in, n_out, x.itemsize)):
            if need_plan:
                count = part.stop - part.start
                inputs = _Inputs(tiles, count, n_in, (x.shape[2], x.shape[3]), before, x.dtype)
                grads = _OutputGrads(tiles, count, n_out, (ho, wo), x.dtype)
                products = SumOfProducts(grads.M, inputs.V)  # 36 products (O, tiles) · (tiles, C)
            inputs.fill(x[part])
            grads.fill(dy[part])
            dU += products()
        return dU.reshape(36, n_out * n_in)

    parts = parallel_for(n, share, grain=grain(4.5 * ho * wo * n_in * n_out))
    G = transforms(SIDE, 3, x.dtype).G
    GG = np.kron(G, G)  # (36, 9)
    flat = np.empty((n_out * n_in, 9), x.dtype)

    def back(first: int, last: int) -> None:
        dU = add_up([part[:, first:last] for part in parts], (36, last - first), x.dtype)
        np.matmul(dU.T, GG, out=flat[first:last])

    parallel_for(n_out * n_in, back, grain=GRAIN)
    dW[...] = flat.reshape(dW.shape)
