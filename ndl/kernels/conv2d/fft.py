"""Rung 10: Fourier's transform, for large kernels.

In the frequency domain a convolution is a product, number by number. With ^ for the transform of a picture or kernel
that is padded with zeros to S x S pixels, large enough that nothing wraps round, and with * for the complex conjugate:

    y^[n, o]  = Σ_c x^[n, c] · W^[o, c]*
    dx^[n, c] = Σ_o dy^[n, o] · W^[o, c]
    dW^[o, c] = Σ_n dy^[n, o]* · x^[n, c]

Each is, for every one of the S·(S/2 + 1) frequencies, a complex matrix product over channels or pictures (the input is
real, so half of the frequencies tell the other half).

Cost: some 4·S²/(2·Ho·Wo) real multiplications per result and pair of channels *whatever the kernel's size*, where rung
1 has kH·kW, and the transforms, a price per picture and channel. Bytes moved: x and W once, and 4·S²/(H·W) times their
size as frequencies. For 64 channels of 32 x 32 pixels it is as fast as tiled im2col at 9 x 9 and four times as fast at
15 x 15. For 3 x 3 Winograd's trick, which is the same idea with polynomials in place of waves, needs fewer numbers.

Only for stride 1 and dilation 1. The rounding error is a few units of the last digit *of the largest result*.
"""

import math

import numpy as np

from ndl.kernels.conv2d.geometry import Pair, Shape4, output_size
from ndl.kernels.conv2d.pieces import add_bias, by_group, channels_last, empty_channels_last, pieces
from ndl.kernels.threads import parallel_for

PIECE_BYTES = 1 << 22  # frequencies of the pictures of one piece
NS_PER_TRANSFORMED_PIXEL = 13.0  # forward; measured, as the next two
NS_PER_PIXEL_BACK = 4.0
NS_PER_PRODUCT = 0.17  # of two complex numbers; a real multiplication of the other rungs takes 0.022


def applies(W_shape: Shape4, stride: Pair, padding: Pair, dilation: Pair, groups: int) -> bool:
    """Whether this rung computes such a convolution."""
    return stride == (1, 1) and dilation == (1, 1)


