"""The input gradient of a convolution with stride, as several convolutions without.

In one direction, output i of a convolution with stride s, dilation d and padding p reads with tap k the pixel
h = i·s + k·d - p. Backwards, pixel h gets something from tap k only if s divides h + p - k·d. Pixels h that
differ by a multiple of s therefore see the same taps: those with k·d ≡ h + p (mod s). With t counting the
pixels of one such class, and e = ⌊k·d / s⌋ for its taps,

    dx[h₀ + s·t] = Σ_k W[k] · dy[t + const - e]

is an ordinary convolution of dy with these taps in turned order: no multiplication with a zero, and no
adding up of overlapping windows. For a 3x3 kernel and stride 2 the four classes have 2·2, 2·1, 1·2 and 1·1
taps, together nine.
"""

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from ndl.kernels.conv2d.geometry import Pair
from ndl.kernels.conv2d.pieces import by_group


class TapClass(NamedTuple):
    """Pixels of dx that see the same taps of the kernel, in one direction."""

    pixels: slice
    taps: slice | None  # in turned order; None if there are none: dx is zero there
    before: int  # zeros before the first number of dy (negative: as many numbers are left out)
    step: int  # dilation of these taps


def tap_classes(size: int, kernel: int, stride: int, padding: int, dilation: int) -> Iterator[TapClass]:
    """The classes of a direction with ``size`` pixels, ``stride`` of them."""
    common = math.gcd(stride, dilation)
    for rest in range(stride):
        taps = [k for k in range(kernel) if k * dilation % stride == rest]
        first = (rest - padding) % stride  # the first pixel of the class
        if taps:
            furthest = (taps[-1] * dilation - rest) // stride
            before = furthest - (first + padding - rest) // stride
            turned = slice(taps[-1], None, -(stride // common))
            yield TapClass(slice(first, size, stride), turned, before, dilation // common)
        else:
            yield TapClass(slice(first, size, stride), None, 0, 1)


def class_by_class(
    dx: np.ndarray,
    dy: np.ndarray,
    W: np.ndarray,
    stride: Pair,
    padding: Pair,
    dilation: Pair,
    groups: int,
    correlate: Callable[[np.ndarray, np.ndarray, np.ndarray, Pair, Pair], None],
) -> None:
    """Fill dx (N, C, H, W), class by class in both directions, from dy (N, O, Ho, Wo) and W (O, C/groups, kH, kW).

    ``correlate(dy, F, dx, before, step)`` convolves with stride 1: F (O/G, C/G, taps, taps) is turned round already.
    """
    for rows in tap_classes(dx.shape[2], W.shape[2], stride[0], padding[0], dilation[0]):
        for columns in tap_classes(dx.shape[3], W.shape[3], stride[1], padding[1], dilation[1]):
            for c, o in by_group(groups, dx.shape[1], W.shape[0]):
                part = dx[:, c, rows.pixels, columns.pixels]
                if rows.taps is None or columns.taps is None:
                    part[...] = 0  # between the windows: no tap ever touches these pixels
                else:
                    turned = W[o, :, rows.taps, columns.taps]
                    correlate(dy[:, o], turned, part, (rows.before, columns.before), (rows.step, columns.step))
