"""Whether a rung with fewer digits has kept enough of them: a few outputs, computed again by the definition.

The error of Winograd's and Fourier's algorithms is some 1e-6 of Σ |W| |x|, of what the output would be if nothing
cancelled. Random filters cancel little, and it is 1e-6 of the largest output. Filters that sum to 0 on pictures far from
0 (Laplace's on a bright sky) cancel nearly all of it, and the error can be as large as what is left. Nothing but the
result tells: so ``PLACES`` pixels of ``CHANNELS`` channels, spread over all, are compared with the definition.

Cost: some 0.3 ms, a hundredth of the convolutions that these rungs are taken for.
"""

from collections.abc import Callable
from typing import cast

import numpy as np

from ndl.kernels.conv2d.geometry import Shape4, input_channels

Sizes = tuple[int, ...]

PLACES = 8
CHANNELS = 4
ENOUGH = 3e-5  # of the largest output; the promise is 1e-4, and the largest error need not be among these
GOLDEN = 0.6180339887498949  # multiples of it, without what is before the point, are spread evenly


def forward_is_good(
    x: np.ndarray, W: np.ndarray, y: np.ndarray, padding: Sizes, groups: int, bias: np.ndarray | None
) -> bool:
    """For y = conv(x, W) + bias with stride 1 and dilation 1."""

    def filter_of(o: int) -> tuple[slice, np.ndarray]:
        return input_channels(o, cast(Shape4, W.shape), groups), W[o]

    return _is_good(x, filter_of, W.shape[2:], y, padding, bias)


def input_grad_is_good(dy: np.ndarray, W: np.ndarray, dx: np.ndarray, padding: Sizes, groups: int) -> bool:
    """For the gradient by x: a convolution of dy with the filters turned round, in- and output channels swapped."""
    n_out, n_in = W.shape[0] // groups, W.shape[1]

    def filter_of(c: int) -> tuple[slice, np.ndarray]:
        seen = slice(c // n_in * n_out, (c // n_in + 1) * n_out)
        return seen, W[seen, c % n_in, ::-1, ::-1]

    kernel = W.shape[2:]
    before = (kernel[0] - 1 - padding[0], kernel[1] - 1 - padding[1])
    return _is_good(dy, filter_of, kernel, dx, before, None)


def _is_good(
    x: np.ndarray,
    filter_of: Callable[[int], tuple[slice, np.ndarray]],
    kernel: Sizes,
    y: np.ndarray,
    padding: Sizes,
    bias: np.ndarray | None,
) -> bool:
    n, i, j = np.unravel_index(_spread(y.size // y.shape[1], PLACES), (y.shape[0], *y.shape[2:]))
    windows = [_window(x[a], b - padding[0], c - padding[1], kernel) for a, b, c in zip(n, i, j)]
    seen = np.stack(windows)  # (PLACES, C, kH, kW)
    channels = _spread(y.shape[1], CHANNELS)
    exact = np.empty((len(n), len(channels)), y.dtype)
    for k, channel in enumerate(channels):
        of_x, w = filter_of(int(channel))
        exact[:, k] = seen[:, of_x].reshape(len(n), -1) @ w.reshape(-1)
    if bias is not None:
        exact += bias[channels]
    error = np.abs(y[n[:, None], channels, i[:, None], j[:, None]] - exact).max()
    return bool(error <= ENOUGH * np.abs(exact).max() or error <= ENOUGH * max(y.max(), -y.min()))


def _spread(n: int, most: int) -> np.ndarray:
    """At most ``most`` of the numbers 0 … n − 1, evenly spread, but in no fixed distance."""
    if n <= most:
        return np.arange(n)
    return (np.arange(1, most + 1) * GOLDEN % 1 * n).astype(np.intp)


def _window(x: np.ndarray, i: int, j: int, kernel: Sizes) -> np.ndarray:
    """The pixels of x (C, H, W) from (i, j) on, as far as the kernel reaches, 0 where there are none."""
    C, H, W = x.shape
    w = np.zeros((C, *kernel), x.dtype)
    top, left = max(i, 0), max(j, 0)
    bottom, right = min(i + kernel[0], H), min(j + kernel[1], W)
    if top < bottom and left < right:
        w[:, top - i : bottom - i, left - j : right - j] = x[:, top:bottom, left:right]
    return w
