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
float32 1e-6 to 3e-6 of the largest output for 64 to 256 channels."""

import numpy as np

from ndl.kernels.conv2d.geometry import Pair, Shape4, output_size
from ndl.kernels.conv2d.pieces import (
    add_bias,
    add_up,
    by_group,
    channels_last,
    empty_channels_last,
    fill_padded,
    grain,
    pieces,
    strided_view,
)
from ndl.kernels.conv2d.winograd_transforms import transforms
from ndl.kernels.threads import parallel_for
from ndl.kernels.workspace import scratch

PIECE_BYTES = 1 << 21  # transformed tiles of one piece, at least
TILE = 4  # results per direction; a tile of the input is 6 wide


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
    G = transforms(TILE, 3, W.dtype).G
    if turned:
        G = G[:, ::-1]
    GG = np.kron(G, G)  # (36, 9): both axes in one product
    n_in, n_out = W.shape[:2]
    U = np.empty((36, n_in, n_out), W.dtype)

    def share(first: int, last: int) -> None:
        flat = W[first:last].reshape(-1, 9)
        np.matmul(GG, flat.T, out=U[:, first:last].reshape(36, -1))

    parallel_for(n_in, share, grain=8192 // n_out + 1)
    return U


class _Tiles:
    """How many tiles cover a picture, and how many pictures make a piece."""

    def __init__(self, output: Pair) -> None:
        self.down, self.across = -(-output[0] // TILE), -(-output[1] // TILE)
        self.fit = (TILE * self.down, TILE * self.across) == output

    def pictures_per_piece(self, n_in: int, n_out: int, itemsize: int) -> int:
        numbers = 36 * self.down * self.across * (n_in + n_out)
        filters = 36 * n_in * n_out  # read again for every piece: make it worth it
        return max(PIECE_BYTES // itemsize, 3 * filters // 4) // numbers

    def inputs(self, x: np.ndarray, before: Pair) -> np.ndarray:
        """Bᵀ d B of every tile. (n, C, H, W) → (36, n·tiles, C)"""
        BT = transforms(TILE, 3, x.dtype).BT
        n, c = x.shape[:2]
        height, width = TILE * self.down + 2, TILE * self.across + 2
        line = width * c
        padded = scratch("winograd.x", (n, height, width, c), x.dtype)
        fill_padded(padded, x, *before)
        strips = strided_view(padded, 0, (n, self.down, 6, line), (height * line, TILE * line, line, 1))
        rows = scratch("winograd.rows", (n, self.down, 6, line), x.dtype)
        np.matmul(BT, strips, out=rows)  # (6, 6) · (6, width·C)
        steps = (self.down * 6 * line, 6 * line, line, TILE * c, c, 1)
        windows = strided_view(rows, 0, (n, self.down, 6, self.across, 6, c), steps)
        return self._to_places(BT, windows, "winograd.V")

    def output_grads(self, dy: np.ndarray) -> np.ndarray:
        """A dy Aᵀ of every tile. (n, O, Ho, Wo) → (36, n·tiles, O)"""
        A = np.ascontiguousarray(transforms(TILE, 3, dy.dtype).AT.T)
        n, c = dy.shape[:2]
        last = channels_last(dy)
        if not (self.fit and last.flags.c_contiguous):
            padded = scratch("winograd.x", (n, TILE * self.down, TILE * self.across, c), dy.dtype)
            fill_padded(padded, dy, 0, 0)
            last = padded
        strips = last.reshape(n, self.down, TILE, self.across * TILE * c)
        rows = scratch("winograd.rows", (n, self.down, 6, self.across * TILE * c), dy.dtype)
        np.matmul(A, strips, out=rows)  # (6, 4) · (4, width·O)
        return self._to_places(A, rows.reshape(n, self.down, 6, self.across, TILE, c), "winograd.M")

    def _to_places(self, matrix: np.ndarray, windows: np.ndarray, name: str) -> np.ndarray:
        """The horizontal half of a transform. (n, down, 6, across, 6 or 4, C) → (36, n·tiles, C)"""
        n, c = windows.shape[0], windows.shape[-1]
        places = scratch(name, (6, 6, n, self.down, self.across, c), windows.dtype)
        np.matmul(matrix, windows, out=places.transpose(2, 3, 0, 4, 1, 5))  # (6, 6 or 4) · (6 or 4, C)
        return places.reshape(36, n * self.down * self.across, c)

    def outputs(self, M: np.ndarray, y: np.ndarray) -> None:
        """Aᵀ M A of every tile, into y. (36, n·tiles, O) → (n, O, Ho, Wo)"""
        AT = transforms(TILE, 3, M.dtype).AT
        n, n_out, ho, _ = y.shape
        tiles = M.reshape(6, 6, n, self.down, self.across, n_out).transpose(2, 3, 0, 4, 1, 5)
        rows = scratch("winograd.rows", (n, self.down, 6, self.across, TILE, n_out), M.dtype)
        np.matmul(AT, tiles, out=rows)  # (4, 6) · (6, O)
        strips = rows.reshape(n, self.down, 6, self.across * TILE * n_out)
        last = channels_last(y)
        if self.fit and last.flags.c_contiguous:
            np.matmul(AT, strips, out=last.reshape(n, self.down, TILE, -1))  # (4, 6) · (6, width·O)
        else:
            padded = scratch("winograd.x", (n, self.down, TILE, self.across * TILE * n_out), M.dtype)
            np.matmul(AT, strips, out=padded)
            last[...] = padded.reshape(n, TILE * self.down, -1, n_out)[:, :ho, : y.shape[3]]


def _correlate(x: np.ndarray, U: np.ndarray, y: np.ndarray, before: Pair, bias: np.ndarray | None) -> None:
    """x convolved with transformed filters U (36, C, O), into y; ``before``: zeros above and left of x."""
    n_in, (n, n_out, ho, wo) = x.shape[1], y.shape
    tiles = _Tiles((ho, wo))

    def share(first: int, last: int) -> None:
        for part in pieces(first, last, tiles.pictures_per_piece(n_in, n_out, x.itemsize)):
            V = tiles.inputs(x[part], before)
            M = scratch("winograd.M", (36, V.shape[1], n_out), x.dtype)
            np.matmul(V, U, out=M)  # 36 products (tiles, C) · (C, O)
            tiles.outputs(M, y[part])
            add_bias(y[part], bias)

    parallel_for(n, share, grain=grain(4.5 * ho * wo * n_in * n_out))


def _filter_grad(x: np.ndarray, dy: np.ndarray, dW: np.ndarray, before: Pair) -> None:
    """dW = Gᵀ dU G into dW (O, C, 3, 3), where dU is the sum over all tiles."""
    n_in, (n, n_out, ho, wo) = x.shape[1], dy.shape
    tiles = _Tiles((ho, wo))

    def share(first: int, last: int) -> np.ndarray:
        dU = None
        for part in pieces(first, last, tiles.pictures_per_piece(n_in, n_out, x.itemsize)):
            V = tiles.inputs(x[part], before)
            dM = tiles.output_grads(dy[part])
            if dU is None:
                dU = np.matmul(dM.transpose(0, 2, 1), V)  # 36 products (O, tiles) · (tiles, C)
            else:
                dU += np.matmul(dM.transpose(0, 2, 1), V, out=scratch("winograd.dU", dU.shape, x.dtype))
        assert dU is not None
        return dU.reshape(36, n_out * n_in)

    parts = parallel_for(n, share, grain=grain(4.5 * ho * wo * n_in * n_out))
    G = transforms(TILE, 3, x.dtype).G
    GG = np.kron(G, G)  # (36, 9)
    flat = np.empty((n_out * n_in, 9), x.dtype)

    def back(first: int, last: int) -> None:
        dU = add_up([part[:, first:last] for part in parts], (36, last - first), x.dtype)
        np.matmul(dU.T, GG, out=flat[first:last])

    parallel_for(n_out * n_in, back, grain=8192)
    dW[...] = flat.reshape(dW.shape)