def pays(x_shape: Shape4, W_shape: Shape4, padding: Pair, groups: int) -> bool:
    """Whether it is faster than the rungs that multiply every tap."""
    n, c, (ho, wo) = x_shape[0], x_shape[1], output_size(x_shape[2:], W_shape[2:], (1, 1), padding, (1, 1))
    o, per_group, kh, kw = W_shape
    sh, sw = _sizes(x_shape, W_shape, padding)
    transforms = (n * c + o * per_group) * NS_PER_TRANSFORMED_PIXEL + n * o * NS_PER_PIXEL_BACK
    products = n * o * per_group * (sw // 2 + 1) / sw * NS_PER_PRODUCT
    return sh * sw * (transforms + products) < 0.022 * n * o * per_group * kh * kw * ho * wo


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
    size = _sizes(x.shape, W.shape, padding)
    y = empty_channels_last((x.shape[0], W.shape[0], ho, wo), x.dtype)
    for c, o in by_group(groups, x.shape[1], W.shape[0]):
        W_hat = np.conj(_frequencies(W[o], size, (0, 0))).transpose(0, 2, 1)  # (F, C/G, O/G)

        def share(first: int, last: int, c: slice = c, o: slice = o, W_hat: np.ndarray = W_hat) -> None:
            for part in pieces(first, last, _per_piece(size, x)):
                y_hat = _frequencies(x[part, c], size, padding) @ W_hat  # (F, n, O/G)
                channels_last(y[part, o])[...] = channels_last(_back(y_hat, size)[:, :, :ho, :wo])

        parallel_for(x.shape[0], share)
    add_bias(y, bias)
    return y


def input_grad(
    dy: np.ndarray, W: np.ndarray, x_shape: Shape4, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> np.ndarray:
    """dx. (N, O, Ho, Wo), (O, C/groups, kH, kW) → (N, C, H, W), channels last."""
    _check(W.shape, stride, padding, dilation, groups)
    size = _sizes(x_shape, W.shape, padding)
    (ph, pw), (h, w) = padding, x_shape[2:]
    dx = empty_channels_last(x_shape, dy.dtype)
    for c, o in by_group(groups, x_shape[1], W.shape[0]):
        W_hat = _frequencies(W[o], size, (0, 0))  # (F, O/G, C/G)

        def share(first: int, last: int, c: slice = c, o: slice = o, W_hat: np.ndarray = W_hat) -> None:
            for part in pieces(first, last, _per_piece(size, dy)):
                dx_hat = _frequencies(dy[part, o], size, (0, 0)) @ W_hat  # (F, n, C/G)
                channels_last(dx[part, c])[...] = channels_last(_back(dx_hat, size)[:, :, ph : ph + h, pw : pw + w])

        parallel_for(dy.shape[0], share)
    return dx


def weight_grad(
    x: np.ndarray, dy: np.ndarray, W_shape: Shape4, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> np.ndarray:
    """dW. (N, C, H, W), (N, O, Ho, Wo) → (O, C/groups, kH, kW)"""
    _check(W_shape, stride, padding, dilation, groups)
    size = _sizes(x.shape, W_shape, padding)
    dW = np.zeros(W_shape, x.dtype)
    for c, o in by_group(groups, x.shape[1], W_shape[0]):

        def share(first: int, last: int, c: slice = c, o: slice = o) -> np.ndarray:
            total: np.ndarray | None = None
            for part in pieces(first, last, _per_piece(size, x)):
                dy_hat = np.conj(_frequencies(dy[part, o], size, (0, 0))).transpose(0, 2, 1)  # (F, O/G, n)
                product = dy_hat @ _frequencies(x[part, c], size, padding)  # (F, O/G, C/G)
                total = product if total is None else np.add(total, product, out=total)
            assert total is not None
            return total

        parts = parallel_for(x.shape[0], share)
        if parts:
            dW[o] = _back(sum(parts[1:], parts[0]), size)[:, :, : W_shape[2], : W_shape[3]]
    return dW


def _check(W_shape: Shape4, stride: Pair, padding: Pair, dilation: Pair, groups: int) -> None:
    if not applies(W_shape, stride, padding, dilation, groups):
        raise RuntimeError(
            f"fft wants stride 1 and dilation 1, but got stride {stride} and dilation {dilation}: use 'tiled', which "
            "takes all"
        )


def _sizes(x_shape: Shape4, W_shape: Shape4, padding: Pair) -> Pair:
    """Height and width of the transforms: the padded picture, and then up to a product of small primes.

    No more is needed: what wraps round falls on results that nobody asked for, since y has k - 1 fewer rows than x̂.
    """
    down, across = (_smooth(m + 2 * p) for m, p in zip(x_shape[2:], padding))
    return down, across


def _smooth(n: int) -> int:
    """The next number with no prime factor above 5."""
    while True:
        rest = n
        for prime in (2, 3, 5):
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return n
        n += 1


def _per_piece(size: Pair, x: np.ndarray) -> int:
    return PIECE_BYTES // max(1, math.prod(size) * x.shape[1] * x.itemsize)


def _frequencies(x: np.ndarray, size: Pair, padding: Pair) -> np.ndarray:
    """The transform of x behind ``padding`` zeros. (n, C, H, W) → (F, n, C)"""
    n, c, h, w = x.shape
    padded = np.zeros((n, c, *size), x.dtype)
    padded[:, :, padding[0] : padding[0] + h, padding[1] : padding[1] + w] = x
    return np.ascontiguousarray(np.fft.rfft2(padded).reshape(n, c, -1).transpose(2, 0, 1))


def _back(x_hat: np.ndarray, size: Pair) -> np.ndarray:
    """The picture with these frequencies. (F, n, C) → (n, C, *size)"""
    n, c = x_hat.shape[1:]
    planes = np.ascontiguousarray(x_hat.transpose(1, 2, 0)).reshape(n, c, size[0], -1)
    return np.fft.irfft2(planes, size)
